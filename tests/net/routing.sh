#!/bin/bash
# Routes and eroutes as klips and the routing table of a gateway have them: sharing, conflicts, the responder's exception, who
# must give way; traps that drop; the default script's set of nftables; nothing is left at the end.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "routes and eroutes" ping tcpdump
pluto_need
for id in east west; do
	pluto_secret "$id" "a secret that both know"
done
lab_gateways
# A third gateway on the wire serves the same client as west: at most one of them can be routed there.
lab_host north
lab_wire north wan 192.0.2.3/24 wire north -
ip -n "$LAB_PREFIX-wire" link set north master br0
ip -n "$LAB_PREFIX-north" addr add 10.0.2.1/24 dev lo
pluto_secret north "a secret that both know"
for id in east west north; do
	pluto_start "$id" "$id"
done

# describe ID NAME EAST-CLIENT PEER PEER-CLIENT [OPTION...]
describe() {
	local id=$1 name=$2 left=$3 peer=$4 right=$5
	shift 5
	pluto_whack "$id" --name "$name" --delete >/dev/null 2>&1
	pluto_whack "$id" --name "$name" --host 192.0.2.1 --client "$left" --to --host "$peer" --client "$right" --encrypt --psk \
		"$@" >"$LAB_DIR/$id.add.log" 2>&1 || lab_fail "pluto $id refuses the connection $name"
}
whack() {	# whack ID WHAT ARGUMENT...: must succeed
	local id=$1 what=$2
	shift 2
	timeout 60 "$WHACK" --ctlbase "$LAB_DIR/$id/pluto" "$@" >"$LAB_DIR/$id.whack.log" 2>&1 || lab_fail "$what: whack ended with $?"
	lab_ok "$what"
}
refused() {	# refused ID NUMBER TEXT WHAT ARGUMENT...
	local id=$1 want=$2 text=$3 what=$4 got
	shift 4
	timeout 60 "$WHACK" --ctlbase "$LAB_DIR/$id/pluto" "$@" >"$LAB_DIR/$id.whack.log" 2>&1
	got=$?
	[ "$got" = "$want" ] || lab_fail "$what: whack ended with $got, expected $want"
	grep -q "$text" "$LAB_DIR/$id.whack.log" || lab_fail "$what: whack does not say '$text'"
	lab_ok "$what: status $want"
}
routes() { ip -n "$LAB_PREFIX-$1" -o route show "$2" | grep -c ipsec; }
routed() { [ "$(routes "$1" "$2")" = 1 ]; }
unrouted() { [ "$(routes "$1" "$2")" = 0 ]; }
state() { pluto_whack "$1" --status --name "$2" 2>&1 | grep -q "$3"; }

describe east west 10.0.1.0/24 192.0.2.2 10.0.2.0/24
describe west west 10.0.1.0/24 192.0.2.2 10.0.2.0/24
describe east half 10.0.1.128/25 192.0.2.2 10.0.2.0/24
describe west half 10.0.1.128/25 192.0.2.2 10.0.2.0/24
describe east north 10.0.1.0/24 192.0.2.3 10.0.2.0/24
describe north north 10.0.1.0/24 192.0.2.3 10.0.2.0/24 --keyingtries 1
for id in east west north; do
	pluto_whack "$id" --listen >"$LAB_DIR/$id.listen.log" 2>&1 || lab_fail "pluto $id does not listen"
done
# In clear, were there no trap, this would reach west.
ip -n "$LAB_PREFIX-east" route add 10.0.0.0/8 via 192.0.2.2
ip -n "$LAB_PREFIX-west" route add 10.0.1.0/24 via 192.0.2.1
lab_check "without a route packets go in clear" lab_ping ehost 10.0.2.9 2
lab_capture clear wire br0 icmp

whack east "route" --route west
lab_check "the client is routed" routed east 10.0.2.0/24
lab_ping ehost 10.0.2.9 2 >/dev/null 2>&1 && lab_fail "a ping passed the trap"
lab_ok "a trap drops"
whack east "route another one to the same client" --route half
whack east "unroute the first" --unroute west
lab_check "the route is shared and stays" routed east 10.0.2.0/24
lab_ping ehost 10.0.2.9 1 >/dev/null 2>&1 && lab_fail "a ping passed without an eroute"
lab_ok "what has no eroute is dropped, too, as long as the route is there"
whack east "route it again" --route west

whack east "route another way, nobody has an SA" --route north
lab_check "both others are unrouted" eval 'state east west "not routed" && state east half "not routed" && state east north "until there is"'
lab_check "one route" routed east 10.0.2.0/24
whack east "initiate: the idle one gives way" --name west --initiate
lab_check "it is unrouted" state east north "not routed"
lab_check "traffic passes" lab_ping ehost 10.0.2.9 2
[ "$(lab_count clear)" = 0 ] || lab_fail "$(lab_count clear) packets went in clear"
lab_ok "nothing went in clear while there was a route"

