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
lab_check "no common suite: status 32" [ $? = 32 ]
lab_check "whack is told what the peer says, by its number" grep -q '^214 .*the peer says NO_PROPOSAL_CHOSEN (not authenticated' "$LAB_DIR/suite.log"
lab_check "at once, before anything is sent again, with a remedy" awk '/^214 / { told = NR } /^000 remedy: if nothing comes/ && NR == told + 1 { remedy = 1 }
	/^010 / && remedy { good = 1 } /^010 / { exit } END { exit !good }' "$LAB_DIR/suite.log"
lab_check "it is no proof, so the negotiation goes on" grep -q '^010 .*no answer yet, sending again' "$LAB_DIR/suite.log"
lab_check "the last line names the probable reason" grep -q '^032 "secret": not established: .*probably because, as it said without proof, NO_PROPOSAL_CHOSEN' "$LAB_DIR/suite.log"
lab_check "west names the transform that came closest" grep -q 'allows none of the 1 transforms offered; the closest is #1 (3des-sha1-modp1024)' "$LAB_DIR/west.log"
pluto_whack west --status >"$LAB_DIR/counts.log" 2>&1
lab_check "the status counts it, with each repetition" eval 'grep -q "^000 refused: no_common_suite $(grep -c "allows none of the" "$LAB_DIR/west.log")\$" "$LAB_DIR/counts.log"'
lab_check "what differs in it, theirs and ours" grep -q 'its [A-Z_]* is [A-Z0-9_]*, ours is [A-Z0-9_]*' "$LAB_DIR/west.log"
lab_check "and what would allow it" grep -q 'remedy: allow it with --ike 3des-sha1-modp1024' "$LAB_DIR/west.log"

pluto_whack east --initiate nobody >"$LAB_DIR/unknown.log" 2>&1
lab_check "an unknown connection: status 21" [ $? = 21 ]
lab_check "by its name" grep -q '^021 no connection is named "nobody"' "$LAB_DIR/unknown.log"

# Quick Mode: what a peer says that has proved who it is ends the negotiation at once.
# refused WHAT NUMBER EAST WEST TEXT: options for both; whack gets status 32 and a line that says so, without any repetition.
refused() {
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack east --delete $PLUTO_SECRET --keyingtries 1 $3 >"$LAB_DIR/add.log" 2>&1 && pluto_whack west --delete ${6:-$PLUTO_SECRET} $4 >>"$LAB_DIR/add.log" 2>&1 ||
		lab_fail "$1: not described"
	pluto_whack east --initiate secret >"$LAB_DIR/refused.log" 2>&1
	lab_check "$1: status 32" [ $? = 32 ]
	lab_check "$1: told by its number, and what it is about" grep -q "^$2 $5" "$LAB_DIR/refused.log"
	lab_check "$1: nothing was sent again in vain" eval '! grep -q "^010 " "$LAB_DIR/refused.log"'
}
refused "other algorithms of ESP" 214 "--esp aes256-sha512" "--esp aes128gcm16" '.*the peer refuses the proposal: NO_PROPOSAL_CHOSEN'
lab_check "with a remedy" grep -q '^000 remedy: compare --encrypt, .*--esp' "$LAB_DIR/refused.log"
lab_check "and a last line" grep -q '^032 "secret": not established: the peer and this host cannot agree' "$LAB_DIR/refused.log"
refused "no PFS here, PFS there" 214 "" "--pfs" '.*the peer refuses the proposal: NO_PROPOSAL_CHOSEN'
refused "another client" 218 "" "" '.*the peer refuses to protect 10.0.1.0/24 to 10.0.2.0/24: INVALID_ID_INFORMATION' "${PLUTO_SECRET/10.0.2.0/10.0.3.0}"
lab_check "with the connection that the peer needs" grep -q '^000 remedy: the peer needs a connection from 10.0.2.0/24 to 10.0.1.0/24' "$LAB_DIR/refused.log"

