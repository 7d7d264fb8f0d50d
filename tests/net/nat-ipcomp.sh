#!/bin/bash
# IPComp inside of ESP in UDP, and the peer's NAT gives it another port, another address, and that of before: all SAs of the bundle follow.
# What shrinks goes compressed before and after, what does not is let in as it is.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
. "$here/nat.sh"

lab_begin "IPComp behind a NAT that changes" python3
nat_need
pluto_need
nat_lab
nat_pluto east
nat_pluto west
lab_check "west takes anybody" pluto_whack west --name road --host 192.0.2.2 --client 10.0.2.0/24 --to --host %any \
	--id @east --client 10.0.1.0/24 --encrypt --compress --psk
lab_check "east knows west" pluto_whack east --name road --host 10.9.0.5 --id @east --client 10.0.1.0/24 --to \
	--host 192.0.2.2 --client 10.0.2.0/24 --encrypt --compress --psk
lab_capture wire wire br0
lab_check "east negotiates" pluto_whack east --initiate --name road
lab_check "IPComp was agreed on" grep -q 'IPsec SA established, .*deflate' "$LAB_DIR/east.log"

# 1000 octets of text leave as less than 300; what is as small as a ping of 8 octets is not compressed.
try() {	# try WHAT
	local before
	sleep 0.2
	before=$(lab_count wire "$NAT_ESP and less 300")
	lab_check "$1: text goes through" lab_in ehost ping -n -q -c 3 -i 0.2 -W 1 -s 1000 -p 61626364 10.0.2.9
	lab_check "$1: and back" lab_in whost ping -n -q -c 3 -i 0.2 -W 1 -s 1000 -p 61626364 10.0.1.9
	sleep 0.2
	lab_check "$1: compressed" [ $(($(lab_count wire "$NAT_ESP and less 300") - before)) = 12 ]
	lab_check "$1: so does what does not shrink" lab_in ehost ping -n -q -c 2 -i 0.2 -W 1 -s 8 10.0.2.9
	lab_check "$1: and back" lab_in whost ping -n -q -c 2 -i 0.2 -W 1 -s 8 10.0.1.9
}
# moves WHAT ADDRESS:PORTS: the next packet comes from there. Each time the ports begin with another digit.
moves() {
	nat_rebind nat out "$2"
	lab_in ehost ping -n -q -c 3 -i 0.2 -W 1 -s 1000 -p 61626364 10.0.2.9 >/dev/null 2>&1
	lab_wait 10 "$1 of the peer" grep -q "the peer is at ${2%0000-*}[0-9]* now" "$LAB_DIR/west.log"
	try "$1"
}
try "at first"
moves "another port" 192.0.2.1:40000-49999
ip -n "$LAB_PREFIX-nat" addr add 192.0.2.11/24 dev out
moves "another address" 192.0.2.11:50000-59999
moves "the first address again" 192.0.2.1:30000-39999
lab_check "all by the same SAs" [ "$(grep -c 'IPsec SA established' "$LAB_DIR/west.log")" = 1 ]
[ "$PLUTO_KERNEL" != xfrm ] || lab_check "which are not in the kernel twice" eval '! lab_in west ip xfrm state | grep -F 192.0.2.11 &&
	[ "$(lab_in west ip xfrm state | grep -c "proto \(esp\|comp\)")" = 4 ]'
lab_check "no SA could not be moved" eval '! grep "cannot move" "$LAB_DIR/west.log"'
nat_only_udp wire 60
lab_ok "the wire shows ESP in UDP alone"
pluto_whack west --status >"$LAB_DIR/status.log" 2>&1
for kind in ESP IPCOMP; do
	lab_check "$kind has counted both ways since it was made" awk -v kind="$kind" '
		$2 == kind && $3 == "in" { n = $5 + 0; sub(/.*; out 0x[0-9a-f]*: /, ""); m = $1 + 0 }
		END { exit !(n >= 24 && m >= 24) }' "$LAB_DIR/status.log"
done
lab_check "renegotiated it goes on" pluto_whack east --initiate --name road
try "renegotiated"

# Somebody else has an SA by the name that ours would have at the other address: there are new ones at once.
immovable() {
	local spi
	spi=$(pluto_whack west --status | sed -n '/carries the traffic/,/ESP in/s/.*ESP in.*; out \(0x[0-9a-f]*\).*/\1/p')
	lab_check "there is an SA 0x${spi#0x} to another address already" lab_in west ip xfrm state add src 192.0.2.2 dst 192.0.2.11 proto esp \
		spi "$spi" reqid 1 mode tunnel aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f00010203 128
	nat_rebind nat out 192.0.2.11:60000-65000
	lab_in ehost ping -n -q -c 3 -i 0.2 -W 1 10.0.2.9 >/dev/null 2>&1
	lab_wait 10 "SA that could not be moved" grep -q "cannot move the ESP SA $spi to 192.0.2.1: another program has one already" "$LAB_DIR/west.log"
	lab_wait 10 "word of it" grep -q 'could not follow the peer' "$LAB_DIR/west.log"
	lab_wait 10 "other SAs" lab_ping ehost 10.0.2.9 1
	try "with other SAs"
	lab_check "none is left for the address of before" eval '! lab_in west ip xfrm state | grep -w "192\.0\.2\.1"'
	lab_check "that of another program is still there" lab_in west ip xfrm state delete src 192.0.2.2 dst 192.0.2.11 proto esp spi "$spi"
}
[ "$PLUTO_KERNEL" != xfrm ] || immovable
pluto_stop east
pluto_stop west
[ "$PLUTO_KERNEL" != xfrm ] || lab_check "nothing is left in the kernel" [ -z "$(lab_in west ip xfrm state)$(lab_in west ip xfrm policy | grep '^src 10')" ]
lab_end
