#!/bin/bash
# Whacks that do not behave: silent ones, ones that never read, crowds of them, other protocols. None of them delays another one.
# shellcheck disable=SC2119 # control_start takes options of pluto, not ours
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "whacks that do not behave" python3
client() { timeout 100 python3 -B "$here/control_client.py" "$DIR/pluto.ctl" "$@"; }
# A whack is answered within a second.
prompt() {
	local start took
	start=$(date +%s%N)
	whack --status >/dev/null 2>&1 || return
	took=$((($(date +%s%N) - start) / 1000000))
	[ "$took" -lt 1000 ] || { echo "answered after $took ms"; return 1; }
}

control_start
for ((i = 0; i < 400; i++)); do
	echo "--name conn$i --host 127.0.0.1 --to --host 127.1.0.$((i % 250 + 1)) --client 10.$((i / 250)).$((i % 250)).0/24 --encrypt --psk"
done >"$DIR/batch"
check "400 connections" whack --batch "$DIR/batch"

check "other protocols are told what is wrong, and hung up on" client garbage
check "an unknown request is answered, and the next one carried out" client unknown_request
check "octet by octet is a request, too" client octets
check "whacks that hang up in the middle" client leaver
check "pluto does not mind" prompt

coproc SILENT { client silent; }
read -r _ <&"${SILENT[0]}"
check "100 whacks that say nothing delay nobody" prompt
echo >&"${SILENT[1]}"
wait "$SILENT_PID" || fail "the silent whacks"

check "the 257th whack at the same time is told so" client crowd
check "and the next one is served again" prompt

# This one is dropped after half a minute.
client deaf >"$DIR/deaf" 2>&1 &
deaf=$!
check "pluto listens" whack --listen
says 1 "not finished after 1 seconds; pluto goes on alone" whack --initiate --name conn7 --timeout 1
timeout -s INT 1 "$WHACK" --ctlbase "$DIR/pluto" --initiate --name conn8 >"$DIR/out" 2>&1
grep -q "interrupted; pluto goes on alone" "$DIR/out" || fail "Ctrl-C"
whack --status --name conn8 >"$DIR/out" 2>&1
grep -q 'negotiating.* MAIN_I1' "$DIR/out" || fail "what was interrupted does not go on"
ok "what was left alone goes on"

for _ in 1 2 3 4 5; do
	prompt >"$DIR/out" 2>&1 || fail "a whack that never reads delays another one"
done
ok "a whack that never reads delays nobody"
wait "$deaf" || { cat "$DIR/deaf"; fail "it is not dropped"; }
check "it is dropped, and the log says so" grep -q "whack (pid [0-9]*) does not read; connection dropped" "$DIR/log"
size=$(awk '/VmHWM/ { print $2 }' "/proc/$PID/status")
[ "$size" -lt 400000 ] || fail "pluto needed $size kB"
ok "pluto needed at most $size kB of memory"
check "and answers on" prompt
control_end_pluto
control_end
