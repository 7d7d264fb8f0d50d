#!/bin/bash
# Connections without --client: the hosts themselves, in transport mode and in tunnel mode, and a host with a subnet.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "host to host" tcpdump ping
pluto_need
pluto_secret east "of no consequence"
pluto_secret west "of no consequence"
pluto_gateways
lab_capture wire wire br0 ip

# try TITLE MODE SHAPE ADDRESS LENGTH: describe, initiate, ping from east, look at the wire, delete.
try() {
	local title=$1 mode=$2 shape=$3 to=$4 length=$5 id before
	shift 5
	for id in east west; do
		lab_check "$title: $id takes the connection" pluto_whack "$id" --delete --name secret "$@"
	done
	pluto_whack east --initiate secret >"$LAB_DIR/initiate.log" 2>&1 || lab_fail "$title: not negotiated"
	lab_check "$title: it is $mode mode" grep -q "^004 .*IPsec SA established, .*, $mode " "$LAB_DIR/initiate.log"
	pluto_whack east --status secret >"$LAB_DIR/status.log"
	lab_check "$title: our SPI is not one of those for manual keying" grep -Eq 'in 0x([1-9a-f]|0[1-9a-f]|00[1-9a-f]|000[1-9a-f]|0000[1-9a-f])' \
		"$LAB_DIR/status.log"
	lab_check "$title: shown as described" grep -q "^000 \"secret\" up: $shape\$" "$LAB_DIR/status.log"
	sleep 0.2
	before=$(lab_count wire esp)
	lab_check "$title: pings go through" lab_ping east "$to" 3
	sleep 0.2
	lab_check "$title: as 6 packets of ESP" [ $(($(lab_count wire esp) - before)) = 6 ]
	lab_check "$title: of the length of that mode" [ "$(lab_count wire "esp and ip[2:2] = $length")" -ge 6 ]
	for id in east west; do
		pluto_whack "$id" --delete secret >"$LAB_DIR/$id.delete.log" 2>&1
	done
}

# An echo request is 84 octets. ESP of AES-GCM: 8 header, 8 IV, 2 and padding to a multiple of 4, 16 ICV.
try "transport" transport '192\.0\.2\.1\.\.\.192\.0\.2\.2' 192.0.2.2 120 \
	--host 192.0.2.1 --to --host 192.0.2.2 --encrypt --psk --esp aes256gcm16
try "tunnel" tunnel '192\.0\.2\.1\.\.\.192\.0\.2\.2' 192.0.2.2 140 \
	--host 192.0.2.1 --to --host 192.0.2.2 --encrypt --psk --esp aes256gcm16 --tunnel
lab_in west ip addr add 10.0.2.77/32 dev lo
try "a host and a subnet" tunnel '192\.0\.2\.1\.\.\.192\.0\.2\.2===10\.0\.2\.0\/24' 10.0.2.77 140 \
	--host 192.0.2.1 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk --esp aes256gcm16

# None of --encrypt, --authenticate, --pfs: an ISAKMP SA and nothing else.
for id in east west; do
	pluto_whack "$id" --name alone --host 192.0.2.1 --to --host 192.0.2.2 --psk >"$LAB_DIR/$id.add.log" 2>&1
done
lab_check "a connection for an ISAKMP SA alone" pluto_whack east --initiate alone
pluto_whack east --status alone >"$LAB_DIR/status.log"
lab_check "has that" grep -q '^000 "alone" up: ' "$LAB_DIR/status.log"
lab_check "and no IPsec SA" eval 'grep -q "ISAKMP SA with" "$LAB_DIR/status.log" && ! grep -q "IPsec SA under" "$LAB_DIR/status.log"'

lab_check "no ping was on the wire in clear" [ "$(lab_count wire icmp)" = 0 ]
lab_check "with no connection left they go in clear" lab_ping east 192.0.2.2 2
sleep 0.2
lab_check "and that is seen" [ "$(lab_count wire icmp)" = 4 ]

# Several public networks: at once an SA by the one interface and another by the other one.
pluto_secret inner "of no consequence"
pluto_listening inner ehost
between() { # NAME OUR-ADDRESS ID ADDRESS: a connection of east and that one
	local id
	for id in east "$3"; do
		pluto_whack "$id" --name "$1" --host "$2" --to --host "$4" --encrypt --psk || return
	done
}
lab_check "a connection on the one network" between outer 192.0.2.1 west 192.0.2.2
lab_check "and on the other" between inner 10.0.1.1 inner 10.0.1.9
for name in outer inner; do
	lab_check "$name is negotiated" pluto_whack east --initiate $name
done
lab_check "pings go through on the one" lab_ping east 192.0.2.2 2
lab_check "and on the other" lab_ping east 10.0.1.9 2
pluto_whack east --status >"$LAB_DIR/status.log"
device() { sed -n "s/^000 .*routed on \(ipsec[0-9]\) via $1: traffic goes through .*/\1/p" "$LAB_DIR/status.log"; }
one=$(device 192.0.2.2) other=$(device 10.0.1.9)
lab_check "each by a device of its own ($one, $other)" [ -n "$one" -a -n "$other" -a "$one" != "$other" ]
lab_check "and each counts its packets" [ "$(grep -c 'ESP in 0x[0-9a-f]*: 2 packets' "$LAB_DIR/status.log")" = 2 ]
pluto_stop east
pluto_stop west
pluto_stop inner
lab_ok "all end"
lab_end
