#!/bin/bash
# Aggressive Mode between two plutos: with a preshared secret and with RSA signatures, Road Warriors with secrets of their own,
# and what is said when it is not allowed, the identity is another, or the secrets differ.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
: "${RSASIGKEY:=$top_builddir/src/rsasigkey}"

lab_begin "Aggressive Mode" ping tcpdump
pluto_need
[ -x "$RSASIGKEY" ] || lab_skip "$RSASIGKEY is not built"
mkdir -p "$LAB_DIR/east" "$LAB_DIR/west"
(umask 077
echo '@east.example @west.example : PSK "the first on the road"
@other.example @west.example : PSK "what only this one knows"
@wrong.example @west.example : PSK "not what the office has"' >"$LAB_DIR/east/secrets"
echo '@west.example @east.example : PSK "the first on the road"
@west.example @other.example : PSK "what only this one knows"
@west.example @wrong.example : PSK "something else altogether"' >"$LAB_DIR/west/secrets"
for id in east west; do
	"$RSASIGKEY" --bits 2048 --id "@$id.example" >"$LAB_DIR/$id/key" 2>/dev/null
	sed -n '/: RSA/,/}/p' "$LAB_DIR/$id/key" >>"$LAB_DIR/$id/secrets"
done)
lab_gateways
lab_capture wire wire br0 udp port 500
pluto_ends
for id in east west; do
	key=$("$RSASIGKEY" --pubkey "$LAB_DIR/$id/key" | sed -n '/^0s/p')
	for at in east west; do
		pluto_whack "$at" --keyid "@$id.example" --pubkeyrsa "$key" >>"$LAB_DIR/keys.log" 2>&1 ||
			lab_fail "pluto $at does not take the key of $id"
	done
done

east() {	# NAME OPTION... : the end of east, which begins
	local name=$1
	shift
	pluto_whack east --delete --name "$name" --id "@$name.example" --host 192.0.2.1 --client 10.0.1.0/24 --to \
		--id @west.example --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --sends 2 --sendinterval 500 --keyingtries 1 "$@"
}
west() {	# NAME OPTION... : one road warrior of the office
	local name=$1
	shift
	pluto_whack west --delete --name "$name" --id @west.example --host 192.0.2.2 --client 10.0.2.0/24 --to \
		--id "@$name.example" --host %any --nexthop 0.0.0.0 --client 10.0.1.0/24 --encrypt "$@"
}
tunnel() {	# NAME TEXT
	lab_check "$2: negotiated" pluto_whack east --initiate "$1"
	lab_check "$2: pings go through" lab_ping ehost 10.0.2.9 3
	lab_check "$2: by Aggressive Mode" grep -q "AGGR_R2: ISAKMP SA established" "$LAB_DIR/west.log"
	lab_check "$2: ended" pluto_whack east --terminate "$1"
	lab_wait 10 "end of the instance" eval '! pluto_whack west --status | grep -q "\"$1\[.*SA"'
}
refused() {	# NAME STATUS TEXT
	pluto_whack east --initiate "$1" >"$LAB_DIR/$1.refused" 2>&1
	local status=$?
	[ "$status" = "$2" ] || { cat "$LAB_DIR/$1.refused"; lab_fail "$3: status $status, not $2"; }
	lab_ok "$3: refused with status $2"
}

east east --psk --aggressive >"$LAB_DIR/east.add.log" 2>&1 || lab_fail "east refuses the connection"
lab_check "the load warns of dictionaries" grep -q "search for the preshared secret with a dictionary" "$LAB_DIR/east.add.log"
west east --psk >"$LAB_DIR/west.add.log" 2>&1 || lab_fail "west refuses the connection"
refused east 32 "a connection without --aggressive"
lab_check "west says what is missing" grep -q 'connection "east.*" allows Main Mode only' "$LAB_DIR/west.log"
lab_check "east hears of it" grep -q "UNSUPPORTED_EXCHANGE_TYPE" "$LAB_DIR/east.refused"

west east --psk --aggressive >"$LAB_DIR/west.add.log" 2>&1
west other --psk --aggressive >>"$LAB_DIR/west.add.log" 2>&1
west wrong --psk --aggressive >>"$LAB_DIR/west.add.log" 2>&1
tunnel east "a preshared secret"
lab_check "another road warrior" east other --psk --aggressive
tunnel other "a secret of its own"

lab_check "status again" pluto_whack east --initiate other
pluto_whack east --status >"$LAB_DIR/status.log" 2>&1
lab_check "status marks the connection" grep -q "WEAK: a preshared secret in Aggressive Mode" "$LAB_DIR/status.log"
lab_check "and the SA" grep -q "ISAKMP SA with .*; WEAK: a preshared secret in Aggressive Mode" "$LAB_DIR/status.log"
lab_check "and the policy" grep -q "policy PSK .*AGGRESSIVE" "$LAB_DIR/status.log"
pluto_whack east --terminate other >/dev/null 2>&1

lab_check "one with another secret" east wrong --psk --aggressive
refused wrong 32 "another secret"
lab_check "east says which secret" grep -q "preshared secrets differ.*east/secrets:3" "$LAB_DIR/wrong.refused"
lab_check "one that nobody knows" east stranger --psk --aggressive
(umask 077; echo '@stranger.example @west.example : PSK "nobody knows it"' >>"$LAB_DIR/east/secrets")
pluto_whack east --listen >/dev/null 2>&1
refused stranger 32 "an identity that the office does not know"
lab_check "west says who that is" grep -q "the peer says that it is @stranger.example" "$LAB_DIR/west.log"

lab_check "east by signature" east east --rsasig --aggressive
lab_check "west by signature" west east --rsasig --aggressive
tunnel east "RSA signatures"
lab_check "said by which key" grep -q "the peer is @east.example by its RSA signature" "$LAB_DIR/west.log"
lab_check "either method" east east --aggressive
lab_check "either method, west" west east --aggressive
tunnel east "the responder chooses the method"

# Once the connection takes Aggressive Mode it still takes Main Mode, which tells less.
lab_check "east with Main Mode" east east --rsasig
lab_check "Main Mode: negotiated" pluto_whack east --initiate east
lab_check "Main Mode: pings go through" lab_ping ehost 10.0.2.9 3
lab_check "it was Main Mode" grep -q "MAIN_R3" "$LAB_DIR/west.log"
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
