#!/bin/bash
# Two plutos and IPv6: hosts and clients of either family, transport mode, AH, IPComp, routes and traps, Road Warriors, what is
# refused. A ping fails before there is an SA, and the wire carries ESP and AH alone.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

LAB_IPV6=1
lab_begin "pluto and IPv6" tcpdump ping python3
pluto_need
(umask 077
mkdir -p "$LAB_DIR/east" "$LAB_DIR/west"
cat >"$LAB_DIR/east/secrets" <<'END'
2001:db8::1 2001:db8::2 : PSK "between the two hosts"
192.0.2.1 192.0.2.2 : PSK "of the older family"
fd00:9::1 fd00:9::2 : PSK "of a site"
END
cp "$LAB_DIR/east/secrets" "$LAB_DIR/west/secrets")
lab_gateways
lab_address east wan fd00:9::1/64
lab_address west wan fd00:9::2/64
pluto_ends --attach ipsec0=wan
lab_check "it listens on every address but those of a link" eval '
	grep -q "listening on wan/ipsec0 2001:db8::1, UDP port 500" "$LAB_DIR/east.listen.log" &&
	grep -q "fd00:9::1" "$LAB_DIR/east.listen.log" && ! grep -q "fe80" "$LAB_DIR/east.listen.log"'

both() {	# both NAME EAST WEST [OPTION...]: ends as words, options for the whole
	local name=$1 east=$2 west=$3 id
	shift 3
	for id in east west; do
		# shellcheck disable=SC2086 # words
		pluto_whack "$id" --name "$name" $east --to $west "$@" >"$LAB_DIR/$id.add.log" 2>&1 || lab_fail "pluto $id refuses $name"
	done
}
drop() {
	local id
	for id in east west; do
		pluto_whack "$id" --delete "$1" >"$LAB_DIR/$id.delete.log" 2>&1 || lab_fail "$id does not delete $1"
	done
}
# try TITLE FILTER FROM TO EAST WEST [OPTION...]: no answer without an SA, answers with one, and FILTER alone on the wire.
tries=0
try() {
	local title=$1 filter=$2 from=$3 to=$4 east=$5 west=$6 wire=wire$((tries++))
	shift 6
	both net "$east" "$west" --psk "$@"
	pluto_whack east --route net >"$LAB_DIR/route.log" 2>&1 || lab_fail "$title: not routed"
	pluto_whack west --route net >"$LAB_DIR/route.log" 2>&1 || lab_fail "$title: not routed by west"
	lab_capture "$wire" wire br0
	lab_ping "$from" "$to" 1 >/dev/null 2>&1 && lab_fail "$title: an answer before there is an SA"
	pluto_whack east --initiate net >"$LAB_DIR/initiate.log" 2>&1 || lab_fail "$title: not negotiated"
	lab_ping "$from" "$to" 3 >/dev/null || lab_fail "$title: no answer"
	pluto_whack east --status net >"$LAB_DIR/status.log"
	lab_wait 10 "packets on the wire, $title" wire_has "$wire" "$filter" 6
	lab_stop "$wire" INT
	[ "$(lab_count "$wire" "not $LAB_CHATTER and not (udp port 500) and not ($filter)")" = 0 ] ||
		lab_fail "$title: something else on the wire"
	drop net
	lab_ok "$title"
}
wire_has() { [ "$(lab_count "$1" "$2")" -ge "$3" ]; }

E6='--host 2001:db8::1' W6='--host 2001:db8::2' E4='--host 192.0.2.1' W4='--host 192.0.2.2'
EC6='--client 2001:db8:1::/64' WC6='--client 2001:db8:2::/64' EC4='--client 10.0.1.0/24' WC4='--client 10.0.2.0/24'
try "IPv6 clients between IPv6 hosts" 'ip6 proto 50' ehost 2001:db8:2::9 "$E6 $EC6" "$W6 $WC6" --encrypt
grep -q '^000 "net" up: 2001:db8:1::/64===2001:db8::1\.\.\.2001:db8::2===2001:db8:2::/64$' "$LAB_DIR/status.log" ||
	lab_fail "the status does not show the connection as it was described"
