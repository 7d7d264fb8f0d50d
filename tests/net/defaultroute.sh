#!/bin/bash
# --host %defaultroute: this host at whichever address its default route has. The gateway gets another address, another
# default route, loses it; the connection follows, and one that is to be up is up again.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

LAB_IPV6=1
lab_begin "our end is where the default route is" ping
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
lab_gateways
pluto_start east east --auto-listen
pluto_start west west
route() { ip -n "$LAB_PREFIX-east" "$@"; }
shows() { pluto_whack east --status --name "$1" 2>&1 | grep -Eq "\"$1\" $2"; }
says() { pluto_whack east "${@:2}" 2>&1 | grep -Eq -e "$1"; }
east='--name net --host %defaultroute --id @east --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk'
west='--name net --host 192.0.2.2 --client 10.0.2.0/24 --to --host %any --id @east --client 10.0.1.0/24 --encrypt --psk'

# Described
# shellcheck disable=SC2086 # the words of one command line
lab_check "described at both" eval 'pluto_whack west $west --dpddelay 2 --dpdtimeout 6 --dpdaction clear && pluto_whack east $east --revive --sendinterval 200'
lab_check "described as it was said" says "^--name net --id @east --host %defaultroute --client 10\.0\.1\.0/24 --to --host 192\.0\.2\.2 " --print-conn --name net
lab_check "before listening no address is known" shows net 'unoriented: 10\.0\.1\.0/24===%defaultroute\[@east\]\.\.\.192\.0\.2\.2==='
lab_check "both ends cannot be it" says '^034 both ends of "both" are %defaultroute' --name both --host %defaultroute --to --host %defaultroute
lab_check "they listen" eval 'pluto_whack west --listen && pluto_whack east --listen'
lab_check "without a default route it is refused" says '^022 cannot orient "net": there is no default route from an address that pluto listens on \(.*wan 192\.0\.2\.1' --initiate --name net

# The default route comes
lab_check "a default route comes" route route add default via 192.0.2.2
lab_wait 20 "orientation" shows net 'down: 10\.0\.1\.0/24===192\.0\.2\.1\[@east\]'
lab_ok "the connection has the address of the default route"
lab_check "the log says why" grep -q 'the default route is that of 192.0.2.1 of wan: listening anew' "$LAB_DIR/east.log"
lab_check "negotiated" pluto_whack east --name net --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 2
lab_check "the JSON says both" says '"host": ?"192\.0\.2\.1", ?"defaultroute": ?true' --status --json
lab_check "a route that is no default one changes nothing" route route add 198.51.100.0/24 via 192.0.2.2
sleep 1
lab_check "nobody listens anew for it" [ "$(grep -c 'listening anew' "$LAB_DIR/east.log")" = 1 ]

# Another address, in place of the old one
lab_check "the address changes" eval 'route addr del 192.0.2.1/24 dev wan && route addr add 192.0.2.11/24 dev wan && route route add default via 192.0.2.2'
lab_wait 40 "tunnel from the new address" shows net 'up: 10\.0\.1\.0/24===192\.0\.2\.11\[@east\]'
lab_wait 20 "ping" lab_ping ehost 10.0.2.9 1
lab_ok "the tunnel is there again by itself, from the new address"

# Another default route, by its metric, while both addresses stay
lab_check "another default route" eval 'route addr add 192.0.2.12/32 dev wan && route route replace default via 192.0.2.2 src 192.0.2.12 metric 5 && route route del default metric 0'
lab_wait 40 "tunnel from its address" shows net 'up: 10\.0\.1\.0/24===192\.0\.2\.12\[@east\]'
lab_check "a worse one does not matter" route route add default via 192.0.2.2 src 192.0.2.11 metric 9
sleep 1
lab_check "the tunnel stays" shows net 'up: 10\.0\.1\.0/24===192\.0\.2\.12\[@east\]'

# IPv6: the default route of the family of the peer
lab_check "one with a peer of IPv6" pluto_whack east --name six --host %defaultroute --to --host 2001:db8::2 --encrypt --psk
lab_check "the default route of IPv4 does not serve it" shows six 'unoriented: %defaultroute\.\.\.2001:db8::2$'
lab_check "one of IPv6 comes" route -6 route add default via 2001:db8::2
lab_wait 20 "orientation" shows six 'down: 2001:db8::1\.\.\.2001:db8::2$'
lab_ok "it has the address of the default route of IPv6"
link=$(ip -n "$LAB_PREFIX-west" -6 -o addr show dev wan scope link | sed 's/.* \(fe80[^/]*\).*/\1/')
lab_check "one by a gateway that is known by its link-local address only" eval 'route addr add 2001:db8::7/64 dev wan && route -6 route add default via "$link" dev wan src 2001:db8::7 metric 7 && route -6 route del default via 2001:db8::2'
lab_wait 20 "orientation" shows six 'down: 2001:db8::7\.\.\.2001:db8::2$'
lab_check "which names no source" eval 'route -6 route del default metric 7 && route addr del 2001:db8::7/64 dev wan && route -6 route add default via "$link" dev wan'
lab_wait 20 "orientation" shows six 'down: 2001:db8::1\.\.\.2001:db8::2$'
lab_ok "the address is one that means something beyond the link"

# Forms of routes: of an interface without a gateway, and of two gateways at once
lab_check "one without a gateway, the best" eval 'route addr add 198.18.0.1/32 dev lan && route route add default dev lan src 198.18.0.1 metric 1'
lab_wait 20 "orientation" shows net '[a-z]+: 10\.0\.1\.0/24===198\.18\.0\.1\[@east\]'
lab_check "one by two gateways, the best" route route add default metric 0 nexthop via 192.0.2.2 dev wan nexthop via 10.0.1.9 dev lan
lab_wait 40 "tunnel" shows net 'up: 10\.0\.1\.0/24===192\.0\.2\.11\[@east\]'
lab_ok "the first of them counts"
lab_check "they go" eval 'route route del default metric 0 && route route del default metric 1'
lab_wait 40 "tunnel" shows net 'up: 10\.0\.1\.0/24===192\.0\.2\.12\[@east\]'

# Gone
lab_check "no default route" eval 'route route del default metric 5 && route route del default metric 9'
sleep 1
lab_check "the tunnel stays as long as its address" shows net up
lab_check "whack --listen looks anew" pluto_whack east --listen
lab_wait 10 "end of the orientation" shows net 'unoriented: 10\.0\.1\.0/24===%defaultroute\[@east\]'
lab_ok "without a default route there is no address"
lab_check "deleted" pluto_whack east --delete --name net
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
