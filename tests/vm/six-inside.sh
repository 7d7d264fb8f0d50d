#!/bin/bash
# Run by six.sh on a kernel with IPsec. Two plutos with --kernel xfrm and IPv6: hosts and clients of either family, traps, routes,
# neighbour discovery beside the SA of two hosts. Then strongSwan as a peer over IPv6, of pluto with xfrm and with klips.
here=$(cd "$(dirname "$0")" && pwd)
PLUTO_KERNEL=xfrm
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/../interop/strongswan.sh"

LAB_IPV6=1
lab_begin "IPv6 with the kernel's IPsec" tcpdump ping
pluto_need
swan_kernel || lab_skip "this kernel has no ESP: run tests/vm/six.sh"
secret="of no consequence"
pluto_secret east "$secret"
pluto_secret west "$secret"
lab_gateways
pluto_ends
lab_check "it listens on IPv6" grep -q 'listening on wan 2001:db8::1, UDP port 500' "$LAB_DIR/east.listen.log"

E6='--host 2001:db8::1' W6='--host 2001:db8::2' E4='--host 192.0.2.1' W4='--host 192.0.2.2'
EC6='--client 2001:db8:1::/64' WC6='--client 2001:db8:2::/64' EC4='--client 10.0.1.0/24' WC4='--client 10.0.2.0/24'
plutos='east west'
both() {
	local east=$1 west=$2 id
	shift 2
	for id in $plutos; do
		# shellcheck disable=SC2086 # words
		pluto_whack "$id" --delete --name net $east --to $west --psk "$@" >"$LAB_DIR/$id.add.log" 2>&1 || lab_fail "pluto $id refuses it"
	done
}
drop() {
	local id
	for id in $plutos; do
		pluto_whack "$id" --delete net >"$LAB_DIR/$id.delete.log" 2>&1
	done
}
wires=0
watch() { wire=wire$((wires++)); lab_capture "$wire" wire br0; }
# only TITLE FILTER: nothing but IKE and what FILTER says has been on the wire, and at least six of it.
wire_has() { [ "$(lab_count "$wire" "$1")" -ge 6 ]; }
only() {
	lab_wait 10 "packets on the wire, $1" wire_has "$2"
	lab_stop "$wire" INT
	[ "$(lab_count "$wire" "not $LAB_CHATTER and not (udp port 500) and not ($2)")" = 0 ] || lab_fail "$1: something else on the wire"
}
# try TITLE FILTER FROM TO EAST WEST [OPTION...]
try() {
	local title=$1 filter=$2 from=$3 to=$4
	shift 4
	both "$@"
	pluto_whack east --route net >"$LAB_DIR/route.log" 2>&1 || lab_fail "$title: not routed"
	pluto_whack west --route net >"$LAB_DIR/route.log" 2>&1 || lab_fail "$title: not routed by west"
	watch
	lab_ping "$from" "$to" 1 >/dev/null 2>&1 && lab_fail "$title: an answer before there is an SA"
	timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --initiate net >"$LAB_DIR/initiate.log" 2>&1 || lab_fail "$title: not negotiated"
	lab_wait 20 "answer, $title" lab_ping "$from" "$to" 3
	only "$title" "$filter"
	drop
	lab_ok "$title"
}

try "IPv6 clients between IPv6 hosts" 'ip6 proto 50' ehost 2001:db8:2::9 "$E6 $EC6" "$W6 $WC6" --encrypt
try "IPv6 clients between IPv4 hosts" 'ip proto 50' ehost 2001:db8:2::9 "$E4 $EC6" "$W4 $WC6" --encrypt
try "IPv4 clients between IPv6 hosts" 'ip6 proto 50' ehost 10.0.2.9 "$E6 $EC4" "$W6 $WC4" --encrypt
try "AH in tunnel mode" 'ip6 proto 51' ehost 2001:db8:2::9 "$E6 $EC6" "$W6 $WC6" --authenticate --ah sha2_256
try "AH around ESP" 'ip6 proto 51' ehost 2001:db8:2::9 "$E6 $EC6" "$W6 $WC6" --encrypt --authenticate
try "host to host, transport mode" 'ip6 proto 50' east 2001:db8::2 "$E6" "$W6" --encrypt

# Linux carries one family in the other by one SA, not by a bundle.
for more in --compress --authenticate; do
	# shellcheck disable=SC2086 # words
	pluto_whack east --delete --name net $E6 $EC4 --to $W6 $WC4 --psk --encrypt $more >"$LAB_DIR/mixed.log" 2>&1
	lab_check "IPv4 clients between IPv6 hosts with $more: status 43" [ $? = 43 ]
	lab_check "for a reason" grep -q 'the backend xfrm carries such packets by one SA alone' "$LAB_DIR/mixed.log"
done

