#!/bin/bash
# pluto and strongSwan with different preshared secrets: no SA at either end, and both pluto's whack and its log say why.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/strongswan.sh"

lab_begin "pluto with strongSwan, secrets that differ" tcpdump ping cc
swan_need
PLUTO_KERNEL=none
pluto_need
lab_gateways
pluto_secret east "ours"
pluto_listening east east
swan_start west west
swan_connection west net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 aes128-sha256-modp2048 aes128-sha256 "theirs"
swan_load west
# shellcheck disable=SC2086 # the words of one command line
lab_check "pluto takes the connection" pluto_whack east $PLUTO_SECRET --keyingtries 1 --sends 2 --sendinterval 500
timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name secret --initiate >"$LAB_DIR/initiate.log" 2>&1
lab_check "whack says that it failed" [ $? -ge 1 ]
lab_check "strongSwan has no SA" eval '! swan_has west ESTABLISHED'
swan_initiate west net 1
lab_wait 10 "answer of pluto" grep -q "preshared secrets differ" "$LAB_DIR/east.log"
lab_ok "pluto names the secret as the cause when it responds"
lab_check "strongSwan has no SA" eval '! swan_has west ESTABLISHED'
pluto_stop east
lab_ok "pluto ends"
lab_end