refused east 26 'has an IPsec SA' "route another way, against an SA" --route north
refused east 26 'has an IPsec SA' "initiate another way, against an SA" --name north --initiate
refused east 26 'uses the route' "unroute what has an SA" --unroute west
lab_check "the traffic still passes" lab_ping ehost 10.0.2.9 2
describe east twin 10.0.1.0/24 192.0.2.2 10.0.2.0/24
whack east "route one with the same clients as an SA" --route twin
refused east 23 'protect the same two clients' "initiate one with the same clients as an SA" --name twin --initiate
lab_check "the traffic still passes" lab_ping ehost 10.0.2.9 2
whack east "unroute it" --unroute twin
lab_check "the traffic still passes" lab_ping ehost 10.0.2.9 2
pluto_whack east --name twin --delete >/dev/null 2>&1

# The peer's negotiation is more current: it may take the route (--onconflict evict), or may not (reject).
describe east north 10.0.1.0/24 192.0.2.3 10.0.2.0/24 --onconflict reject
pluto_whack north --name north --initiate >"$LAB_DIR/north.whack.log" 2>&1 && lab_fail "the peer got its SA in spite of reject"
lab_check "--onconflict reject: the peer is refused" eval 'grep -q "leads to the same client" "$LAB_DIR/east.log"'
lab_check "the traffic still passes" lab_ping ehost 10.0.2.9 2
describe east north 10.0.1.0/24 192.0.2.3 10.0.2.0/24 --onconflict evict
pluto_whack north --name north --delete >/dev/null 2>&1
describe north north 10.0.1.0/24 192.0.2.3 10.0.2.0/24 --keyingtries 1
whack north "--onconflict evict: the peer gets its SA" --name north --initiate
lab_check "the log says whose SAs were deleted" grep -q 'deleting the SAs of "west"' "$LAB_DIR/east.log"
lab_wait 5 "its traffic" state east north "goes through"
lab_check "the other is unrouted" state east west "not routed"
lab_check "one route" routed east 10.0.2.0/24
lab_check "traffic goes the new way" lab_ping ehost 10.0.2.1 2
whack east "terminate" --name north --terminate
lab_ping ehost 10.0.2.9 1 >/dev/null 2>&1 && lab_fail "a ping passed without an SA"
lab_ok "it stays routed, and drops"
[ "$(lab_count clear)" = 0 ] || lab_fail "$(lab_count clear) packets went in clear"
lab_ok "nothing went in clear"
lab_stop clear
whack east "delete" --name north --delete
lab_wait 5 "end of the route" unrouted east 10.0.2.0/24

# The default script's set.
if lab_in east nft add table inet lab 2>/dev/null; then
	lab_in east nft add set inet lab protected '{ type ipv4_addr . ipv4_addr; flags interval; }'
	elements() { lab_in east nft list set inet lab protected | grep -o '10\.0\.[12]\.0/24 \. 10\.0\.[12]\.0/24' | sort | tr '\n' ';'; }
	describe east west 10.0.1.0/24 192.0.2.2 10.0.2.0/24
	pluto_whack east --name west --delete >/dev/null 2>&1
	pluto_whack east --name west --host 192.0.2.1 --client 10.0.1.0/24 \
		--updown "$(realpath "$IPSEC_EXECDIR/_updown") nft inet lab protected" \
		--to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk >/dev/null 2>&1
	whack east "initiate with a set of nftables" --name west --initiate
	[ "$(elements)" = "10.0.1.0/24 . 10.0.2.0/24;10.0.2.0/24 . 10.0.1.0/24;" ] || lab_fail "the set holds $(elements)"
	lab_ok "both directions are in the set"
	whack east "terminate" --name west --terminate
	lab_wait 5 "empty set" eval '[ -z "$(elements)" ]'
	lab_in east nft delete set inet lab protected
	refused east 37 'exit status 1' "initiate without the set" --name west --initiate
	lab_wait 5 "end of the log line" grep -q '_updown: up-client for "west"' "$LAB_DIR/east.log"
	lab_ok "the reason is in the log"
else
	echo "note: no nftables here; the set is not tested"
fi

for id in east west north; do
	pluto_stop "$id"
done
for id in east west north; do
	lab_check "no route is left, $id" eval '! ip -n "$LAB_PREFIX-'$id'" -o route show | grep -v "proto kernel" | grep ipsec'
done
lab_end
