#!/bin/bash
# How fast pluto is commanded: connections described in one stream, status of very many, and that neither keeps
# others waiting. Prints a table and fails when a number is over its limit.
: "${top_builddir:=$(pwd)}"
: "${PLUTO:=$top_builddir/src/pluto}"
: "${WHACK:=$top_builddir/whack/whack}"
command -v python3 >/dev/null || { echo "SKIP: python3 is not installed"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
pid=
clean() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

whack() { "$WHACK" --ctlbase "$dir/pluto" "$@"; }
seconds() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }'; }

bad=0
row() { # TEXT VALUE LIMIT UNIT
	local verdict=ok
	awk -v v="$2" -v l="$3" 'BEGIN { exit !(v <= l) }' || { verdict="OVER THE LIMIT"; bad=1; }
	printf '%-58s %10s %10s %-3s %s\n' "$1" "$2" "$3" "$4" "$verdict"
}

describe() { # FROM TO
	awk -v a="$1" -v b="$2" 'BEGIN { for (i = a; i <= b; i++)
		printf "--name c%d --host 127.0.0.1 --client 10.%d.%d.0/24 --to --host 192.0.%d.%d --client 172.%d.%d.0/24 --encrypt --psk\n",
			i, i / 256 % 256, i % 256, i / 250, i % 250 + 1, 16 + i / 4096 % 16, i % 256 }'
}

(umask 077; echo ': PSK "of no consequence"' >"$dir/secrets")
"$PLUTO" --noklips --stderrlog --nofork --ctlbase "$dir/pluto" --secretsfile "$dir/secrets" --listen 127.0.0.1 \
	--ikeport $((20000 + $$ % 20000)) >"$dir/log" 2>&1 </dev/null &
pid=$!
for ((i = 0; i < 100; i++)); do
	whack --status >/dev/null 2>&1 && break
	sleep 0.1
done
whack --listen >/dev/null 2>&1 || { echo "FAIL: pluto does not listen"; tail "$dir/log"; exit 1; }

printf '%-58s %10s %10s\n' "" measured limit
describe 1 1000 >"$dir/thousand"
began=$EPOCHREALTIME
whack --batch "$dir/thousand" >"$dir/out" 2>&1 || { echo "FAIL: the batch"; tail -n 3 "$dir/out"; exit 1; }
row "1,000 connections described, one whack --batch" "$(seconds "$began")" 1 s

describe 1001 10000 >"$dir/more"
began=$EPOCHREALTIME
whack --batch "$dir/more" >"$dir/out" 2>&1 || { echo "FAIL: the batch"; tail -n 3 "$dir/out"; exit 1; }
row "9,000 more" "$(seconds "$began")" 5 s

for form in "" --brief --json; do
	began=$EPOCHREALTIME
	# shellcheck disable=SC2086 # no word, or one
	whack --status $form >"$dir/out" 2>&1 || { echo "FAIL: whack --status $form"; exit 1; }
	row "10,000 connections told, whack --status $form" "$(seconds "$began")" 1 s
	[ "$(grep -c 'c[1-9][0-9]*"' "$dir/out")" -ge 10000 ] || { echo "FAIL: not all are told"; exit 1; }
done
for form in "" json; do
	worst=$(python3 "$here/control_latency.py" "$dir/pluto.ctl" $form) || { echo "FAIL: $worst"; exit 1; }
	row "longest wait of another whack meanwhile ${form:+(--json)}" "$worst" 50 ms
done
began=$EPOCHREALTIME
whack --shutdown >"$dir/out" 2>&1
wait "$pid" || { echo "FAIL: pluto ended with status $?"; tail "$dir/log"; exit 1; }
pid=
row "shut down with 10,000 connections" "$(seconds "$began")" 2 s
exit $bad
