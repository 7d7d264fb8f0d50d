#!/bin/bash
# The responder replaces an SA by the policy of the old one: east asks for PFS, west's own description does not, and still west
# offers it when it begins; else east would refuse, and the tunnel would end with the SA.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "the responder rekeys" ping
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
pluto_gateways
# shellcheck disable=SC2086 # the words of one command line
lab_check "east: PFS, and no margin of its own" pluto_whack east --delete $PLUTO_SECRET --pfs --ipseclifetime 6 --rekeymargin 0
# shellcheck disable=SC2086 # the words of one command line
lab_check "west: no word of PFS, a margin of 6 s, halved for a responder" pluto_whack west --delete $PLUTO_SECRET --ipseclifetime 6 \
	--rekeymargin 6 --rekeyfuzz 0
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_in ehost ping -n -q -c 160 -i 0.05 -W 1 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1
lab_check "not one packet was lost" grep -q '160 received, 0% packet loss' "$LAB_DIR/ping.log"
lab_check "west began the replacement" grep -q 'QUICK_I1' "$LAB_DIR/west.log"
lab_check "with PFS" grep -q 'IPsec SA established, aes256gcm16-modp2048' "$LAB_DIR/west.log"
lab_check "which east accepted" [ "$(grep -c 'IPsec SA established, aes256gcm16-modp2048' "$LAB_DIR/east.log")" -ge 2 ]
lab_check "and nobody refused" eval '! grep -q "perfect forward secrecy" "$LAB_DIR/east.log"'
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
