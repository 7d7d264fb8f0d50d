#!/bin/bash
# Packets that were seen before, forged, or come from a stranger: dropped and counted, and nothing reaches the client.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/klips.sh"

lab_begin "klips against an attacker on the wire" tcpdump ping python3
klips_need
klips_gateways
klips_tunnel 4096 aes128_cbc hmac_sha1_96
lab_capture wire wire br0 esp and src 192.0.2.1
lab_ping ehost 10.0.2.9 5 >/dev/null || lab_fail "no tunnel"
sleep 0.3
lab_stop wire INT

# again.py PCAP IF HOW [COUNT]: send the captured frames again: as they were, with a bit flipped, or from another source.
cat >"$LAB_DIR/again.py" <<'PY'
import socket, struct, sys
data = open(sys.argv[1], 'rb').read()
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[2], 0))
how = sys.argv[3]
at = 24
while at + 16 <= len(data):
	n = struct.unpack('<I', data[at + 8:at + 12])[0]
	frame = bytearray(data[at + 16:at + 16 + n])
	at += 16 + n
	if how == 'forged':
		frame[-1] ^= 1
		frame[14 + 20 + 4:14 + 20 + 8] = struct.pack('>I', 0x7fffffff)
	if how == 'stranger':
		frame[14 + 15] = 77
	if how != 'as it was':
		frame[14 + 10:14 + 12] = b'\0\0'
		s = sum(struct.unpack('>10H', frame[14:34]))
		s = (s & 0xffff) + (s >> 16)
		frame[14 + 10:14 + 12] = struct.pack('>H', ~(s + (s >> 16)) & 0xffff)
	out.send(frame)
PY

# The captured frames carry the addresses of the east gateway's interface; they enter where it stands on the bridge.
attack() { lab_in east python3 "$LAB_DIR/again.py" "$LAB_DIR/wire.pcap" wan "$1"; sleep 0.5; }
# expect NAME NUMBER WHAT: what the SA has counted.
expect() {
	klips_say west read esp 192.0.2.2 4096
	[ "$(klips_value "$1")" = "$2" ] || lab_fail "$3: $KLIPS_ANSWER"
}

lab_capture inside west lan icmp
expect packets 5 "five pings"

attack "as it was"
expect replays 5 "replays are not counted"
expect packets 5 "a replayed packet was delivered"
lab_ok "five packets sent again: dropped, counted as replays"

attack forged
expect bad 5 "forgeries are not counted"
lab_ok "five packets with a wrong ICV and a far sequence number: dropped, counted"

attack stranger
expect bad 10 "packets from a stranger are not counted"
lab_ok "five packets from another address: dropped, counted"

sleep 0.3
[ "$(lab_count inside)" = 0 ] || lab_fail "something reached the client's network"
lab_ok "nothing of it reached the client"

lab_ping ehost 10.0.2.9 5 >/dev/null || lab_fail "the forged sequence number moved the window"
expect packets 10 "honest traffic"
lab_ok "honest traffic goes on"

grep -q 'dropped .*: replayed, esp.00001000@192.0.2.2' "$LAB_DIR/west.log" || lab_fail "the log does not tell of the replay"
grep -q 'dropped .*: not authentic, esp.00001000@192.0.2.2' "$LAB_DIR/west.log" || lab_fail "the log does not tell of the forgery"
[ "$(grep -c '^log .*replayed' "$LAB_DIR/west.log")" = 1 ] || lab_fail "the log is flooded"
lab_ok "the log tells of each kind once"
lab_end
