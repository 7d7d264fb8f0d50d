#!/bin/bash
# NAT traversal over IPv6: one end behind a NAT, clients of both families in ESP in UDP, the peer followed to another port and
# another address; transport mode, whose TCP and UDP arrive with checksums for other addresses; encapsulation forced where there is no NAT.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
. "$here/nat.sh"

LAB_IPV6=1
lab_begin "NAT traversal over IPv6" python3
nat_need
pluto_need
nat_lab
nat_six
nat_pluto east --keepalive 2
nat_pluto west --keepalive 2
lab_check "it says that it listens on 4500, too" grep -q '2001:db8::2, UDP port 500 and 4500' "$LAB_DIR/west.listen.log"

# UDP over IPv6 has its header at 40. Every datagram that leaves has a checksum, and tcpdump finds it right.
SIX_ESP='ip6 and udp port 4500 and ip6[44:2] > 12 and ip6[48:4] != 0'
only_udp() {	# only_udp ID FEWEST
	local esp other
	lab_stop "$1" INT
	esp=$(lab_count "$1" "$SIX_ESP")
	other=$(lab_count "$1" "not $LAB_CHATTER and not (udp port 500 or udp port 4500)")
	[ "$esp" -ge "$2" ] && [ "$other" = 0 ] || lab_fail "$1: $esp packets of ESP in UDP, $other of something else"
	[ "$(lab_count "$1" "$SIX_ESP and ip6[46:2] = 0")" = 0 ] || lab_fail "$1: UDP without a checksum"
	tcpdump -n -vv -r "$LAB_DIR/$1.pcap" "$SIX_ESP" 2>/dev/null | grep -q 'bad udp cksum' && lab_fail "$1: UDP with a wrong checksum"
	lab_ok "$1: ESP in UDP alone, with checksums"
}

lab_check "west takes anybody" pluto_whack west --name road --host 2001:db8::2 --client 2001:db8:2::/64 --client 10.0.2.0/24 --to \
	--host %any6 --id @east --client 2001:db8:1::/64 --client 10.0.1.0/24 --encrypt --psk
lab_check "east knows west" pluto_whack east --name road --host 2001:db8:9::5 --id @east --client 2001:db8:1::/64 --client 10.0.1.0/24 --to \
	--host 2001:db8::2 --client 2001:db8:2::/64 --client 10.0.2.0/24 --encrypt --psk
lab_check "east routes" pluto_whack east --route --name road
lab_check "nothing goes through before" eval '! lab_ping ehost 2001:db8:2::9 1'
lab_capture tunnel wire br0
lab_check "east negotiates" pluto_whack east --initiate --name road
lab_check "pings go through" lab_ping ehost 2001:db8:2::9 3
lab_check "and back" lab_ping whost 2001:db8:1::9 3
lab_check "those of IPv4, too" lab_ping ehost 10.0.2.9 3
lab_wait 10 "fragments of the right size" lab_in ehost ping -n -q -c 1 -W 1 -s 1452 2001:db8:2::9
lab_check "large ones" lab_in ehost ping -n -q -c 2 -i 0.2 -W 2 -s 4000 2001:db8:2::9
lab_check "west says that its peer is behind a NAT" grep -q 'NAT traversal by RFC 3947: the peer is behind a NAT' "$LAB_DIR/west.log"
lab_wait 10 "keepalive" eval '[ "$(lab_count tunnel "ip6 and udp dst port 4500 and ip6[44:2] = 9 and ip6[48] = 0xff")" -ge 1 ]'
only_udp tunnel 20

# The NAT forgets: the next packet of ESP comes from another port.
nat_rebind nat out "[2001:db8::1]:40000-49999"
lab_in ehost ping -n -q -c 3 -i 0.2 -W 1 2001:db8:2::9 >/dev/null 2>&1
lab_wait 10 "new port of the peer" grep -q 'the peer is at \[2001:db8::1\]:4[0-9]* now' "$LAB_DIR/west.log"
lab_check "pings go on by the same SAs" lab_ping whost 2001:db8:1::9 3
lab_address nat out 2001:db8::11/64
nat_rebind nat out "[2001:db8::11]:50000-59999"
lab_in ehost ping -n -q -c 3 -i 0.2 -W 1 10.0.2.9 >/dev/null 2>&1
lab_wait 10 "new address of the peer" grep -q 'the peer is at \[2001:db8::11\]:5[0-9]* now' "$LAB_DIR/west.log"
lab_check "pings go on from the new address" lab_ping whost 2001:db8:1::9 3
lab_check "those of IPv4, too" lab_ping whost 10.0.1.9 3
lab_check "by the same SAs" [ "$(grep -c 'IPsec SA established' "$LAB_DIR/west.log")" = 2 ]
lab_check "the connection goes" pluto_whack east --delete --name road
lab_wait 10 "end of the instance" eval '! pluto_whack west --status | grep -q "\"road[^\"]*\["'

