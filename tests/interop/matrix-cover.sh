#!/bin/sh
# What the matrix tries: each two values of different axes meet in a case unless a rule says why not, so does each peer in each role with
# each kernel, with and without NAT-T, no case breaks a rule, each IKE suite and each suite of ESP and AH meets each peer, and the list
# is the same each time.
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH=$here exec "${PYTHON3:-python3}" -B - <<'PYTHON'
from itertools import combinations, product
from matrixlib import cover, peers, suites
from matrixlib.wire import kind

checks = 0


def check(ok, text):
	global checks
	checks += 1
	if not ok:
		raise SystemExit("FAIL: " + text)


axes, aead, ah = suites.axes()
check(len(axes["group"]) >= 12 and "aes256gcm16" in axes["esp"] and "aes256gcm16" in aead, "suites are missing: %s" % axes)
axes.update(peer=list(peers.PEERS), role=["initiator", "responder"], auth=["psk", "rsasig"], kernel=["klips", "xfrm"],
	natt=["plain", "natt"], mode=["tunnel", "transport"])
rules = peers.rules(aead, ah)
few = cover.pairwise(axes, rules)
many, refused = cover.whole(axes, rules)
check(few == cover.pairwise(axes, rules), "another list the second time")
for cases in (few, many):
	met = {pair for case in cases for pair in cover.pairs_of(case)}
	check(all(why is None for why in (peers.why_not(rules, c) for c in cases)), "a case breaks a rule")
	for a, b in combinations(sorted(axes), 2):
		for v, w in product(axes[a], axes[b]):
			check(((a, v, b, w) in met) != (peers.why_not(rules, {a: v, b: w}) is not None), "%s=%s with %s=%s" % (a, v, b, w))
together = {tuple(c[n] for n in cover.TOGETHER) for c in few}
check(together == set(product(*(axes[n] for n in cover.TOGETHER))), "not each peer in each role with each kernel, with and without NAT-T")
tried = {(c["peer"], c["role"], c["cipher"], c["hash"], c["group"]) for c in many}
tried |= {(c["peer"], c["role"], c["kernel"], c["mode"], c["esp"], c["mac"]) for c in many}
for names in (("peer", "role", "cipher", "hash", "group"), ("peer", "role", "kernel", "mode", "esp", "mac")):
	for values in product(*(axes[n] for n in names)):
		why = peers.why_not(rules, dict(zip(names, values)))
		check((values in tried) == (why is None), "%s: %s" % (" ".join(values), why))
check(any(part["peer"] == "libreswan" and "MODP1024" in why for part, why in refused), "what libreswan cannot do is not told")


# What passes for protected on the wire.
def packet(protocol, body=b""):
	return bytes([0x45, 0, 0, 20 + len(body), 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]) + body


def udp(port, body):
	return packet(17, port.to_bytes(2, "big") * 2 + bytes(4) + body)


for what, seen in ((packet(50), "ESP"), (packet(51), "AH"), (packet(1, b"\x08"), "echo in clear"), (packet(1, b"\0"), "echo in clear"),
		(packet(1, b"\x03"), "ICMP"), (packet(6), "protocol 6"), (udp(500, b"1234"), "IKE"), (udp(4500, b"\0\0\0\0"), "IKE"),
		(udp(4500, b"1234"), "ESP in UDP"), (udp(4500, b"\xff"), "keepalive"), (udp(53, b"1234"), "protocol 17")):
	check(kind(what) == seen, "%s, not %s" % (kind(what), seen))
print("PASS: what the matrix tries, %d checks" % checks)
PYTHON
