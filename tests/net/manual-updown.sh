#!/bin/bash
# When the updown command is run, and with what, during the life of a connection; and what its failure does.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "the updown command" ping
pluto_need
pluto_secret east "of no consequence"
pluto_secret west "of no consequence"
pluto_gateways
chmod 755 "$LAB_DIR"
cat >"$LAB_DIR/updown" <<'END'
#!/bin/sh
# updown LOG [VERB]: notes what it is asked; fails for VERB.
{ printf '%s' "$PLUTO_VERB"; for v in VERSION CONNECTION NEXT_HOP INTERFACE ME MY_CLIENT MY_CLIENT_NET MY_CLIENT_MASK PEER PEER_CLIENT \
	PEER_CLIENT_NET PEER_CLIENT_MASK; do eval "printf ' %s' \"\$PLUTO_$v\""; done; echo; } >>"$1"
echo "said by updown: $PLUTO_VERB"
[ "$PLUTO_VERB" != "$2" ] || exit 3
exec "$IPSEC_UPDOWN"
END
sed -i "s|\"\$IPSEC_UPDOWN\"|'$IPSEC_EXECDIR/_updown'|" "$LAB_DIR/updown"
chmod 755 "$LAB_DIR/updown"
told=$LAB_DIR/told
: >"$told"
chmod 666 "$told"
verbs() { awk '{ printf "%s ", $1 }' "$told"; }
# are TEXT VERB...: these were run, in this order, since the last call.
are() {
	local text=$1 wanted=${2:+${*:2} } i
	[ -n "$wanted" ] || sleep 0.3
	for ((i = 0; i < 30; i++)); do
		[ "$(verbs)" = "$wanted" ] && break
		sleep 0.1
	done
	[ "$(verbs)" = "$wanted" ] || lab_fail "$text: $(verbs)"
	lab_ok "$text"
	: >"$told"
}
whack() { pluto_whack east "$@" >"$LAB_DIR/command.log" 2>&1; }
describe() { # NAME UPDOWN ENDS...
	local name=$1 updown=$2
	shift 2
	whack --delete --name "$name" --updown "$updown" "$@" || lab_fail "whack --name $name"
}
client="--host 192.0.2.1 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk"
# shellcheck disable=SC2086 # the words of one command line
describe secret "$LAB_DIR/updown $told" $client
whack --initiate secret || lab_fail "not negotiated"
lab_check "pings go through" lab_ping ehost 10.0.2.9 1
head -n 1 "$told" >"$LAB_DIR/first"
are "up: prepare, route, then up when the eroute is added" prepare-client route-client up-client
lab_check "the environment is that of the manual" grep -qx \
	'prepare-client 1.0 secret 192.0.2.2 ipsec[01] 192.0.2.1 10.0.1.0/24 10.0.1.0 255.255.255.0 192.0.2.2 10.0.2.0/24 10.0.2.0 255.255.255.0' \
	"$LAB_DIR/first"
lab_check "its output is logged" grep -q 'said by updown: up-client' "$LAB_DIR/east.log"
whack --initiate secret || lab_fail "not negotiated again"
are "an eroute that is replaced is not run up again"
whack --terminate secret
are "terminate: down, and the route stays" down-client
whack --initiate secret || lab_fail "not negotiated once more"
are "on a route that is there: up alone" up-client
whack --terminate secret
are "down" down-client
whack --unroute secret || lab_fail "not unrouted"
are "unroute" unroute-client
# shellcheck disable=SC2086
describe twin "$LAB_DIR/updown $told" ${client/10.0.1.0/10.0.77.0}
whack --route secret && whack --route twin || lab_fail "not routed"
are "a second connection to the same client: the route is there already" prepare-client route-client
whack --unroute secret
are "the route is left for the other one"
whack --delete twin
are "and goes with the last one" unroute-client

describe host "$LAB_DIR/updown $told" --host 192.0.2.1 --to --host 192.0.2.2 --encrypt --psk
whack --route host || lab_fail "not routed"
head -n 1 "$told" >"$LAB_DIR/first"
are "without clients the verbs are those of a host" prepare-host route-host
lab_check "and the hosts are the clients, with the mask 255.255.255.255" grep -qx \
	'prepare-host 1.0 host 192.0.2.2 ipsec[01] 192.0.2.1 192.0.2.1/32 192.0.2.1 255.255.255.255 192.0.2.2 192.0.2.2/32 192.0.2.2 255.255.255.255' \
	"$LAB_DIR/first"
lab_check "west knows the hosts, too" pluto_whack west --name host --host 192.0.2.1 --to --host 192.0.2.2 --encrypt --psk
: >"$told"
whack --initiate host || lab_fail "not negotiated between hosts"
are "an SA between the hosts: up" up-host
whack --terminate host
are "and down" down-host
whack --delete host
are "deleted" unroute-host

# shellcheck disable=SC2086
describe secret "$LAB_DIR/updown $told route-client" $client
whack --route secret
lab_check "a command that fails makes the route fail: status 37" [ $? = 37 ]
lab_check "and whack is told" grep -q '^037 .*exit status 3' "$LAB_DIR/command.log"
lab_check "the connection is not routed" eval 'pluto_whack east --status --brief | grep -q "^000 down *.secret"'
: >"$told"
whack --initiate secret
lab_check "nor can it be negotiated" [ $? != 0 ]
lab_check "no IPsec SA is left" eval '! pluto_whack east --status | grep -q "[0-9] IPsec SA under"'
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