# AH is refused when the NAT is found, and has no place in UDP.
lab_check "west takes AH" pluto_whack west --name ah --host 2001:db8::2 --client 2001:db8:2::/64 --to --host %any6 --id @east \
	--client 2001:db8:1::/64 --authenticate --psk
lab_check "so does east" pluto_whack east --name ah --host 2001:db8:9::5 --id @east --client 2001:db8:1::/64 --to --host 2001:db8::2 \
	--client 2001:db8:2::/64 --authenticate --psk
lab_check "it is not negotiated" eval '! pluto_whack east --initiate --name ah >"$LAB_DIR/ah.log" 2>&1'
lab_check "the reason is told" grep -q 'a NAT between us and the peer, and connection "ah" asks for AH' "$LAB_DIR/ah.log"
lab_check "and the remedy" grep -q 'give --encrypt without --authenticate' "$LAB_DIR/ah.log"
pluto_whack east --delete --name ah --host 2001:db8:9::5 --to --host 2001:db8::2 --encrypt --authenticate --psk --encapsulation yes >"$LAB_DIR/ah.log" 2>&1
lab_check "with --encapsulation yes it is not described: status 34" [ $? = 34 ]
lab_check "for a reason" grep -q 'AH, which the connection asks for, never goes in UDP' "$LAB_DIR/ah.log"
for id in east west; do
	pluto_whack "$id" --delete --name ah >/dev/null 2>&1
done

# Transport mode: the addresses that TCP and UDP reckon with are not those that west sees.
transport() {	# transport TITLE CAPTURE
	lab_check "$1: pings go through" lab_ping east 2001:db8::2 3
	lab_check "$1: TCP and UDP go through" lab_in east python3 -c '
import socket
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
	c = socket.socket(socket.AF_INET6, kind)
	c.settimeout(5)
	c.connect(("2001:db8::2", 7777))
	c.send(b"abc")
	assert c.recv(10) == b"cba"'
	only_udp "$2" 12
}
lab_start serve west python3 -c '
import socket, threading
t, u = (socket.socket(socket.AF_INET6, k) for k in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
for s in (t, u):
	s.bind(("::", 7777))
t.listen()
def datagrams():
	while True:
		d, a = u.recvfrom(100)
		u.sendto(d[::-1], a)
threading.Thread(target=datagrams, daemon=True).start()
print("ready", flush=True)
while True:
	c, a = t.accept()
	c.sendall(c.recv(100)[::-1])
	c.close()'
lab_wait 10 "server" grep -q ready "$LAB_DIR/serve.log"
lab_check "west: transport mode" pluto_whack west --name host --host 2001:db8::2 --to --host %any6 --id @east --encrypt --psk
lab_check "east: transport mode" pluto_whack east --name host --host 2001:db8:9::5 --id @east --to --host 2001:db8::2 --encrypt --psk
lab_capture host wire br0
lab_check "east negotiates" pluto_whack east --initiate --name host
lab_check "in transport mode" grep -q 'transport, in UDP' "$LAB_DIR/east.log"
transport "behind a NAT" host
# Such an SA is for the address that west sees: with another one it ends at both ends, and is negotiated anew.
nat_rebind nat out "[2001:db8::1]:20000-29999"
lab_in east ping -n -q -c 2 -i 0.2 -W 1 2001:db8::2 >/dev/null 2>&1
lab_wait 10 "end of the SA" grep -q 'for the address that the peer had: it cannot follow' "$LAB_DIR/west.log"
lab_wait 10 "word of it at east" eval '! pluto_whack east --status --name host | grep -q "IPsec SA under"'
lab_check "nothing goes through then" eval '! lab_ping east 2001:db8::2 1'
lab_check "east negotiates anew" pluto_whack east --initiate --name host
lab_check "pings go through from the new address" lab_ping east 2001:db8::2 3
lab_check "east ends it" pluto_whack east --delete --name host

# No NAT between them, and ESP in UDP all the same.
nat_off nat ip6
nat_forget nat
lab_route west 2001:db8:9::/64 via 2001:db8::1
for id in east west; do
	pluto_whack "$id" --name forced --host 2001:db8:9::5 --to --host 2001:db8::2 --encrypt --psk --encapsulation yes \
		>"$LAB_DIR/$id.forced.log" 2>&1 || lab_fail "$id does not take --encapsulation yes"
done
lab_capture forced wire br0
lab_check "east negotiates without a NAT" pluto_whack east --initiate --name forced
transport "encapsulation forced" forced
for id in east west; do
	pluto_stop "$id"
done
# Nothing but what came from another address than its SA in transport mode is for.
grep 'dropped.*packet' "$LAB_DIR/east.log" "$LAB_DIR/west.log" | grep -v 'held back\|no eroute' |
	grep -v "outside the SA's clients, .* from 2001:db8::1 to 2001:db8::2" && lab_fail "something was dropped"
lab_end
