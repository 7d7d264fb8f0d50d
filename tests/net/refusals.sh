#!/bin/bash
# What an operator reads when a negotiation fails: a peer that is silent, no common suite, a connection nobody described. The daemon
# serves others meanwhile, and afterwards.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "negotiations that fail" python3
PLUTO_KERNEL=none
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
lab_gateways
pluto_start east east
lab_check "east listens" pluto_whack east --listen
# shellcheck disable=SC2086 # the words of one command line
lab_check "a connection to a silent peer" pluto_whack east $PLUTO_SECRET --keyingtries 1 --sendinterval 200

lab_start mute west python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 500))
time.sleep(60)'
sleep 0.5
pluto_whack east --initiate secret >"$LAB_DIR/silent.log" 2>&1
lab_check "a silent peer: status 30" [ $? = 30 ]
lab_check "each repetition is told" grep -q '^010 .*no answer yet, sending again' "$LAB_DIR/silent.log"
lab_check "then how often and how long" grep -q 'no answer: our message was sent 3 times' "$LAB_DIR/silent.log"
lab_check "and what to look at" grep -q '^000 remedy: is the peer running, is UDP open' "$LAB_DIR/silent.log"
lab_stop mute

pluto_start west west
lab_check "west listens" pluto_whack west --listen
# shellcheck disable=SC2086 # the words of one command line
lab_check "west takes other algorithms" pluto_whack west $PLUTO_SECRET --ike aes256-sha512-modp4096
# shellcheck disable=SC2086 # the words of one command line
lab_check "east asks for old ones" pluto_whack east --delete $PLUTO_SECRET --ike 3des-sha1-modp1024 --keyingtries 1 --sendinterval 200
pluto_whack east --initiate secret >"$LAB_DIR/suite.log" 2>&1
lab_check "no common suite: not status 0" [ $? != 0 ]
lab_check "whack is told what the peer says" grep -q 'the peer says NO_PROPOSAL_CHOSEN' "$LAB_DIR/suite.log"
lab_check "west names the transform that came closest" grep -q 'allows none of the 1 transforms offered; the closest is #1 (3des-sha1-modp1024)' "$LAB_DIR/west.log"
lab_check "what differs in it, theirs and ours" grep -q 'its [A-Z_]* is [A-Z0-9_]*, ours is [A-Z0-9_]*' "$LAB_DIR/west.log"
lab_check "and what would allow it" grep -q 'remedy: allow it with --ike 3des-sha1-modp1024' "$LAB_DIR/west.log"

pluto_whack east --initiate nobody >"$LAB_DIR/unknown.log" 2>&1
lab_check "an unknown connection: status 21" [ $? = 21 ]
lab_check "by its name" grep -q '^021 no connection is named "nobody"' "$LAB_DIR/unknown.log"

# shellcheck disable=SC2086 # the words of one command line
lab_check "mended" pluto_whack east --delete $PLUTO_SECRET --ike aes256-sha512-modp4096
lab_check "both serve on: negotiated" pluto_whack east --initiate secret
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
