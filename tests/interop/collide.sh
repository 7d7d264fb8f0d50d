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

lab_begin "both ends at once" tcpdump ping
swan_need
swan_kernel || lab_skip "this kernel has no ESP for strongSwan"
libre_need
pluto_need
secret="of no consequence"
pings=${COLLIDE_PINGS:-150}
[ $# -gt 0 ] || set -- pluto strongswan libreswan
lab_gateways
libre_route west 192.0.2.1
lab_capture wire wire br0 ip
pluto_secret east "$secret"
ends='--name net --host 192.0.2.1 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --psk --encrypt'
lives='--ipseclifetime 9 --ikelifetime 16 --rekeymargin 4 --rekeyfuzz 0'

# No SA and no negotiation.
no_sas() { ! pluto_whack "$1" --status --json | grep -q '"serial"'; }

# The same of each peer, in west: start, describe, initiate, terminate, its IPsec SAs, and whether nothing is left.
pluto_peer() {
	case $1 in
	start)
		[ -e "$LAB_DIR/pluto/secrets" ] || pluto_secret pluto "$secret"
		pluto_start pluto west
		pluto_whack pluto --listen
		;;
	# shellcheck disable=SC2086 # the words of one command line
	describe) pluto_whack pluto --delete $ends $lives --ike aes128-sha256-modp2048 --esp aes128-sha256 ;;
	initiate) timeout 60 "$WHACK" --ctlbase "$LAB_DIR/pluto/pluto" --name net --initiate ;;
	terminate) pluto_whack pluto --name net --terminate ;;
	count) pluto_whack pluto --status | grep -c '#[0-9]* IPsec SA' ;;
	gone) no_sas pluto ;;
	end) pluto_stop pluto ;;
	esac
}
strongswan_peer() {
	case $1 in
	start) swan_start strongswan west ;;
	describe)
		: >"$LAB_DIR/strongswan/swanctl/swanctl.conf"
		swan_connection strongswan net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 aes128-sha256-modp2048 aes128-sha256 "$secret" \
			'reauth_time = 12s' 'over_time = 4s' 'rand_time = 0s' 'child rekey_time = 5s' 'child rand_time = 0s' 'child life_time = 9s'
		swan_load strongswan
		;;
	initiate) swan_initiate strongswan net 30 ;;
	terminate) swan_terminate strongswan net ;;
	count) swan_sas strongswan | grep -c 'INSTALLED' ;;
	gone) [ -z "$(swan_sas strongswan)" ] ;;
	end) lab_stop strongswan ;;
	esac
}
libreswan_peer() {
	case $1 in
	start)
		[ -s "$LAB_DIR/libreswan/secrets" ] || libre_secret libreswan "$secret"
		libre_start libreswan west
		;;
	# shellcheck disable=SC2086 # the words of one command line
	describe) libre_connection libreswan $ends --tunnel --ike aes128-sha2_256-modp2048 --esp aes128-sha2_256 --ikelifetime 16 \
		--ipseclifetime 9 --rekeymargin 4 --rekeyfuzz 0 ;;
	initiate) libre_initiate libreswan net 60 ;;
	terminate) libre_terminate libreswan net ;;
	count) libre_whack libreswan --showstates | grep -c 'IPsec SA established' ;;
	gone) ! libre_whack libreswan --showstates | grep -q '#' ;;
	end) lab_stop libreswan ;;
	esac
}

describe() {
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack east --delete $ends $lives --ike aes128-sha256-modp2048 --esp aes128-sha256 && "$peer" describe
}
nothing_left() { no_sas east && "$peer" gone; }
our_count() { pluto_whack east --status | grep -c '#[0-9]* IPsec SA'; }

both_begin() {
	local first
	pluto_whack east --name net --initiate >"$LAB_DIR/east.initiate.log" 2>&1 &
	first=$!
	"$peer" initiate >"$LAB_DIR/peer.initiate.log" 2>&1
	wait "$first" || { cat "$LAB_DIR/east.initiate.log"; return 1; }
}

# Counts are taken while the ping runs.
under_ping() {
	local pid most=0 theirs=0 n
	lab_wait 5 "first answer ($1)" lab_ping ehost 10.0.2.9 1
	lab_in ehost ping -n -q -c "$pings" -i 0.1 -W 3 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		n=$(our_count)
		[ "$n" -le "$most" ] || most=$n
		n=$("$peer" count)
		[ "$n" -le "$theirs" ] || theirs=$n
		sleep 0.5
	done
	sed -n '/transmitted/p' "$LAB_DIR/ping.log"
	lab_check "$1: not one of the packets was lost" grep -q "$pings received, 0% packet loss" "$LAB_DIR/ping.log"
	lab_check "$1: few IPsec SAs at any time ($most here, $theirs there)" [ "$most" -le 4 -a "$theirs" -le 6 ]
}
established() { grep -c 'IPsec SA established' "$LAB_DIR/east.log"; }

# libreswan begins anew what it has begun itself, whoever deletes it, until it is told otherwise; in the middle of a negotiation
# pluto would not learn of that at once.
pluto_deletes() {	# NAME [begun-by-it]
	lab_check "$1: pluto deletes" pluto_whack east --name net --terminate
	if [ "$1" = libreswan ]; then
		[ -z "${2:-}" ] || lab_wait 10 "answer (libreswan begins anew)" lab_ping ehost 10.0.2.9 1
		lab_check "$1: it is told to stay down" "$peer" terminate
	fi
	lab_wait 20 "end of the SAs at both ($1, pluto deletes)" nothing_left
	lab_ok "$1: nothing is left at either end"
}

with_peer() {	# NAME
	local before
	peer=$1_peer
	"$peer" start >"$LAB_DIR/$1.start.log" 2>&1 || lab_fail "$1 does not start"
	lab_check "$1: described at both ends" describe
	lab_check "$1: both ends begin at once" both_begin
	before=$(established)
	under_ping "$1"
	lab_check "$1: IPsec SAs were replaced ($(($(established) - before)) times)" [ $(($(established) - before)) -ge 2 ]
	pluto_deletes "$1" begun-by-it
	lab_check "$1: both ends begin at once again" both_begin
	lab_wait 5 "answer ($1)" lab_ping ehost 10.0.2.9 1
	lab_check "$1: the peer deletes" "$peer" terminate
	lab_wait 20 "end of the SAs at both ($1, the peer deletes)" nothing_left
	lab_ok "$1: nothing is left at either end"
	comes_back "$1"
	"$peer" end >"$LAB_DIR/$1.end.log" 2>&1
}

comes_back() {	# NAME
	lab_check "$1: pluto begins" pluto_whack east --name net --initiate
	lab_wait 5 "answer ($1)" lab_ping ehost 10.0.2.9 1
	lab_stop "$1" KILL
	lab_in west ip xfrm state flush
	lab_in west ip xfrm policy flush
	rm -f "$LAB_DIR/$1/pluto.ctl" "$LAB_DIR/$1/pluto.pid"
	"$peer" start >"$LAB_DIR/$1.start.log" 2>&1
	lab_check "$1: killed, and described again" "$peer" describe
	lab_check "$1: it comes back and begins" "$peer" initiate
	lab_wait 5 "answer ($1 has come back)" lab_ping ehost 10.0.2.9 1
	lab_stop east KILL
	pluto_start east east
	lab_check "$1: pluto is killed, and described again" describe
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
