#!/bin/bash
# --revive: a tunnel that the peer deletes, or that a peer loses by a restart, is there again within seconds; --terminate ends
# that. And a peer that restarts without a word: the ISAKMP SA that it has forgotten is not waited for.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "connections that are to be up" tcpdump ping
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
pluto_gateways
lab_capture wire wire br0 ip
up() { pluto_whack "$1" --status --name secret 2>&1 | grep -q '"secret" up'; }
ups() { grep -c 'IPsec SA established' "$LAB_DIR/east.log"; }
west_again() {
	pluto_start west west
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack west $PLUTO_SECRET >/dev/null 2>&1 && pluto_whack west --listen >/dev/null 2>&1
}

# shellcheck disable=SC2086 # the words of one command line
lab_check "described with --revive" pluto_whack east --delete $PLUTO_SECRET --revive --keyingtries 1 --sends 2 \
	--sendinterval 500 --dpddelay 1 --dpdtimeout 3
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_check "the peer deletes it" pluto_whack west --name secret --terminate
lab_wait 20 "second IPsec SA" eval '[ "$(ups)" = 2 ]'
lab_check "it is negotiated again, and pings go through" lab_ping ehost 10.0.2.9 3
lab_check "the log says when and why" grep -q 'the connection went down: negotiated again in [0-9]* s' "$LAB_DIR/east.log"

lab_stop west KILL
lab_ok "the peer dies"
lab_wait 30 "end of the dead peer's SAs" grep -q 'it is dead' "$LAB_DIR/east.log"
lab_wait 30 "failed attempt" grep -q 'the negotiation came to nothing: negotiated again in' "$LAB_DIR/east.log"
lab_wait 30 "pause" eval 'pluto_whack east --status --name secret 2>&1 | grep -Eq "retry in [0-9]+ s, number [0-9]+ in a row; whack --terminate ends that"'
lab_ok "the status tells of the next attempt"
lab_check "west comes back" west_again
lab_wait 60 "tunnel" up east
lab_check "the tunnel is there by itself" lab_ping ehost 10.0.2.9 3

# A restart that is quicker than dead peer detection, and nothing is said: whoever negotiates next notices.
# shellcheck disable=SC2086 # the words of one command line
lab_check "described without --revive and DPD" pluto_whack east --delete $PLUTO_SECRET --keyingtries 1 \
	--sendinterval 500
lab_check "negotiated" pluto_whack east --name secret --initiate
sleep 11
lab_stop west KILL
lab_check "west forgets" west_again
lab_check "one --initiate is enough" timeout 25 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name secret --initiate
lab_check "it noticed" grep -q 'the peer may have forgotten the ISAKMP SA' "$LAB_DIR/east.log"
lab_check "pings go through" lab_ping ehost 10.0.2.9 3

# shellcheck disable=SC2086 # the words of one command line
lab_check "with --revive again" eval 'pluto_whack east --delete $PLUTO_SECRET --revive && pluto_whack east --name secret --initiate'
lab_check "terminated" pluto_whack east --name secret --terminate
before=$(ups)
sleep 3
lab_check "it stays down" eval '! up east && [ "$(ups)" = "$before" ]'
lab_check "nothing passed in clear" [ "$(lab_count wire 'icmp[0] = 8 or icmp[0] = 0')" = 0 ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
