# shellcheck shell=bash disable=SC2034
# pluto and whack on this host, without privileges and namespaces: source it, then call control_begin.
#
#   control_begin NAME [PROGRAM...]   or exit 77, saying what is missing; $DIR is an empty folder, $PORT a UDP port
#   control_start [OPTION...]         a pluto in $DIR that answers whack; its log is $DIR/log, its pid $PID
#   control_end_pluto                 by whack --shutdown; must end with status 0
#   whack ARGUMENT...                 whack, told which pluto
#   says STATUS TEXT COMMAND...       the command must end with STATUS, and TEXT must be a part of a line it prints
#   ok TEXT / check TEXT COMMAND... / fail TEXT / control_end
set -u
export LC_ALL=C
: "${top_builddir:=$(pwd)}"
: "${PLUTO:=$top_builddir/src/pluto}"
: "${WHACK:=$top_builddir/whack/whack}"
# A daemon that may not be traced cannot look for leaks either.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

CHECKS=0
PID=

skip() { echo "SKIP: $*"; exit 77; }

fail() {
	echo "FAIL: $*"
	[ ! -s "$DIR/out" ] || { echo "--- what was printed"; tail -n 15 "$DIR/out"; }
	[ ! -s "$DIR/log" ] || { echo "--- the end of the log"; tail -n 15 "$DIR/log"; }
	exit 1
}

ok() {
	CHECKS=$((CHECKS + 1))
	echo "ok $CHECKS - $*"
}

check() {
	local text=$1
	shift
	"$@" >"$DIR/out" 2>&1 || fail "$text"
	ok "$text"
}

says() {
	local status=$1 text=$2 got
	shift 2
	"$@" >"$DIR/out" 2>&1
	got=$?
	[ "$got" = "$status" ] || fail "$*: status $got, not $status"
	grep -qF -e "$text" "$DIR/out" || fail "$*: does not say: $text"
	ok "$text"
}

control_clean() {
	local status=$?
	trap - EXIT
	[ -z "$PID" ] || kill -KILL "$PID" 2>/dev/null
	chmod -R u+rwx "$DIR"
	rm -rf "$DIR"
	exit "$status"
}

control_begin() {
	local program
	TITLE=$1
	shift
	[ -x "$PLUTO" ] || skip "$PLUTO is not built"
	[ -x "$WHACK" ] || skip "$WHACK is not built"
	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
	DIR=$(mktemp -d) || exit 1
	PORT=$((20000 + $$ % 20000))
	trap control_clean EXIT
	trap 'exit 130' INT TERM HUP
	(umask 077; echo ': PSK "of no consequence"' >"$DIR/secrets")
}

control_end() {
	echo "PASS: $TITLE, $CHECKS checks"
	exit 0
}

whack() { "$WHACK" --ctlbase "$DIR/pluto" "$@"; }

# What every pluto here is started with; what follows an option wins nothing, so each is given once.
pluto() {
	timeout 60 "$PLUTO" --noklips --stderrlog --nofork --ctlbase "$DIR/pluto" --secretsfile "$DIR/secrets" \
		--ikeport "$PORT" --listen 127.0.0.1 "$@"
}

control_start() {
	local i
	"$PLUTO" --noklips --stderrlog --nofork --ctlbase "$DIR/pluto" --secretsfile "$DIR/secrets" \
		--ikeport "$PORT" --listen 127.0.0.1 "$@" >"$DIR/log" 2>&1 </dev/null &
	PID=$!
	for ((i = 0; i < 100; i++)); do
		whack --status >/dev/null 2>&1 && return
		kill -0 "$PID" 2>/dev/null || fail "pluto ends at once"
		sleep 0.1
	done
	fail "pluto does not answer"
}

control_end_pluto() {
	local i status
	whack --shutdown >"$DIR/out" 2>&1
	for ((i = 0; i < 50; i++)); do
		kill -0 "$PID" 2>/dev/null || break
		sleep 0.1
	done
	kill -0 "$PID" 2>/dev/null && fail "pluto does not end"
	wait "$PID"
	status=$?
	PID=
	[ "$status" = 0 ] || fail "pluto ended with status $status"
}
