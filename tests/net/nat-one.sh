#!/bin/bash
# One end behind a NAT: found, the ports changed, ESP in UDP on the wire and nothing else, keepalives by the end behind the
# NAT alone, and the peer followed when its NAT gives it another port, or another address.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
. "$here/nat.sh"

outside() { pluto_whack west --status | sed -n 's/.*ISAKMP SA with \(192\.0\.2\.[0-9]*:[0-9]*\).*/\1/p' | head -1; }
moved_from() { [ "$(outside)" != "$1" ] && [ -n "$(outside)" ]; }

lab_begin "one end behind a NAT"
nat_need
pluto_need
nat_lab
nat_pluto east --keepalive 2
nat_pluto west --keepalive 2
lab_check "it says that it listens on 4500, too" grep -q 'UDP port 500 and 4500' "$LAB_DIR/west.listen.log"
lab_check "west takes anybody" pluto_whack west --name road --host 192.0.2.2 --client 10.0.2.0/24 --to --host %any \
	--id @east --client 10.0.1.0/24 --encrypt --psk
lab_check "east knows west" pluto_whack east --name road --host 10.9.0.5 --id @east --client 10.0.1.0/24 --to \
	--host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk
lab_check "east routes" pluto_whack east --route --name road
lab_check "nothing goes through before" eval '! lab_ping ehost 10.0.2.9'
lab_capture wire wire br0
lab_check "east negotiates" pluto_whack east --initiate --name road
lab_check "pings go through" lab_ping ehost 10.0.2.9 5
lab_check "and back" lab_ping whost 10.0.1.9 5
nat_only_udp wire 20
lab_ok "the wire shows ESP in UDP alone"
lab_check "east says that it is behind a NAT" grep -q 'NAT traversal by RFC 3947: we are behind a NAT' "$LAB_DIR/east.log"
lab_check "west says that its peer is" grep -q 'NAT traversal by RFC 3947: the peer is behind a NAT' "$LAB_DIR/west.log"
pluto_whack west --status >"$LAB_DIR/status.log" 2>&1
lab_check "its status says so, too" grep -q 'RFC 3947.*the peer is behind a NAT' "$LAB_DIR/status.log"
pluto_whack west --status --json >"$LAB_DIR/status.json"
lab_check "also in JSON" python3 -c '
import json, sys
c = json.load(open(sys.argv[1]))["connections"]
n = [s["nat"] for k in c for s in k["sas"] if s.get("nat")]
assert n and n[0] == {"method": "RFC 3947", "us": False, "peer": True, "encapsulated": True, "local_port": 4500}, n' "$LAB_DIR/status.json"

lab_wait 15 "keepalive of east" eval '[ "$(lab_count wire "$NAT_KEEPALIVE and dst host 192.0.2.2")" -ge 1 ]'
lab_ok "east, behind the NAT, sends keepalives"
lab_check "west sends none" [ "$(lab_count wire "$NAT_KEEPALIVE and src host 192.0.2.2")" = 0 ]
lab_check "nobody complains of them" eval '! grep -q "malformed\|Header" "$LAB_DIR/west.log"'

# The NAT forgets: the next packet of ESP comes from another port.
before=$(outside)
nat_rebind nat out 192.0.2.1:40000-49999
lab_in ehost ping -n -q -c 3 -i 0.2 -W 1 10.0.2.9 >/dev/null 2>&1
lab_wait 10 "new port of the peer" moved_from "$before"
lab_check "west follows to the new port" grep -q "the peer is at 192.0.2.1:4[0-9]* now, it was at $before" "$LAB_DIR/west.log"
lab_check "pings go on by the same SAs" lab_ping whost 10.0.1.9 3
lab_check "which were not negotiated anew" [ "$(grep -c 'IPsec SA established' "$LAB_DIR/west.log")" = 1 ]

ip -n "$LAB_PREFIX-nat" addr add 192.0.2.11/24 dev out
nat_rebind nat out 192.0.2.11:50000-59999
lab_in ehost ping -n -q -c 3 -i 0.2 -W 1 10.0.2.9 >/dev/null 2>&1
lab_wait 10 "new address of the peer" grep -q "the peer is at 192.0.2.11:5[0-9]* now" "$LAB_DIR/west.log"
lab_check "pings go on from the new address" lab_ping whost 10.0.1.9 3

# Forged packets move nobody: ESP with the right SPI, without the key; IKE with the right cookies, without the key. Nor do packets that
# west has seen, all that came from east, though its SA has moved twice since the first of them.
before=$(outside)
python3 - "$LAB_DIR/wire.pcap" >"$LAB_DIR/forged" <<'EOF'
import struct, sys
data, at, esp, ike = open(sys.argv[1], 'rb').read(), 24, [], None
while at + 16 <= len(data):
	n = struct.unpack_from('<I', data, at + 8)[0]
	p = data[at + 16 + 14:at + 16 + n]
	at += 16 + n
	if len(p) > 40 and p[9] == 17 and p[16:20] == bytes([192, 0, 2, 2]) and p[22:24] == struct.pack('>H', 4500):
		body = p[28:]
		if body[:4] == bytes(4):
			ike = body
		elif len(body) > 8:
			esp.append(body)
print((esp[0][:4] + struct.pack('>I', 0x7fff) + bytes(len(esp[0]) - 8)).hex())
print((ike[:-8] + bytes(8)).hex())
for body in esp:
	print(body.hex())
EOF
lab_in nat python3 - 192.0.2.2 "$LAB_DIR/forged" <<'EOF'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('192.0.2.1', 6666))
for line in open(sys.argv[2]):
	for i in range(3):
		s.sendto(bytes.fromhex(line.strip()), (sys.argv[1], 4500))
EOF
lab_check "pings still go where they went" lab_ping whost 10.0.1.9 3
lab_check "forged and repeated packets move nobody" [ "$(outside)" = "$before" ]
counted() { pluto_whack west --status | sed -n 's/.*ESP in 0x[0-9a-f]*: \([0-9]*\) packets.*/\1/p'; }
lab_check "the SA has counted since it was made ($(counted) packets)" [ "$(counted)" -ge 20 ]

lab_check "east negotiates anew on the path that is there" pluto_whack east --initiate --name road
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
nat_only_udp wire 30
pluto_stop east
lab_wait 10 "end of the instance" eval '! pluto_whack west --status | grep -q "\"road\["'
pluto_stop west
lab_ok "both end"
lab_end
