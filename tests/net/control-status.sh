#!/bin/bash
# whack --status about very many connections, while they are deleted and described, and by whacks that do not wait for it.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "status of very many connections"
control_start
lines() { awk -v n="$1" -v o="$2" 'BEGIN { for (i = 1; i <= n; i++)
	printf "%s --name c%d --host 127.0.0.1 --client 10.%d.%d.0/24 --to --host 192.0.%d.%d --encrypt --psk\n",
		o, i, i / 256, i % 256, i / 250, i % 250 + 1 }'; }
lines 3000 "" >"$DIR/add"
lines 3000 --delete >"$DIR/again"
check "3,000 connections" whack --batch "$DIR/add"
check "pluto listens" whack --listen

whole() { # [FORM]: the number of connections that were told
	# shellcheck disable=SC2086 # no word, or one
	whack --status ${1-} >"$DIR/told" 2>&1 || return 1
	grep -c '"c[1-9][0-9]*"' "$DIR/told"
}
[ "$(whole)" = 3000 ] || fail "not all of them"
ok "all of them are told"
check "in the order of their numbers" awk '/^000 "c/ { n = substr($2, 3) + 0; if (n != ++last) exit 1 } END { exit last != 3000 }' "$DIR/told"
[ "$(whole --brief)" = 3000 ] && [ "$(wc -l <"$DIR/told")" = 3000 ] || fail "not all of them in brief"
ok "in brief one line each"
[ "$(whole --json)" = 3000 ] || fail "not all of them as JSON"
ok "as JSON all of them"
if command -v python3 >/dev/null && python3 -c 'import jsonschema' 2>/dev/null; then
	check "as the schema has it" sh -c 'python3 "$1/status_check.py" "$1/../../docs/status.schema.json" \
		"len(connection) == 3000" "status[\"totals\"][\"connections\"] == 3000" <"$2"' - "$here" "$DIR/told"
fi

# All are described anew while they are told about, by several whacks, some of which hang up.
whack --batch "$DIR/again" >"$DIR/again.log" 2>&1 &
batch=$!
n=0
while kill -0 "$batch" 2>/dev/null; do
	whack --status --json >"$DIR/json" 2>&1 &
	json=$!
	whack --status >"$DIR/text" 2>&1 &
	text=$!
	"$WHACK" --ctlbase "$DIR/pluto" --status >"$DIR/cut" 2>&1 &
	cut=$!
	sleep 0.02
	kill -KILL "$cut" 2>/dev/null
	wait "$cut" "$json" "$text" 2>/dev/null
	n=$((n + 1))
done
wait "$batch" || { cp "$DIR/again.log" "$DIR/out"; fail "the batch"; }
ok "$n times three whacks while all are described anew"
[ "$(whole)" = 3000 ] || fail "not all of them afterwards"
ok "afterwards all are there"
whack --status --json >"$DIR/json" 2>&1 &
check "shut down in the middle of an answer" whack --shutdown
wait "$PID" || fail "pluto ended with status $?"
PID=
ok "pluto ends in order"
control_end
