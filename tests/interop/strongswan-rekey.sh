#!/bin/bash
# Rekeying with strongSwan under a ping, begun by either end, both kinds of SA; then strongSwan dies and comes back. Needs a
# kernel with ESP for strongSwan: tests/vm/strongswan-rekey.sh brings one.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/strongswan.sh"

lab_begin "rekeying with strongSwan" tcpdump ping
swan_need
swan_kernel || lab_skip "this kernel has no ESP for strongSwan"
pluto_need
lab_gateways
lab_capture wire wire br0 ip
pluto_secret east "of no consequence"
pluto_listening east east
swan_start west west

describe_west() {	# LINE...
	: >"$LAB_DIR/west/swanctl/swanctl.conf"
	swan_connection west net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 aes128-sha256-modp2048 aes128-sha256-modp2048 "of no consequence" "$@"
	swan_load west
}

# strongSwan installs its SAs when our last message has come, so the very first packet may be too early.
pings() {	# TEXT
	lab_wait 5 "first answer ($1)" lab_ping ehost 10.0.2.9 1
	lab_in ehost ping -n -q -c 150 -i 0.12 -W 2 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1
	sed -n '/transmitted/p' "$LAB_DIR/ping.log"
	lab_check "$1: not one of the packets was lost" grep -q '150 received, 0% packet loss' "$LAB_DIR/ping.log"
}

established() { grep -c "IPsec SA established" "$LAB_DIR/east.log"; }

suites='--ike aes128-sha256-modp2048 --esp aes128-sha256-modp2048 --pfs'
describe_west 'rekey_time = 1h' 'child rekey_time = 1h'
# shellcheck disable=SC2086 # the words of one command line
lab_check "pluto with lifetimes of seconds" pluto_whack east --delete $PLUTO_SECRET $suites --ipseclifetime 8 --ikelifetime 12 \
	--rekeymargin 3 --rekeyfuzz 0
lab_check "pluto initiates" pluto_whack east --name secret --initiate
pings "pluto rekeys"
lab_check "IPsec SAs were replaced" [ "$(established)" -ge 3 ]
lab_check "and the ISAKMP SA" [ "$(grep -c 'ISAKMP SA established' "$LAB_DIR/east.log")" -ge 2 ]
lab_check "terminated" pluto_whack east --name secret --terminate
lab_wait 10 "end of the SAs at strongSwan" eval '! swan_has west INSTALLED'

before=$(established)
describe_west 'rekey_time = 1h' 'child rekey_time = 5s' 'child rand_time = 0s' 'child life_time = 9s'
# shellcheck disable=SC2086 # the words of one command line
lab_check "pluto with the lifetimes of the manual" pluto_whack east --delete $PLUTO_SECRET $suites
lab_check "strongSwan initiates" swan_initiate west net
pings "strongSwan rekeys"
lab_check "IPsec SAs were replaced by strongSwan" [ $(($(established) - before)) -ge 3 ]
pluto_whack east --status >"$LAB_DIR/status.log" 2>&1
sas=$(grep -c '#[0-9]* IPsec SA' "$LAB_DIR/status.log")
lab_check "few SAs are left at any time ($sas)" [ "$sas" -ge 1 -a "$sas" -le 3 ]

lab_stop west KILL
lab_in west ip xfrm state flush
lab_in west ip xfrm policy flush
swan_start west west
describe_west 'rekey_time = 1h'
lab_check "strongSwan died, came back and initiates" swan_initiate west net
lab_check "pluto forgot what was before" grep -q "the peer has restarted (INITIAL-CONTACT)" "$LAB_DIR/east.log"
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
lab_check "nothing passed in clear" [ "$(lab_count wire 'icmp[0] = 8 or icmp[0] = 0')" = 0 ]
pluto_stop east
lab_ok "pluto ends"
lab_end
