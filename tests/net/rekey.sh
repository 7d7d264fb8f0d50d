#!/bin/bash
# Rekeying under traffic: lifetimes of seconds, both kinds of SA, a ping that must not lose one packet, and nothing in clear.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "rekeying under traffic" tcpdump ping
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
pluto_gateways
lab_capture wire wire br0 ip
for id in east west; do
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$id: lifetimes of seconds" pluto_whack "$id" --delete $PLUTO_SECRET --pfs --ipseclifetime 4 --ikelifetime 7 \
		--rekeymargin 2 --rekeyfuzz 50
done
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_in ehost ping -n -q -c 700 -i 0.02 -W 1 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1
sed -n '/transmitted/p' "$LAB_DIR/ping.log"
lab_check "not one of the packets was lost" grep -q '700 received, 0% packet loss' "$LAB_DIR/ping.log"
established() { grep -c "IPsec SA established" "$LAB_DIR/$1.log"; }
lab_check "IPsec SAs were replaced" [ "$(established east)" -ge 6 ]
lab_check "and the ISAKMP SA" [ "$(grep -c 'ISAKMP SA established' "$LAB_DIR/east.log")" -ge 3 ]
for id in east west; do
	pluto_whack "$id" --status >"$LAB_DIR/$id.status.log" 2>&1
	sas=$(grep -c '#[0-9]* IPsec SA' "$LAB_DIR/$id.status.log")
	lab_check "$id: there is an SA, and few at any time ($sas)" [ "$sas" -ge 1 -a "$sas" -le 3 ]
done
lab_check "nothing passed in clear" [ "$(lab_count wire 'not udp port 500 and not esp')" = 0 ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
