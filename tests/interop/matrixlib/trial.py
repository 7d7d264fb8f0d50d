"""One case: without an SA nothing passes; one end initiates; pings both ways are answered, counted by the SAs of both ends and
never seen in clear; the end that began deletes, and nothing is left at the other."""

import time

from .daemons import Refused

PINGS = 2
KINDS = {"ah": "AH", "natt": "ESP in UDP", "plain": "ESP"}


class Failed(Exception):
	pass


def until(seconds, what, condition, pause=0.05):
	end = time.monotonic() + seconds
	while True:
		found = condition()
		if found:
			return found
		if time.monotonic() > end:
			raise Failed("no %s within %d s" % (what, seconds))
		time.sleep(pause)


def refuse_in_clear(case, wire, ours, peer):
	ways = ((ours, peer), (peer, ours))
	sent = [(a.pings_from(case), a.pings_from(case).send(b.target(case))) for a, b in ways]
	if any(pinger.answered(number, 0.03) for pinger, number in sent):
		raise Failed("a ping is answered without an SA")
	wire.take((ours.address, peer.address))


def expected(case):
	return KINDS["ah"] if case["esp"] == "ah" else KINDS[case["natt"]]


def traffic(case, wire, ours, peer):
	"""The first packet may be too early for the end that installs its SA last."""
	addresses = (ours.address, peer.address)
	for a, b in ((ours, peer), (peer, ours)):
		until(4, "answer to a ping from %s" % a.name, lambda a=a, b=b: a.pings_from(case).ping(b.target(case), 0.15), 0)
	seen = wire.take(addresses)
	before = [until(3, "count of packets at " + end.name, end.counts) for end in (ours, peer)]
	for a, b in ((ours, peer), (peer, ours)):
		for _ in range(PINGS):
			if not a.pings_from(case).ping(b.target(case), 2):
				raise Failed("a ping from %s is not answered" % a.name)
	now = wire.take(addresses)
	for kind, n in seen.items():
		if kind == "echo in clear":
			raise Failed("%d echoes in clear although there is an SA" % n)
	other = set(now) - {expected(case), "IKE", "keepalive"}
	if other or now.get(expected(case), 0) < 4 * PINGS:
		raise Failed("on the wire were %s, not %d of %s" % (now, 4 * PINGS, expected(case)))
	for end, was in zip((ours, peer), before):
		until(3, "growth of the counters at %s" % end.name,
			lambda end=end, was=was: all(n - m >= 2 * PINGS for n, m in zip(end.counts() or was, was)))


def attempt(case, wire, ours, peer):
	ours.describe(case, peer)
	peer.describe(case, ours)
	refuse_in_clear(case, wire, ours, peer)
	first, second = (ours, peer) if case["role"] == "initiator" else (peer, ours)
	first.initiate()
	traffic(case, wire, ours, peer)
	first.terminate()
	until(6, "end of the SAs at " + first.name, first.gone)
	until(6, "end of the SAs at " + second.name, second.gone)


def forget(ours, peer):
	ours.forget()
	peer.forget()


def run(case, wire, ours, peer):
	"""None, or why it failed. Both ends keep its description, unless it failed."""
	try:
		attempt(case, wire, ours, peer)
		return None
	except (Failed, Refused) as e:
		forget(ours, peer)
		return str(e)
