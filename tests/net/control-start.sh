#!/bin/bash
# Why pluto does not start: one line with the reason and the remedy, and the manual's exit statuses.
# shellcheck disable=SC2119 # control_start takes options of pluto, not ours
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "a pluto that cannot start"

says 1 "unknown option --nofrok; did you mean --nofork?" "$PLUTO" --nofrok
says 1 "--ikeport x is not a number from 1 to 65535" "$PLUTO" --ikeport x
says 1 "--nattport 0 is not a number from 1 to 65535" "$PLUTO" --natt-port 0
says 1 "--listen 127.0.0.256: a part of a dotted address is at most 255" "$PLUTO" --listen 127.0.0.256
says 1 "--attach eth0 does not name two interfaces; write --attach ipsec0=eth0" "$PLUTO" --attach eth0
says 1 "--kernel klips contradicts --noklips" "$PLUTO" --noklips --kernel klips
says 1 "add --allow-key-logging if that is wanted" "$PLUTO" --debug-all --debug-private
says 1 "cannot open lock file $DIR/none/pluto.pid: No such file or directory; make its directory" \
	"$PLUTO" --noklips --ctlbase "$DIR/none/pluto"
says 1 "cannot open" pluto --wireshark-keys "$DIR/none"
says 1 "is no recording of pluto --record" "$PLUTO" --replay "$DIR/secrets"
says 0 "kernel backends: none" "$PLUTO" --version
"$PLUTO" --version --json >"$DIR/version" 2>&1 || fail "--version --json"
check "the version as JSON" python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
assert v["program"] == "pluto" and v["kernel_backends"] == ["none", "klips", "xfrm"] and "aes_cbc" in v["ciphers"] and len(v["groups"]) > 5' "$DIR/version"
says 0 "--secretsfile FILE" "$PLUTO" --help

# Files that somebody has put in the way
ln -s "$DIR/elsewhere" "$DIR/pluto.pid"
says 1 "it is a symbolic link, which pluto does not follow" pluto
[ ! -e "$DIR/elsewhere" ] || fail "the link was followed"
rm "$DIR/pluto.pid"
mkfifo "$DIR/pluto.pid"
says 1 "is not a plain file of our own; remove it" pluto
rm "$DIR/pluto.pid"
ln -s "$DIR/elsewhere" "$DIR/pluto.ctl"
says 1 "something else than a socket of ours has that name; remove it" pluto
rm "$DIR/pluto.ctl"
mkdir "$DIR/open"
chmod 777 "$DIR/open"
says 1 "anybody may write into $DIR/open; chmod o-w it" "$PLUTO" --noklips --nofork --ikeport "$PORT" \
	--ctlbase "$DIR/open/pluto"
long=$(printf '%0120d' 0)
says 1 "choose a shorter --ctlbase" "$PLUTO" --noklips --nofork --ikeport "$PORT" --ctlbase "$DIR/$long"
[ ! -e "$DIR/pluto.pid" ] || fail "a pluto that did not start leaves its lock file"

# One that runs
control_start
[ "$(stat -c %a "$DIR/pluto.ctl")" = 600 ] || fail "the control socket has another mode than 600"
ok "the control socket is for its owner alone"
says 10 "another pluto (pid $PID) holds the lock file $DIR/pluto.pid" pluto
[ "$(cat "$DIR/pluto.pid")" = "$PID" ] || fail "the second pluto has changed the lock file"
grep -q "core" "/proc/$PID/limits" || fail "no limits to look at"
check "no core file is ever written" grep -Eq 'Max core file size +0 +0' "/proc/$PID/limits"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$DIR"
	setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$WHACK" &&
		says 1 "Permission denied; you may not command this pluto; run whack as root" \
			setpriv --reuid 65534 --regid 65534 --clear-groups "$WHACK" --ctlbase "$DIR/pluto" --status
fi
whack --listen >"$DIR/out" 2>&1 || fail "whack --listen"
echo "--ctlbase $DIR/second" >"$DIR/options"
"$PLUTO" --noklips --stderrlog --nofork --optionsfrom "$DIR/options" --secretsfile "$DIR/secrets" --ikeport "$PORT" \
	--listen 127.0.0.1 >"$DIR/second.log" 2>&1 &
second=$!
for ((i = 0; i < 50; i++)); do
	[ ! -S "$DIR/second.ctl" ] || break
	sleep 0.1
