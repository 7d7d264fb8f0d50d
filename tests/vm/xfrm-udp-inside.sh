#!/bin/bash
# Run by xfrm-udp.sh on a kernel with IPsec, with PLUTO_KERNEL=xfrm. Two plutos with --kernel xfrm and ESP in UDP: the socket of port 4500 hands ESP
# to the kernel, pings go through, and the wire shows nothing but UDP.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/../net/nat.sh"

lab_begin "ESP in UDP by the kernel" tcpdump ping
pluto_need
pluto_secret east "in UDP"
pluto_secret west "in UDP"
lab_gateways
for id in east west; do
	pluto_start "$id" "$id"
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$id takes the connection" pluto_whack "$id" $PLUTO_SECRET --encapsulation yes
	lab_check "$id listens" pluto_whack "$id" --listen
done
lab_capture wire wire br0
lab_check "nothing goes through before" eval '! lab_ping ehost 10.0.2.9'
lab_check "east negotiates" pluto_whack east --initiate --name secret
lab_check "pings go through" lab_ping ehost 10.0.2.9 5
lab_check "and back" lab_ping whost 10.0.1.9 5
nat_only_udp wire 20
lab_ok "the wire shows ESP in UDP alone"
lab_check "the kernel's SAs say so" [ "$(lab_in east ip xfrm state | grep -c 'encap type espinudp sport 4500 dport 4500')" = 2 ]
lab_check "IKE goes on between the same ports" pluto_whack west --initiate --name secret
pluto_stop east
pluto_stop west
lab_check "nothing of it is left" eval '! lab_in east ip xfrm state | grep -q espinudp'
lab_end
