#!/bin/bash
# Routes, eroutes, terminate, delete, shutdown, listen and the interfaces, as the manual has them.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "routes of connections" tcpdump ping
pluto_need
pluto_secret east "of no consequence"
pluto_secret west "of no consequence"
lab_gateways
# Without pluto the clients reach each other in clear.
lab_route east 10.0.0.0/8 via 192.0.2.2
lab_route west 10.0.0.0/8 via 192.0.2.1
for id in east west; do
	pluto_start "$id" "$id"
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack "$id" $PLUTO_SECRET >"$LAB_DIR/$id.add.log" 2>&1 || lab_fail "pluto $id refuses the connection"
	pluto_whack "$id" --listen >"$LAB_DIR/$id.listen.log" 2>&1 || lab_fail "pluto $id does not listen"
done
lab_capture wire wire br0 ip
clear_() { sleep 0.2; lab_count wire icmp; }
ends() { # STATUS TEXT COMMAND...
	local status=$1 text=$2 got
	shift 2
	"$@" >"$LAB_DIR/command.log" 2>&1
	got=$?
	[ "$got" = "$status" ] || lab_fail "$text: $* ends with $got, not $status"
	lab_ok "$text"
}
west_unrouted() { lab_wait 5 "end of the SAs of west" pluto_whack west --unroute secret; }
condition() { pluto_whack east --status --brief | sed -n "s/^000 \\([a-z-]*\\) *\"$1\".*/\\1/p"; }

lab_check "before a route, pings go in clear" lab_ping ehost 10.0.2.9 1
ends 0 "route" pluto_whack east --route secret
lab_check "the connection is trapped" [ "$(condition secret)" = trapped ]
before=$(clear_)
lab_ping ehost 10.0.2.9 2 >/dev/null 2>&1 && lab_fail "a ping passed without an SA"
lab_check "routed without an SA nothing passes, nothing is in clear" [ "$(clear_)" = "$before" ]
ends 0 "unroute" pluto_whack east --unroute secret
lab_check "unrouted, packets go without encryption" lab_ping ehost 10.0.2.9 1
lab_check "and that is seen on the wire" [ "$(clear_)" -gt "$before" ]
ends 0 "initiate routes by itself" pluto_whack east --initiate secret
before=$(clear_)
lab_check "pings go through the tunnel" lab_ping ehost 10.0.2.9 2
lab_check "and not in clear" [ "$(clear_)" = "$before" ]
ends 26 "unroute is refused while an IPsec SA uses the route: status 26" pluto_whack east --unroute secret

# A second connection to the same client by the same way shares the route, by another way it clashes.
twin="--host 192.0.2.1 --client 10.0.77.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk"
# shellcheck disable=SC2086 # the words of one command line
ends 0 "a second connection to the same client" pluto_whack east --name twin $twin
ends 0 "shares the route" pluto_whack east --route twin
ends 0 "and leaves it to the first when it is unrouted" pluto_whack east --unroute twin
lab_check "whose tunnel is not disturbed" lab_ping ehost 10.0.2.9 2
# shellcheck disable=SC2086
ends 0 "the same with another next hop" pluto_whack east --delete --name twin --nexthop 192.0.2.9 $twin
ends 26 "cannot be routed while an IPsec SA uses the other route" pluto_whack east --route twin
ends 0 "a second connection between the same two clients" pluto_whack east --delete --name twin \
	--host 192.0.2.1 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk
ends 0 "shares its route, too" pluto_whack east --route twin
ends 0 "and gives it back" pluto_whack east --unroute twin
ends 0 "terminate" pluto_whack east --terminate secret
before=$(clear_)
lab_ping ehost 10.0.2.9 2 >/dev/null 2>&1 && lab_fail "a ping passed without an SA"
lab_check "after terminate the route stays: nothing passes, nothing is in clear" [ "$(clear_)" = "$before" ]
# shellcheck disable=SC2086
ends 0 "the one with another next hop again" pluto_whack east --delete --name twin --nexthop 192.0.2.9 $twin
ends 0 "takes the route over from the one without an SA" pluto_whack east --route twin
lab_check "which is down now" [ "$(condition secret)" = down ]
ends 0 "delete undoes the route" pluto_whack east --delete twin
west_unrouted
lab_wait 5 "way in clear" lab_ping ehost 10.0.2.9 1
lab_ok "and packets go in clear again"
ends 0 "negotiated again after terminate" pluto_whack east --initiate secret

