#!/bin/bash
# Two peers behind one NAT, each with its own traffic; then both ends behind NATs.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
. "$here/nat.sh"

lab_begin "two peers behind one NAT"
nat_need
pluto_need
nat_lab
nat_beside
for id in east east2 west; do
	nat_pluto "$id"
done

# Nobody has a name: each is its own private address, which the connection need not know.
lab_check "west takes anybody" pluto_whack west --name road --host 192.0.2.2 --client 10.0.2.0/24 --to --host %any --encrypt --psk
lab_check "east knows west" pluto_whack east --name road --host 10.9.0.5 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk
lab_check "east2 does" pluto_whack east2 --name road --host 10.9.0.6 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk
for id in east east2; do
	lab_check "$id routes" pluto_whack "$id" --route --name road
	lab_check "$id: nothing goes through before" eval "! lab_ping $id 10.0.2.9"
done
lab_capture wire wire br0
lab_check "east negotiates" pluto_whack east --initiate --name road
lab_check "east2 negotiates" pluto_whack east2 --initiate --name road
lab_check "pings of east go through" lab_ping east 10.0.2.9 4
lab_check "pings of east2 go through" lab_ping east2 10.0.2.9 4
lab_check "pings of east still go through" lab_ping east 10.0.2.9 4
lab_check "pings to east" lab_ping whost 10.9.0.5 4
lab_check "pings to east2" lab_ping whost 10.9.0.6 4
nat_only_udp wire 40
lab_ok "the wire shows ESP in UDP alone"
pluto_whack west --status >"$LAB_DIR/status.log" 2>&1
lab_check "west has two instances with one address" [ "$(grep -c '^000 "road\[[0-9]*\]" up: 10.0.2.0/24===192.0.2.2...192.0.2.1' "$LAB_DIR/status.log")" = 2 ]
lab_check "and two ports" [ "$(sed -n 's/.*ISAKMP SA with 192.0.2.1:\([0-9]*\):.*/\1/p' "$LAB_DIR/status.log" | sort -u | wc -l)" = 2 ]

# One goes, the other stays; it comes back.
lab_check "east leaves" pluto_whack east --terminate --name road
lab_check "pings of east2 go on" lab_ping east2 10.0.2.9 4
lab_check "those of east do not" eval '! lab_ping east 10.0.2.9'
lab_check "east comes back" pluto_whack east --initiate --name road
lab_check "pings of east go through again" lab_ping east 10.0.2.9 4
lab_check "and those of east2" lab_ping east2 10.0.2.9 4

# A peer may not have for itself what is somebody else's.
lab_check "east2 poses as a host behind west" pluto_whack east2 --name thief --host 10.9.0.6 --id @thief --client 10.0.2.77/32 --to \
	--host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk --keyingtries 1 --sendinterval 200
lab_check "west would take a thief" pluto_whack west --name thief --host 192.0.2.2 --client 10.0.2.0/24 --to --host %any --id @thief \
	--encrypt --psk
lab_check "but is refused by west" eval '! pluto_whack east2 --initiate --name thief'
lab_check "which says why" grep -q 'the peer has address 10.0.2.77 behind its NAT.*the address is of 10.0.2.0/24' "$LAB_DIR/west.log"
for id in east east2 west; do
	pluto_stop "$id"
done
lab_ok "all end"
lab_end
