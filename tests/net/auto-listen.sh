#!/bin/bash
# Addresses that appear and vanish: a line in the log, or with --auto-listen what whack --listen would do; connections are
# oriented, and one that is to be up is up again.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "addresses that come and go" ping
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
lab_gateways
pluto_start east east --auto-listen
pluto_start west west
condition() { pluto_whack east --status --name "$1" 2>&1 | grep -q "\"$1\" $2"; }
# shellcheck disable=SC2086 # the words of one command line
lab_check "described at both" eval 'pluto_whack west $PLUTO_SECRET && pluto_whack east $PLUTO_SECRET --revive --keyingtries 1 --sendinterval 200'
ip -n "$LAB_PREFIX-east" addr add 192.0.2.6/24 dev wan
sleep 1
lab_check "before the first whack --listen nothing is listened on" eval '! grep -q "listening" "$LAB_DIR/east.log"'
lab_check "they listen" eval 'pluto_whack west --listen && pluto_whack east --listen'
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 2

lab_check "an address vanishes" ip -n "$LAB_PREFIX-east" addr del 192.0.2.6/24 dev wan
lab_wait 20 "line in the log" grep -q '192.0.2.6 of wan has vanished: listening anew' "$LAB_DIR/east.log"
lab_check "another one's SAs stay" condition secret up
lab_check "pings go through" lab_ping ehost 10.0.2.9 2
other='--name other --host 192.0.2.7 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.4.0/24 --encrypt --psk'
# shellcheck disable=SC2086 # the words of one command line
lab_check "a connection for an address to come" eval 'pluto_whack east $other && condition other unoriented'
lab_check "it comes" ip -n "$LAB_PREFIX-east" addr add 192.0.2.7/24 dev wan
lab_wait 20 "orientation" condition other down
lab_ok "the connection is oriented by itself"

# The address of a connection that is to be up goes, with a new one in its place, and comes back.
lab_check "ours goes" ip -n "$LAB_PREFIX-east" addr del 192.0.2.1/24 dev wan
lab_wait 20 "end of the orientation" condition secret unoriented
lab_check "ours comes back" eval 'ip -n "$LAB_PREFIX-east" addr flush dev wan && ip -n "$LAB_PREFIX-east" addr add 192.0.2.1/24 dev wan'
lab_wait 40 "tunnel" condition secret up
lab_check "the tunnel is there again by itself" lab_ping ehost 10.0.2.9 2

lab_check "the other gateway gets an address, too" ip -n "$LAB_PREFIX-west" addr add 192.0.2.8/24 dev wan
lab_wait 20 "line in the log" grep -q '192.0.2.8 of wan has appeared: nothing is done about that' "$LAB_DIR/west.log"
lab_check "it says what to do" grep -q 'run whack --listen, or start pluto with --auto-listen' "$LAB_DIR/west.log"
lab_check "it does nothing else" eval '! grep -q "listening on wan.* 192.0.2.8" "$LAB_DIR/west.log"'
lab_check "no longer listening" pluto_whack east --unlisten
before=$(grep -c 'listening' "$LAB_DIR/east.log")
ip -n "$LAB_PREFIX-east" addr add 192.0.2.9/24 dev wan
sleep 1
lab_check "then addresses do not matter" [ "$(grep -c 'listening' "$LAB_DIR/east.log")" = "$before" ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