lab_ok "the status shows it"
try "IPv6 clients between IPv4 hosts" 'ip proto 50' ehost 2001:db8:2::9 "$E4 $EC6" "$W4 $WC6" --encrypt
try "IPv4 clients between IPv6 hosts" 'ip6 proto 50' ehost 10.0.2.9 "$E6 $EC4" "$W6 $WC4" --encrypt
try "unique local addresses" 'ip6 proto 50' ehost 2001:db8:2::9 "--host fd00:9::1 $EC6" "--host fd00:9::2 $WC6" --encrypt
try "AH in tunnel mode" 'ip6 proto 51' ehost 2001:db8:2::9 "$E6 $EC6" "$W6 $WC6" --authenticate --ah sha2_256
try "AH around ESP" 'ip6 proto 51' ehost 2001:db8:2::9 "$E6 $EC6" "$W6 $WC6" --encrypt --authenticate
try "IPComp" 'ip6 proto 50' ehost 2001:db8:2::9 "$E6 $EC6" "$W6 $WC6" --encrypt --compress
try "a client that is everything" 'ip6 proto 50' ehost 2001:db8:2::9 "$E6 $EC6" "$W6 --client ::/0" --encrypt
try "a host and a client" 'ip6 proto 50' east 2001:db8:2::9 "$E6" "$W6 $WC6" --encrypt
try "host to host, transport mode" 'ip6 proto 50' east 2001:db8::2 "$E6" "$W6" --encrypt
grep -q 'transport' "$LAB_DIR/status.log" || lab_fail "it is not transport mode"
try "host to host, tunnel mode" 'ip6 proto 50' east 2001:db8::2 "$E6" "$W6" --encrypt --tunnel
try "host to host, AH" 'ip6 proto 51' east 2001:db8::2 "$E6" "$W6" --authenticate
# Clients of both families in one connection: each pairs with its own.
both net "$E6 $EC6 $EC4" "$W6 $WC4 $WC6" --psk --encrypt
lab_check "clients of both families are negotiated together" pluto_whack east --initiate net
lab_check "IPv4 is answered" lab_ping ehost 10.0.2.9 2
lab_check "IPv6 is answered" lab_ping ehost 2001:db8:2::9 2
drop net
# The default script's set of nftables, of the other type.
if lab_in east nft add table inet lab 2>/dev/null; then
	lab_in east nft add set inet lab protected '{ type ipv6_addr . ipv6_addr; flags interval; }'
	elements() { lab_in east nft list set inet lab protected | grep -o '2001:db8:[12]::/64 \. 2001:db8:[12]::/64' | sort | tr '\n' ';'; }
	pluto_whack east --name net $E6 $EC6 --updown "$(realpath "$IPSEC_EXECDIR/_updown") nft inet lab protected" --to $W6 $WC6 \
		--encrypt --psk >"$LAB_DIR/east.add.log" 2>&1
	pluto_whack west --name net $E6 $EC6 --to $W6 $WC6 --encrypt --psk >"$LAB_DIR/west.add.log" 2>&1
	lab_check "with a set of nftables" pluto_whack east --initiate net
	[ "$(elements)" = "2001:db8:1::/64 . 2001:db8:2::/64;2001:db8:2::/64 . 2001:db8:1::/64;" ] || lab_fail "the set holds $(elements)"
	lab_ok "both directions are in the set"
	drop net
	lab_wait 5 "empty set" eval '[ -z "$(elements)" ]'
else
	echo "note: no nftables here; the set is not tested"
fi