done
says 41 "cannot listen on 127.0.0.1, UDP port $PORT: Address already in use; end the other IKE daemon" \
	"$WHACK" --ctlbase "$DIR/second" --listen
"$WHACK" --ctlbase "$DIR/second" --shutdown >"$DIR/out" 2>&1
wait "$second" || fail "the second pluto ended with status $?"
control_end_pluto
[ ! -e "$DIR/pluto.pid" ] || fail "the lock file is left behind"
[ ! -e "$DIR/pluto.ctl" ] || fail "the socket is left behind"
ok "ended in order, nothing is left behind"

# A socket that a killed pluto has left does not hinder
control_start
kill -KILL "$PID"
wait "$PID" 2>/dev/null
PID=
says 1 "the pluto that made it has ended; start pluto anew" whack --status
control_start
ok "what a killed pluto left does not hinder"
kill -TERM "$PID"
wait "$PID" || fail "SIGTERM: status $?"
PID=
ok "SIGTERM ends it in order"

# Under a service manager that waits to be told: in the foreground, and ready means ready.
cat >"$DIR/manager.py" <<'EOS'
import os, socket, subprocess, sys
name, pid_file, whack = sys.argv[1:4]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\0" + name[1:] if name[0] == "@" else name)
s.settimeout(20)
p = subprocess.Popen(sys.argv[5:], env={**os.environ, "NOTIFY_SOCKET": name})
if sys.argv[4] == "refused":
	status = p.wait(20)
	s.settimeout(0.5)
	try:
		print("told:", s.recv(1000))
	except TimeoutError:
		print("ended with status", status, "and told nothing")
	sys.exit()
print("told:", s.recv(1000))
print("pid", "ours" if int(open(pid_file).read()) == p.pid and p.poll() is None else "of another")
base = pid_file.removesuffix(".pid")
print("status", subprocess.run([whack, "--ctlbase", base, "--status"], stdout=subprocess.DEVNULL).returncode)
print("shutdown", subprocess.run([whack, "--ctlbase", base, "--shutdown"], stderr=subprocess.DEVNULL).returncode)
print("ended with status", p.wait(20))
EOS
managed() { # SOCKET MODE: the same pluto, without --nofork
	timeout 60 python3 "$DIR/manager.py" "$1" "$DIR/pluto.pid" "$WHACK" "$2" "$PLUTO" --noklips --stderrlog --ctlbase "$DIR/pluto" \
		--secretsfile "$DIR/secrets" --ikeport "$PORT" --listen 127.0.0.1 >"$DIR/managed" 2>"$DIR/managed.log"
}
printf '%s\n' "told: b'READY=1\\n'" "pid ours" "status 0" "shutdown 0" "ended with status 0" >"$DIR/wanted"
for name in "$DIR/notify" "@pluto-test-$$"; do
	managed "$name" started
	check "NOTIFY_SOCKET=${name/$DIR/DIR}: told when it takes commands, and it is the process that was started" diff "$DIR/wanted" "$DIR/managed"
done
check "that can be told leaves no word in the log" eval '! grep -q "service manager" "$DIR/managed.log"'
control_start
managed "$DIR/notify2" refused
check "one that does not start tells nothing" [ "$(cat "$DIR/managed")" = "ended with status 10 and told nothing" ]
control_end_pluto
NOTIFY_SOCKET=$DIR/nobody control_start
check "nobody reads: that is in the log, and pluto runs" grep -q 'cannot tell the service manager that pluto is ready: the socket that NOTIFY_SOCKET names: No such file' "$DIR/log"
control_end_pluto

# Port 500 is for root, where the system has such ports
as_user=()
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	chmod 755 "$DIR"
	mkdir -m 700 "$DIR/user"
	chown 65534:65534 "$DIR/user"
else
	mkdir "$DIR/user"
fi
if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null)" = 1024 ] && "${as_user[@]}" test -x "$PLUTO"; then
	says 1 "pluto may not use UDP port 500: Permission denied; run it as root, or with --ikeport 8500" \
		"${as_user[@]}" "$PLUTO" --noklips --nofork --stderrlog --ctlbase "$DIR/user/pluto"
else
	echo "note: anybody may use port 500 here, or $PLUTO is for root only"
fi
control_end