# Two hosts on one link, both with a trap for the other: were neighbour discovery to wait for an SA, IKE could not begin. And
# again with an SA, when neither knows the other's place any more.
both "$E6" "$W6" --encrypt
for id in east west; do
	pluto_whack "$id" --route net >"$LAB_DIR/route.log" 2>&1 || lab_fail "not routed by $id"
done
for id in east west; do
	lab_in $id ip -6 neigh flush dev wan
done
lab_check "neighbours find each other beside the traps" timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --initiate net
for id in east west; do
	lab_in $id ip -6 neigh flush dev wan
done
lab_wait 20 "answer after the neighbours are forgotten" lab_ping east 2001:db8::2 2
lab_ok "neighbours find each other beside the SA"
drop
lab_check "no policy and no route is left" eval '[ "$(lab_in east ip xfrm policy | grep -c "dst 2001")" = 0 ] &&
	! lab_in east ip -6 route | grep -q "proto 80"'

# ---- strongSwan
pluto_stop west
lab_check "neighbour discovery needs nothing of pluto any more" eval '[ -z "$(lab_in west ip xfrm policy | grep icmp)" ]'
plutos=east
swan_start west west
# peer TITLE FILTER FROM TO HOST-E NET-E HOST-W NET-W ESP [LINE...]: pluto begins, then strongSwan.
peer() {
	local title=$1 filter=$2 from=$3 to=$4 he=$5 ne=$6 hw=$7 nw=$8 esp=$9
	shift 9
	: >"$LAB_DIR/west/swanctl/swanctl.conf"
	swan_connection west net "$hw" "$nw" "$he" "$ne" aes128-sha256-modp2048 "$esp" "$secret" "$@"
	swan_load west
	local -a ends=(--host "$he" --client "$ne" --to --host "$hw" --client "$nw")
	[ "$ne" != "$he" ] || ends=(--host "$he" --to --host "$hw")
	# shellcheck disable=SC2086 # words
	pluto_whack east --delete --name net "${ends[@]}" --psk --ike aes128-sha256-modp2048 $how >"$LAB_DIR/east.add.log" 2>&1 ||
		lab_fail "$title: refused"
	watch
	timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --initiate net >"$LAB_DIR/initiate.log" 2>&1 || lab_fail "$title: pluto cannot begin"
	lab_wait 20 "answer, $title" lab_ping "$from" "$to" 3
	only "$title" "$filter"
	pluto_whack east --terminate net >"$LAB_DIR/terminate.log" 2>&1
	lab_wait 20 "end at strongSwan, $title" eval '! swan_has west ESTABLISHED'
	lab_check "$title: strongSwan begins" swan_initiate west net 30
	lab_wait 20 "answer, $title" lab_ping "$from" "$to" 3
	swan_terminate west net
	pluto_whack east --delete net >"$LAB_DIR/delete.log" 2>&1
	lab_ok "$title"
}
against() {
	how='--encrypt --esp aes128-sha256'
	peer "strongSwan and $1, 6in6" 'ip6 proto 50' ehost 2001:db8:2::9 2001:db8::1 2001:db8:1::/64 2001:db8::2 2001:db8:2::/64 aes128-sha256
	peer "strongSwan and $1, 6in4" 'ip proto 50' ehost 2001:db8:2::9 192.0.2.1 2001:db8:1::/64 192.0.2.2 2001:db8:2::/64 aes128-sha256
	peer "strongSwan and $1, 4in6" 'ip6 proto 50' ehost 10.0.2.9 2001:db8::1 10.0.1.0/24 2001:db8::2 10.0.2.0/24 aes128-sha256
	how='--encrypt --esp aes256gcm16'
	peer "strongSwan and $1, transport mode" 'ip6 proto 50' east 2001:db8::2 2001:db8::1 2001:db8::1 2001:db8::2 2001:db8::2 aes256gcm16 \
		'child mode = transport'
	how='--authenticate --ah sha2_256'
	peer "strongSwan and $1, AH" 'ip6 proto 51' ehost 2001:db8:2::9 2001:db8::1 2001:db8:1::/64 2001:db8::2 2001:db8:2::/64 default \
		'child ah_proposals = sha256'
	peer "strongSwan and $1, AH in transport mode" 'ip6 proto 51' east 2001:db8::2 2001:db8::1 2001:db8::1 2001:db8::2 2001:db8::2 default \
		'child ah_proposals = sha256' 'child mode = transport'
	how='--authenticate --ah sha2_256'
	peer "strongSwan and $1, AH over IPv4" 'ip proto 51' ehost 10.0.2.9 192.0.2.1 10.0.1.0/24 192.0.2.2 10.0.2.0/24 default \
		'child ah_proposals = sha256'
}
against xfrm
pluto_stop east
PLUTO_KERNEL=klips
pluto_start east east --attach ipsec0=wan
pluto_whack east --listen >"$LAB_DIR/east.listen.log" 2>&1 || lab_fail "pluto with klips does not listen"
against klips
lab_end
