#!/bin/bash
# Secrets that differ: no tunnel, both sides say why in words, whack's exit status is not 0, and nothing is left.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "secrets that differ" ping
pluto_need
pluto_secret east "ours"
pluto_secret west "theirs"
pluto_gateways
for id in east west; do
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$id: tries once, soon" pluto_whack "$id" --delete $PLUTO_SECRET --keyingtries 1 --sendinterval 300
done
pluto_whack east --name secret --initiate >"$LAB_DIR/initiate.log" 2>&1
lab_check "whack says that it failed" [ $? -ge 1 ]
lab_check "the responder names the secret as the cause" grep -qi "secret" "$LAB_DIR/west.log"
lab_check "no ping passes" eval '! lab_ping ehost 10.0.2.9 2'
lab_check "both still answer" eval 'pluto_whack east --status && pluto_whack west --status'
# Mended: the secrets are read again at --listen.
printf ': PSK "ours"\n' >"$LAB_DIR/west/secrets"
lab_check "listens with the right secret" pluto_whack west --listen
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
