#!/bin/bash
# Dead peer detection: a silent peer that lives is asked and answers, traffic alone is proof enough, a dead one is noticed, its
# SAs go, nothing leaves in clear, and with --dpdaction restart the tunnel is up again when the peer is back.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

informationals() { lab_count wire 'udp port 500 and udp[26] = 5'; }	# exchange type of the ISAKMP header

lab_begin "dead peer detection" tcpdump ping
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
pluto_gateways
lab_capture wire wire br0 ip
# shellcheck disable=SC2086 # the words of one command line
lab_check "east asks after 1 s, gives up after 2 s" pluto_whack east --delete $PLUTO_SECRET --dpddelay 1 --dpdtimeout 2 --dpdaction restart \
	--keyingtries 0 --sendinterval 500
lab_check "negotiated" pluto_whack east --name secret --initiate
sleep 3
asked=$(informationals)
lab_check "a silent peer is asked and answers ($asked messages)" [ "$asked" -ge 4 ]
lab_check "and nothing else happens" eval '! grep -q "it is dead" "$LAB_DIR/east.log"'
lab_in ehost ping -n -q -c 30 -i 0.1 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1
lab_check "a peer that sends is not asked" [ "$(informationals)" -le $((asked + 2)) ]
pluto_whack east --status secret >"$LAB_DIR/alive.log" 2>&1
lab_check "the status tells by what it is thought alive" grep -Eq '^000     peer thought alive by: packet through an IPsec SA [0-2] s ago, message of IKE [0-9]+ s ago$' "$LAB_DIR/alive.log"
pluto_whack east --status secret --json >"$LAB_DIR/alive.json" 2>/dev/null
lab_check "as JSON" grep -Eq '"alive":\{"by":"traffic","ike":[0-9]+,"traffic":[0-2],"asked":null\}' "$LAB_DIR/alive.json"
lab_stop west KILL
lab_wait 5 "question" eval 'pluto_whack east --status secret >"$LAB_DIR/asked.log" 2>&1; grep -q "no answer yet" "$LAB_DIR/asked.log"'
lab_check "and that it was asked in vain" grep -Eq '^000     peer thought alive by: .*; asked [0-9]+ s ago, no answer yet$' "$LAB_DIR/asked.log"
lab_wait 8 "end of the dead peer's SAs" grep -q "it is dead" "$LAB_DIR/east.log"
lab_ok "a dead peer is noticed"
pluto_whack east --status >"$LAB_DIR/status.log" 2>&1
lab_check "its IPsec SAs are gone" eval '! grep -q "#[0-9]* IPsec SA" "$LAB_DIR/status.log"'
lab_check "and nothing makes it seem alive" eval '! grep -q "thought alive" "$LAB_DIR/status.log"'
lab_check "no ping passes" eval '! lab_ping ehost 10.0.2.9 2'
pluto_start west west
# shellcheck disable=SC2086 # the words of one command line
lab_check "the peer is back" pluto_whack west $PLUTO_SECRET
lab_check "and listens" pluto_whack west --listen
lab_wait 10 "new IPsec SA" eval 'pluto_whack east --status 2>&1 | grep -q "#[0-9]* IPsec SA"'
lab_check "pings go through by themselves" lab_ping ehost 10.0.2.9 3
lab_check "nothing passed in clear" [ "$(lab_count wire 'icmp[0] = 8 or icmp[0] = 0')" = 0 ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
