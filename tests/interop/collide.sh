#!/bin/bash
# Both ends do the same at the same time, with a peer of each kind under a ping: begin (two ISAKMP SAs, two pairs of IPsec SAs),
# then replace them again and again, their lifetimes being equal and without fuzz. No packet may be lost, few SAs may be there at any
# time, none at the end, whichever end deletes. Then each end is killed and comes back. Needs a kernel with ESP for the peers:
# tests/vm/collide.sh brings one.
#   collide.sh [PEER...]            pluto, strongswan, libreswan; without any: all
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/strongswan.sh"
. "$here/libreswan.sh"
. "$here/peer.sh"

lab_begin "both ends at once" tcpdump ping
swan_need
swan_kernel || lab_skip "this kernel has no ESP for strongSwan"
libre_need
pluto_need
pings=${COLLIDE_PINGS:-150}
[ $# -gt 0 ] || set -- pluto strongswan libreswan
lab_gateways
libre_route west 192.0.2.1
lab_capture wire wire br0 ip
pluto_secret east "$PEER_SECRET"
PEER_LIFE=9 PEER_IKE_LIFE=16 PEER_MARGIN=4

both_begin() {
	local first
	pluto_whack east --name net --initiate >"$LAB_DIR/east.initiate.log" 2>&1 &
	first=$!
	peer initiate >"$LAB_DIR/peer.initiate.log" 2>&1
	wait "$first" || { cat "$LAB_DIR/east.initiate.log"; return 1; }
}

# Counts are taken while the ping runs.
under_ping() {
	local pid most=0 theirs=0 n
	lab_wait 5 "first answer ($1)" lab_ping ehost 10.0.2.9 1
	lab_in ehost ping -n -q -c "$pings" -i 0.1 -W 3 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		n=$(peer_our_count)
		[ "$n" -le "$most" ] || most=$n
		n=$(peer count)
		[ "$n" -le "$theirs" ] || theirs=$n
		sleep 0.5
	done
	sed -n '/transmitted/p' "$LAB_DIR/ping.log"
	lab_check "$1: not one of the packets was lost" grep -q "$pings received, 0% packet loss" "$LAB_DIR/ping.log"
	lab_check "$1: few IPsec SAs at any time ($most here, $theirs there)" [ "$most" -le 4 -a "$theirs" -le 6 ]
}
established() { grep -c 'IPsec SA established' "$LAB_DIR/east.log"; }

# libreswan begins anew what it has begun itself, whoever deletes it, until it is told otherwise; in the middle of a negotiation
# pluto would not learn of that at once, so it is left a while to finish. Where the last SAs were begun by pluto it stays down.
begins_anew() {
	local end=$((SECONDS + 10))
	until lab_ping ehost 10.0.2.9 1 >/dev/null || [ $SECONDS -ge $end ]; do sleep 0.2; done
}
pluto_deletes() {	# NAME [begun-by-it]
	lab_check "$1: pluto deletes" pluto_whack east --name net --terminate
	if [ "$1" = libreswan ]; then
		[ -z "${2:-}" ] || begins_anew
		lab_check "$1: it is told to stay down" peer terminate
	fi
	lab_wait 20 "end of the SAs at both ($1, pluto deletes)" peer_nothing_left
	lab_ok "$1: nothing is left at either end"
}

with_peer() {	# NAME
	local before
	PEER=$1
	peer start >"$LAB_DIR/$1.start.log" 2>&1 || lab_fail "$1 does not start"
	lab_check "$1: described at both ends" peer_describe
	lab_check "$1: both ends begin at once" both_begin
	before=$(established)
	under_ping "$1"
	lab_check "$1: IPsec SAs were replaced ($(($(established) - before)) times)" [ $(($(established) - before)) -ge 2 ]
	pluto_deletes "$1" begun-by-it
	lab_check "$1: both ends begin at once again" both_begin
	lab_wait 5 "answer ($1)" lab_ping ehost 10.0.2.9 1
	lab_check "$1: the peer deletes" peer terminate
	lab_wait 20 "end of the SAs at both ($1, the peer deletes)" peer_nothing_left
	lab_ok "$1: nothing is left at either end"
	comes_back "$1"
	peer end >"$LAB_DIR/$1.end.log" 2>&1
}

comes_back() {	# NAME
	lab_check "$1: pluto begins" pluto_whack east --name net --initiate
	lab_wait 5 "answer ($1)" lab_ping ehost 10.0.2.9 1
	lab_stop "$1" KILL
	lab_in west ip xfrm state flush
	lab_in west ip xfrm policy flush
	rm -f "$LAB_DIR/$1/pluto.ctl" "$LAB_DIR/$1/pluto.pid"
	peer start >"$LAB_DIR/$1.start.log" 2>&1
	lab_check "$1: killed, and described again" peer describe
	lab_check "$1: it comes back and begins" peer initiate
	lab_wait 5 "answer ($1 has come back)" lab_ping ehost 10.0.2.9 1
	lab_stop east KILL
	pluto_start east east
	lab_check "$1: pluto is killed, and described again" peer_describe
	lab_check "$1: it listens" pluto_whack east --listen
	lab_check "$1: it comes back and begins" pluto_whack east --name net --initiate
	lab_wait 5 "answer ($1, pluto has come back)" lab_ping ehost 10.0.2.9 1
	pluto_deletes "$1"
}

pluto_start east east
lab_check "pluto listens" pluto_whack east --listen
for name; do
	with_peer "$name"
done
lab_check "nothing passed in clear" [ "$(lab_count wire 'icmp[0] = 8 or icmp[0] = 0')" = 0 ]
pluto_stop east
lab_ok "pluto ends"
lab_end
