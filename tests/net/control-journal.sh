#!/bin/bash
# Under systemd events go to the journal, each with its fields; a journal that does not read stops nothing, and one that is started
# anew gets the next events. What is not connected to the journal logs as ever.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
[ "$(id -u)" = 0 ] || skip "a /run of its own needs root"
control_begin "the journal" unshare python3
if [ -z "${CONTROL_RUN:-}" ]; then
	CONTROL_RUN=1 unshare -m "$0" "$@"
	exit
fi
mount -t tmpfs none /run || skip "no file system can be mounted here"
mkdir -p /run/systemd/journal

# journald SECONDS: reads for so long, then it keeps its socket and reads no more. Each datagram must be lines NAME=value.
cat >"$DIR/journald" <<'END'
import json, os, re, socket, sys, time
path = "/run/systemd/journal/socket"
if os.path.exists(path):
	os.unlink(path)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(path)
s.settimeout(0.2)
print("ready", flush=True)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
	try:
		entry = s.recv(65536).decode()
	except socket.timeout:
		continue
	assert entry.endswith("\n"), entry
	lines = entry[:-1].split("\n")
	assert all(re.fullmatch("[A-Z][A-Z0-9_]*=.*", l) for l in lines), entry
	print(json.dumps(dict(l.split("=", 1) for l in lines)), flush=True)
time.sleep(60)
END
journald() {
	python3 -B "$DIR/journald" "$1" >"$DIR/journal" 2>&1 &
	JOURNALD=$!
	for ((i = 0; i < 50; i++)); do
		grep -qs ready "$DIR/journal" && return
		sleep 0.1
	done
	fail "no journal"
}
stop_journald() {
	kill -KILL "$JOURNALD"
	wait "$JOURNALD" 2>/dev/null
}
# entry EXPRESSION: true for one that came; e(NAME) is a field, names are all that it has.
entry() {
	python3 - "$DIR/journal" "$1" <<-'END'
		import json, sys
		for line in open(sys.argv[1]):
		    if line.startswith("{"):
		        fields = json.loads(line)
		        if eval(sys.argv[2], {"e": lambda name: fields.get(name, ""), "names": list(fields)}):
		            sys.exit(0)
		sys.exit(1)
	END
}

journald 60
: >"$DIR/log"
JOURNAL_STREAM=$(stat -c %d:%i "$DIR/log") control_start
check "the start stands in the journal, with facility, severity and name" entry \
	'"is ready" in e("MESSAGE") and (e("PRIORITY"), e("SYSLOG_FACILITY"), e("SYSLOG_IDENTIFIER")) == ("5", "10", "pluto")'
check "what is not known is no field" entry '"is ready" in e("MESSAGE") and not [k for k in names if k.startswith("PLUTO_")]'
check "and it stands nowhere else" [ ! -s "$DIR/log" ]
(umask 077; echo ': PSK "of no consequence to anybody"' >"$DIR/secrets")
whack --listen >"$DIR/out" 2>&1
check "described" whack --name net --host 127.0.0.1 --to --host 127.0.0.79 --ikeport 9 --encrypt --psk --keyingtries 1 --sendinterval 100
whack --initiate net >"$DIR/out" 2>&1
sleep 0.5
check "an event of a connection has its name" entry 'e("PLUTO_CONNECTION") == "net" and e("MESSAGE") == "\"net\": connection described"'
check "one of a negotiation its number and the peer" entry \
	'(e("PLUTO_CONNECTION"), e("PLUTO_SERIAL"), e("PLUTO_PEER")) == ("net", "1", "127.0.0.79:9") and "initiating" in e("MESSAGE")'
check "a refusal its reason and the remedy, which the message has, too" entry \
	'e("PLUTO_REASON") == "no_response" and e("PRIORITY") == "3" and e("MESSAGE").endswith("; remedy: " + e("PLUTO_REMEDY"))'
stop_journald
journald 1
whack --listen >"$DIR/out" 2>&1
sleep 0.3
check "a new journal gets the next events" entry '"listening on" in e("MESSAGE")'
sleep 1.5
for ((i = 0; i < 300; i++)); do
	echo "--name conn$i --host 127.0.0.1 --to --host 127.1.1.1 --client 10.0.$((i % 250)).0/24 --encrypt --psk"
done >"$DIR/batch"
check "one that does not read stops nothing" timeout 10 "$WHACK" --ctlbase "$DIR/pluto" --batch "$DIR/batch"
stop_journald
journald 60
whack --listen >"$DIR/out" 2>&1
sleep 0.5
check "later the journal says how many lines are missing" entry '"lines lost: the log was not read" in e("MESSAGE")'
control_end_pluto

# Something else stands behind standard error.
JOURNAL_STREAM=1:1 control_start
check "where JOURNAL_STREAM means another file, --stderrlog is what it was" grep -q 'is ready' "$DIR/log"
control_end_pluto
stop_journald
control_end