# --delete in the connection form undoes the routing
# shellcheck disable=SC2086
ends 0 "the same description with --delete" pluto_whack east --delete $PLUTO_SECRET
lab_check "changes nothing: its SAs stay" [ "$(condition secret)" = up ]
lab_check "with their SPIs" [ "$(pluto_whack east --status --name secret | grep -c 'IPsec SA under')" = 1 ]
# shellcheck disable=SC2086
ends 0 "the connection form with --delete" pluto_whack east --delete $PLUTO_SECRET --ikelifetime 1800
lab_check "ends its SAs and its route" [ "$(condition secret)" = down ]
west_unrouted
lab_wait 5 "way in clear" lab_ping ehost 10.0.2.9 1
lab_ok "so packets go in clear"

# Interfaces come and go; listen notices.
ends 0 "a connection of an address that is not there" pluto_whack east --name later --host 192.0.2.51 --to --host 192.0.2.2 --encrypt --psk
ends 22 "cannot be initiated: status 22" pluto_whack east --initiate later
lab_in east ip addr add 192.0.2.51/32 dev wan
ends 0 "listen again" pluto_whack east --listen
lab_check "finds the new interface" [ "$(condition later)" = down ]
lab_in east ip addr del 192.0.2.51/32 dev wan
ends 0 "and again" pluto_whack east --listen
lab_check "notices that it is gone" [ "$(condition later)" = unoriented ]

# The secrets are read at listen, and as a whole.
echo 'nonsense {' >>"$LAB_DIR/east/secrets"
pluto_whack east --listen >"$LAB_DIR/command.log" 2>&1
ends 0 "a secrets file that does not parse leaves the old ones in force" pluto_whack east --initiate secret
sed -i '$d' "$LAB_DIR/east/secrets"

# A responder makes room: the same client comes back from another address, and the old SAs never ended.
lab_stop east KILL
pluto_start east east
lab_in east ip addr add 192.0.2.51/32 dev wan
moved="--name moved --host 192.0.2.51 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk"
for id in east west; do
	# shellcheck disable=SC2086 # the words of one command line
	ends 0 "$id: the client by another address" pluto_whack "$id" $moved
	ends 0 "$id: listens" pluto_whack "$id" --listen
done
lab_check "the peer still has the SAs of the old one" sh -c '"$0" --ctlbase "$1/west/pluto" --status --brief | grep -q "up *.secret"' \
	"$WHACK" "$LAB_DIR"
ends 0 "it comes from there" pluto_whack east --initiate moved
lab_check "the responder deletes the SAs that are in the way" grep -q 'deleting the SAs of "secret"' "$LAB_DIR/west.log"
lab_wait 5 "way for the new one" lab_ping ehost 10.0.2.9 1
lab_check "and pings go through" lab_ping ehost 10.0.2.9 2

# Shutdown ends all SAs and routes: klips itself ends, so nothing can be left.
before=$(clear_)
ends 43 "nothing can be left to klips" pluto_whack east --shutdown --leave-state
lab_check "pluto says why, and what to do" sh -c '"$0" --ctlbase "$1/east/pluto" --shutdown --leave-state 2>&1 | grep -q "remedy: use pluto --kernel xfrm"' \
	"$WHACK" "$LAB_DIR"
lab_check "a tunnel at last" lab_ping ehost 10.0.2.9 1
pluto_stop east
lab_check "shutdown ends the virtual interfaces" sh -c '! ip -n "$1" link show ipsec0' - "$LAB_PREFIX-east"
lab_wait 5 "Delete of the peer" sh -c '! "$0" --ctlbase "$1/west/pluto" --status | grep -q "[0-9] IPsec SA under"' "$WHACK" "$LAB_DIR"
lab_ok "and tells the peer, unlike the manual"
pluto_stop west
lab_check "both down, packets go in clear" lab_ping ehost 10.0.2.9 1
lab_end
