#!/bin/bash
# A route with --ondemand: the first packet brings the tunnel up and is answered through it; each packet brings up what it
# belongs to; a dead peer is not flooded. A route without it drops packets, as the manual says.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "negotiation on demand" tcpdump ping
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
pluto_gateways
lab_capture wire wire br0 ip
first_messages() { lab_count wire 'udp port 500 and udp[26] = 2 and udp[16:4] = 0 and udp[20:4] = 0 and src 192.0.2.1'; }
# More than one packet of the first second may wait; all that is sent is answered.
first_ping() { lab_in "$1" ping -n -q -c "${3:-1}" -i 0.2 -W 15 "$2" | grep -q ' 0% packet loss'; }

lab_check "routed without --ondemand" pluto_whack east --name secret --route
lab_check "a packet is dropped" eval '! lab_ping ehost 10.0.2.9 2'
lab_check "and begins nothing" [ "$(lab_count wire 'udp port 500')" = 0 ]
# shellcheck disable=SC2086 # the words of one command line
lab_check "described anew with --ondemand" pluto_whack east --delete $PLUTO_SECRET --ondemand --keyingtries 1 --sendinterval 200
lab_check "routed" pluto_whack east --name secret --route
pluto_whack east --status >"$LAB_DIR/status.log" 2>&1
lab_check "the status says what a packet does" grep -q 'traffic is dropped until there is an IPsec SA, and asks for one' "$LAB_DIR/status.log"
lab_check "nothing is negotiated before a packet comes" [ "$(lab_count wire 'udp port 500')" = 0 ]
lab_check "the very first packets are answered" first_ping ehost 10.0.2.9 3
lab_check "the log names the packet" grep -q 'a packet from 10.0.1.9 to 10.0.2.9 asks for an IPsec SA' "$LAB_DIR/east.log"
lab_check "one negotiation came of them" [ "$(first_messages)" = 1 ]
lab_check "it is up" eval 'pluto_whack east --status --name secret 2>&1 | grep -q "\"secret\" up"'

# Another client of the same peer: its own SA, under the same ISAKMP SA.
other='--host 192.0.2.1 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.3.0/24 --encrypt --psk'
lab_check "west has a second client" ip -n "$LAB_PREFIX-west" addr add 10.0.3.1/24 dev lan
lab_check "and a host in it" ip -n "$LAB_PREFIX-whost" addr add 10.0.3.9/24 dev eth0
# shellcheck disable=SC2086 # the words of one command line
lab_check "a connection for it, and one that no packet asks for" eval 'pluto_whack west --name other $other &&
	pluto_whack east --name other $other --ondemand && pluto_whack east --name other --route &&
	pluto_whack east --name idle ${other/10.0.3.0/10.0.4.0} --ondemand && pluto_whack east --name idle --route'
lab_check "its first packet is answered" first_ping ehost 10.0.3.9
lab_check "it is up" eval 'pluto_whack east --status --name other 2>&1 | grep -q "\"other\" up"'
lab_check "the third is not" eval 'pluto_whack east --status --name idle 2>&1 | grep -q "\"idle\" trapped"'
lab_check "no further Main Mode was needed" [ "$(first_messages)" = 1 ]

# The peer dies; packets go on.
lab_check "the second is deleted" eval 'pluto_whack east --name other --delete && pluto_whack east --name idle --delete'
lab_check "terminated" pluto_whack east --name secret --terminate
lab_stop west KILL
before=$(first_messages)
lab_in ehost ping -n -q -c 80 -i 0.1 -W 1 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1
lab_wait 20 "failure" grep -q 'the negotiation came to nothing: packets begin no negotiation for' "$LAB_DIR/east.log"
pluto_whack east --status --name secret >"$LAB_DIR/status.log" 2>&1
lab_check "the status tells of the pause" grep -Eq 'packets ask in vain for [0-9]+ s more: number [0-9]+ in a row failed|negotiating' "$LAB_DIR/status.log"
asked=$(($(first_messages) - before))
lab_check "80 packets began few negotiations ($asked messages)" [ "$asked" -ge 3 -a "$asked" -le 12 ]
pluto_start west west
# shellcheck disable=SC2086 # the words of one command line
lab_check "the peer is back" eval 'pluto_whack west $PLUTO_SECRET && pluto_whack west --listen'
lab_wait 60 "answer to a packet" lab_ping ehost 10.0.2.9
lab_ok "packets bring the tunnel up again"
lab_check "nothing passed in clear" [ "$(lab_count wire 'icmp[0] = 8 or icmp[0] = 0')" = 0 ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
