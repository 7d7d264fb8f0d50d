#!/bin/bash
# Whacks that do not behave: silent ones, ones that never read, floods of them, other protocols. None of them delays another.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "whacks that do not behave" python3
control_start
for ((i = 0; i < 400; i++)); do
	echo "--name conn$i --host 127.0.0.1 --to --host 127.1.0.$((i % 250 + 1)) --client 10.$((i / 250)).$((i % 250)).0/24 --encrypt --psk"
done >"$DIR/batch"
start=$(date +%s%N)
check "400 connections by one whack" whack --batch "$DIR/batch"
took=$((($(date +%s%N) - start) / 1000000))
[ "$took" -lt 5000 ] || fail "they took $took ms"
ok "in $took ms"
says 1 "no connection" whack --batch "$DIR/nobatch" || true
control_end