# shellcheck disable=SC2086 # the words of one command line
lab_check "two attempts" pluto_whack east --delete $PLUTO_SECRET --keyingtries 2
pluto_whack east --initiate secret >"$LAB_DIR/twice.log" 2>&1
lab_check "refused twice: status 32" [ $? = 32 ]
lab_check "the second attempt is announced" grep -q '^010 "secret": keying attempt 2 of at most 2 begins in 1 s' "$LAB_DIR/twice.log"
lab_check "and refused, too" [ "$(grep -c '^218 ' "$LAB_DIR/twice.log")" = 2 ]
# shellcheck disable=SC2086 # the words of one command line
lab_check "attempts for ever" pluto_whack east --delete $PLUTO_SECRET --keyingtries 0
pluto_whack east --initiate secret >"$LAB_DIR/ever.log" 2>&1 &
ever=$!
lab_wait 60 "third attempt" grep -q 'keying attempt 3, tried for ever' "$LAB_DIR/ever.log"
lab_check "terminate ends what waits for its next attempt" pluto_whack east --terminate secret
wait $ever
lab_check "whose whack gets status 38" [ $? = 38 ]
lab_wait 10 "one last line" grep -q '^038 "secret": not established' "$LAB_DIR/ever.log"

# A secret that differs: the responder says so as far as it can.
# shellcheck disable=SC2086 # the words of one command line
pluto_whack west --delete $PLUTO_SECRET >"$LAB_DIR/add.log" 2>&1
(umask 077; printf '192.0.2.1 192.0.2.2 : PSK "another one"\n' >>"$LAB_DIR/west/secrets")
lab_check "west has another secret for east" pluto_whack west --listen
# shellcheck disable=SC2086 # the words of one command line
lab_check "one attempt" pluto_whack east --delete $PLUTO_SECRET --keyingtries 1 --sendinterval 200
pluto_whack east --initiate secret >"$LAB_DIR/psk.log" 2>&1
lab_check "secrets differ: status 32" [ $? = 32 ]
lab_check "whack is told what the peer says" grep -q '^224 .*the peer says AUTHENTICATION_FAILED (not authenticated' "$LAB_DIR/psk.log"
lab_check "the last line names the probable reason" grep -q '^032 .*probably because, as it said without proof, AUTHENTICATION_FAILED' "$LAB_DIR/psk.log"
lab_check "west knows which secret it was" grep -q 'the preshared secrets differ.*(connection "secret", ours: .*/west/secrets:2)' "$LAB_DIR/west.log"
sed -i 2d "$LAB_DIR/west/secrets"
lab_check "mended" pluto_whack west --listen
# shellcheck disable=SC2086 # the words of one command line
lab_check "the same algorithms for west" pluto_whack west --delete $PLUTO_SECRET --ike aes256-sha512-modp4096
# shellcheck disable=SC2086 # the words of one command line
lab_check "mended" pluto_whack east --delete $PLUTO_SECRET --ike aes256-sha512-modp4096
lab_check "both serve on: negotiated" pluto_whack east --initiate secret
for id in east west; do
	pluto_whack "$id" --status >"$LAB_DIR/counts.$id" 2>&1
	pluto_whack "$id" --status --json >"$LAB_DIR/json.$id" 2>/dev/null
done
lab_check "at the end the most frequent reasons" grep -Eq '^000 refused: [a-z_]+ [0-9]+, [a-z_]+ [0-9]+, [a-z_]+ [0-9]+, [0-9]+ more reasons? \(--json\)$' "$LAB_DIR/counts.east"
lab_check "and by JSON each of them" grep -Eq '"refusals":\{.*"psk_mismatch":[0-9]+' "$LAB_DIR/json.west"
lab_check "with how often" grep -Eq '"no_common_suite":[0-9]+' "$LAB_DIR/json.west"
lab_check "no SA is weak" grep -q '"weak_sas":0,' "$LAB_DIR/json.east"
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