# A name with addresses of both families: the other end tells which is meant.
printf '192.0.2.2 gw.example\n2001:db8::2 gw.example\n' >"$LAB_DIR/hosts"
with_names() { unshare -m sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$LAB_DIR/hosts" "$WHACK" --ctlbase "$LAB_DIR/east/pluto" "$@"; }
lab_check "a name is taken for its address of IPv6 beside one" eval 'with_names --name named $E6 --to --host gw.example --encrypt --psk &&
	pluto_whack east --status named | grep -q "2001:db8::1\.\.\.2001:db8::2"'
lab_check "and for that of IPv4 beside one" eval 'with_names --delete --name named $E4 --to --host gw.example --encrypt --psk &&
	pluto_whack east --status named | grep -q "192\.0\.2\.1\.\.\.192\.0\.2\.2" && pluto_whack east --delete named'

# A gateway is often known by its address of the link.
lab_check "a gateway of the link is taken" eval 'pluto_whack east --name far $E6 --nexthop fe80::1 $EC6 --to --host 2001:db8:77::2 $WC6 --encrypt --psk &&
	pluto_whack east --status far --json | grep -q "\"nexthop\": *\"fe80::1\"" && pluto_whack east --delete far'
lab_check "no route is left" eval '! ip -6 -n "$LAB_PREFIX-east" route show dev ipsec0 | grep -v "^2001:db8::1 \|^fd00:9::1 \|^fe80"'

# ---- who comes from anywhere: the secret is for whoever it is
echo '2001:db8:0::2 %any6 : PSK "between the two hosts"' >"$LAB_DIR/west/secrets"
pluto_whack west --listen >"$LAB_DIR/west.listen.log" 2>&1
pluto_whack west --name road $W6 $WC6 --to --host %any6 --encrypt --psk >"$LAB_DIR/road.log" 2>&1 || lab_fail "west refuses %any6"
pluto_whack east --name road $E6 --to $W6 $WC6 --encrypt --psk >"$LAB_DIR/road.log" 2>&1 || lab_fail "east refuses the office"
pluto_whack west --status road | grep -q '2001:db8::2\.\.\.%any6' || lab_fail "the status does not show %any6"
lab_check "a Road Warrior negotiates" pluto_whack east --initiate road
lab_check "and is answered" lab_ping east 2001:db8:2::9 3
lab_check "by an instance" eval 'pluto_whack west --status | grep -q "\"road\[1\]\""'
lab_check "with a route of its own" eval 'ip -6 -n "$LAB_PREFIX-west" route | grep -q "^2001:db8::1 dev ipsec0"'
drop road
pluto_whack west --name road $W6 $WC6 --to --host %any --encrypt --psk >"$LAB_DIR/road.log" 2>&1 || lab_fail "west refuses %any for a host of IPv6"
pluto_whack east --name road $E6 --to $W6 $WC6 --encrypt --psk >"$LAB_DIR/road.log" 2>&1
lab_check "%any takes one of IPv6 too" pluto_whack east --initiate road
drop road

# ---- what cannot be
refused() {	# refused TEXT WORDS...
	local text=$1
	shift
	pluto_whack east --name wrong "$@" --encrypt --psk >"$LAB_DIR/refused.log" 2>&1 && lab_fail "taken: $*"
	grep -q -- "$text" "$LAB_DIR/refused.log" || { cat "$LAB_DIR/refused.log"; lab_fail "no word of: $text"; }
	lab_ok "refused: $text"
}
refused 'mixes IPv4 and IPv6 between its two hosts: 2001:db8::1 and 192.0.2.2' $E6 --to $W4
refused 'mixes IPv4 and IPv6 between its two clients: 2001:db8:1::/64 and 10.0.2.0/24' $E6 $EC6 --to $W6 $WC4
refused 'mixes IPv4 and IPv6 between its two clients: 2001:db8:1::/64 and 192.0.2.2' $E4 $EC6 --to $W4
refused '10.0.2.0/24 of the right end pairs with nothing at the other end' $E6 $EC6 --to $W6 $WC6 $WC4
refused '--host fe80::2 is a link-local address' $E6 --to --host fe80::2
refused 'an address with a link (%) is not taken' $E6 --to --host fe80::2%wan

# ---- nobody there: ICMPv6 tells
both dead "$E6" '--host 2001:db8::77' --encrypt --psk
echo '2001:db8::1 2001:db8::77 : PSK "nobody"' >>"$LAB_DIR/east/secrets"
pluto_whack east --listen >"$LAB_DIR/east.listen.log" 2>&1
pluto_stop west
lab_address west wan 2001:db8::77/64
lab_check "it is tried all the same" pluto_whack east --initiate --asynchronous dead
lab_wait 20 "word of an ICMPv6 error" grep -q 'ICMPv6 type 1 code 4 from 2001:db8::77' "$LAB_DIR/east.log"
lab_ok "an ICMPv6 error is told"
pluto_stop east
lab_end
