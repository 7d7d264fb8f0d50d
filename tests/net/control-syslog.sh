#!/bin/bash
# The log goes to syslog by default: with facility, severity and name, the remedy on the same line; it survives a new syslogd, and a
# syslogd that does not read stops nothing.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
[ "$(id -u)" = 0 ] || skip "a /dev of its own needs root"
control_begin "syslog" unshare python3
if [ -z "${CONTROL_DEV:-}" ]; then
	CONTROL_DEV=1 unshare -m "$0" "$@"
	exit
fi
mkdir "$DIR/dev"
mount -t tmpfs none "$DIR/dev" || skip "no file system can be mounted here"
for device in "null c 1 3" "zero c 1 5" "urandom c 1 9" "random c 1 8"; do
	# shellcheck disable=SC2086 # name, type and numbers
	mknod -m 666 "$DIR/dev/"$device || skip "no device can be made here"
done
mount --move "$DIR/dev" /dev || mount --bind "$DIR/dev" /dev || skip "/dev cannot be replaced"

# syslogd: SECONDS to read for, then it keeps its socket and reads no more
cat >"$DIR/syslogd" <<'END'
import os, socket, sys, time
if os.path.exists("/dev/log"):
	os.unlink("/dev/log")
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
s.settimeout(0.2)
print("ready", flush=True)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
	try:
		print(s.recv(8192).decode(), flush=True)
	except socket.timeout:
		pass
time.sleep(60)
END
syslogd() {
	python3 -B "$DIR/syslogd" "$1" >"$DIR/syslog" 2>&1 &
	SYSLOGD=$!
	for ((i = 0; i < 50; i++)); do
		grep -qs ready "$DIR/syslog" && return
		sleep 0.1
	done
	fail "no syslogd"
}

syslogd 60
"$PLUTO" --noklips --ctlbase "$DIR/pluto" --secretsfile "$DIR/none" --ikeport "$PORT" --listen 127.0.0.1 >"$DIR/out" 2>&1 ||
	fail "pluto does not start"
PID=$(cat "$DIR/pluto.pid")
ok "pluto runs in the background"
[ ! -s "$DIR/out" ] || fail "it wrote to its terminal"
[ "$(readlink "/proc/$PID/cwd")" = / ] || fail "it holds the directory it was started in"
ok "away from the terminal and the directory it was started in"
whack --listen >"$DIR/out" 2>&1 || fail "whack --listen"
sleep 0.5
# authpriv.notice and authpriv.err: 10 * 8 + 5, 10 * 8 + 3
check "authpriv.notice, the name and the pid" grep -Eq "^<85>... .. ..:..:.. pluto\[$PID\]: pluto .* is ready" "$DIR/syslog"
check "the remedy on the same line" grep -Eq "there is no secrets file .*; remedy: create the file" "$DIR/syslog"

kill -KILL "$SYSLOGD"
wait "$SYSLOGD" 2>/dev/null
syslogd 1
whack --listen >"$DIR/out" 2>&1
for ((i = 0; i < 50; i++)); do
	grep -q "listening on" "$DIR/syslog" && break
	sleep 0.1
done
check "a new syslogd gets the next lines" grep -q "listening on" "$DIR/syslog"
sleep 1.5
for ((i = 0; i < 300; i++)); do
	echo "--name conn$i --host 127.0.0.1 --to --host 127.1.1.1 --client 10.0.$((i % 250)).0/24 --encrypt --psk"
done >"$DIR/batch"
check "one that does not read stops nothing" timeout 10 "$WHACK" --ctlbase "$DIR/pluto" --batch "$DIR/batch"
kill -KILL "$SYSLOGD"
wait "$SYSLOGD" 2>/dev/null
syslogd 60
whack --listen >"$DIR/out" 2>&1
sleep 0.5
check "later the log says how many lines are missing" grep -Eq "<83>.* [0-9]+ lines lost: the log was not read" "$DIR/syslog"
whack --shutdown >"$DIR/out" 2>&1 || fail "whack --shutdown"
PID=
kill -KILL "$SYSLOGD"
wait "$SYSLOGD" 2>/dev/null
control_end
