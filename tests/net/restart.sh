#!/bin/bash
# A gateway dies without a word and comes back: the other one forgets what was before, and the tunnel is up again at once.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "a gateway that restarts" ping
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
pluto_gateways
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
lab_stop east KILL
lab_ok "east dies"
pluto_start east east
# shellcheck disable=SC2086 # the words of one command line
lab_check "and comes back" pluto_whack east $PLUTO_SECRET
lab_check "listens" pluto_whack east --listen
lab_check "negotiates" pluto_whack east --name secret --initiate
lab_check "pings go through again" lab_ping ehost 10.0.2.9 3
lab_check "west was told" grep -q "the peer has restarted (INITIAL-CONTACT)" "$LAB_DIR/west.log"
pluto_whack west --status >"$LAB_DIR/status.log" 2>&1
lab_check "west has one ISAKMP SA" [ "$(grep -c '#[0-9]* ISAKMP SA' "$LAB_DIR/status.log")" = 1 ]
lab_check "and one IPsec SA" [ "$(grep -c '#[0-9]* IPsec SA' "$LAB_DIR/status.log")" = 1 ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
