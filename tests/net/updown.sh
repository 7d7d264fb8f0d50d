#!/bin/bash
# shellcheck disable=SC2016
# The updown command: which verbs run when, and when not; what it is told; scripts that fail or hang; names and words that
# a shell would evaluate.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
: "${top_srcdir:=$here/../..}"

lab_begin "the updown command" ping
pluto_need
DEFAULT=$(realpath "$IPSEC_EXECDIR/_updown")
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
lab_gateways
for id in east west; do
	pluto_start "$id" "$id"
	: >"$LAB_DIR/$id.calls"
done

# tell FILE FAIL...: notes the verb and the connection, then does what the default script does; fails for the verbs named.
cat >"$LAB_DIR/tell" <<EOS
#!/bin/sh
file=\$1
shift
echo "\${PLUTO_VERB%-*} \$PLUTO_CONNECTION" >>"\$file"
env | grep -v -E '^(PWD|_|SHLVL|OLDPWD)=' | sort >"\$file.env"
grep SigBlk /proc/self/status >"\$file.signals"
verb=\${PLUTO_VERB%-*}
for word; do
	case \$word in
	"\$verb") echo "told to fail at \$verb" >&2; exit 3 ;;
	hang-"\$verb") sleep 1000 ;;
	esac
done
exec "$DEFAULT"
EOS
chmod +x "$LAB_DIR/tell"

# mends FILE COMMAND...: fails at the verbs that stand in the file.
cat >"$LAB_DIR/mends" <<'EOS'
#!/bin/sh
fails=$(cat "$1")
shift
exec "$@" $fails
EOS
chmod +x "$LAB_DIR/mends"

# describe ID NAME CLIENT-OF-EAST CLIENT-OF-WEST SCRIPT [OPTION...]; east is left.
describe() {
	local id=$1 name=$2 left=$3 right=$4 script=$5
	shift 5
	pluto_whack "$id" --name "$name" --delete >/dev/null 2>&1
	pluto_whack "$id" --name "$name" --host 192.0.2.1 --client "$left" --updown "$script" --to --host 192.0.2.2 \
		--client "$right" --updown "$script" --encrypt --psk "$@" >"$LAB_DIR/$id.add.log" 2>&1 ||
		lab_fail "pluto $id refuses the connection $name"
}
calls() { tr '\n' ';' <"$LAB_DIR/$1.calls" 2>/dev/null; : >"$LAB_DIR/$1.calls"; }
# expect ID CALLS: exactly these since the last time. What whack asked for may be answered before it is all done.
expect() {
	local id=$1 want=$2 what=$3 got i
	for ((i = 0; i < 30; i++)); do
		got=$(tr '\n' ';' <"$LAB_DIR/$id.calls")
		[ "${#got}" -lt "${#want}" ] || break
		sleep 0.1
	done
	sleep 0.2
	got=$(calls "$id")
	[ "$got" = "$want" ] || lab_fail "$what, $id: calls '$got', expected '$want'"
	lab_ok "$what, $id: ${want:-nothing}"
}
# failure ID VERB EXIT-STATUS WHAT: what the status tells of the connection net, as text and as JSON; none: nothing.
failure() {
	local id=$1 verb=$2 exit=$3 what=$4 member="\"updown_failure\":null" text='! grep -q "updown FAILED"'
	pluto_whack "$id" --status net >"$LAB_DIR/status.log" 2>&1
	pluto_whack "$id" --status net --json >"$LAB_DIR/status.json" 2>/dev/null
	if [ "$verb" != none ]; then
		text="grep -Eq '^000 +updown FAILED at $verb, [0-9]+ s ago: [a-z]+ ended with exit status $exit\$'"
		member="\"updown_failure\":{\"verb\":\"$verb\",\"exit_status\":$exit,\"ago\":[0-9]+,\"message\":\"[a-z]+ ended with exit status $exit\"}"
	fi
	lab_check "$what: in the status" eval "$text \"\$LAB_DIR/status.log\""
	lab_check "$what: in the JSON" grep -Eq "$member" "$LAB_DIR/status.json"
}
whack() {	# whack ID WHAT ARGUMENT...: must succeed
	local id=$1 what=$2
	shift 2
	pluto_whack "$id" "$@" >"$LAB_DIR/$id.whack.log" 2>&1 || lab_fail "$what: whack ended with $?"
}
status() {	# status ID NUMBER WHAT ARGUMENT...
	local id=$1 want=$2 what=$3 got
	shift 3
	timeout 60 "$WHACK" --ctlbase "$LAB_DIR/$id/pluto" "$@" >"$LAB_DIR/$id.whack.log" 2>&1
	got=$?
	[ "$got" = "$want" ] || lab_fail "$what: whack ended with $got, expected $want"
	lab_ok "$what: whack ends with status $want"
}
# Routes to clients; those of the interfaces' own subnets are the system's.
no_routes() { ! ip -n "$LAB_PREFIX-$1" -o route show | grep -v 'proto kernel' | grep ipsec; }

for id in east west; do
	describe "$id" net 10.0.1.0/24 10.0.2.0/24 "$LAB_DIR/tell $LAB_DIR/$id.calls" --rekeymargin 3 --rekeyfuzz 0 --ipseclifetime 9
	pluto_whack "$id" --listen >"$LAB_DIR/$id.listen.log" 2>&1 || lab_fail "pluto $id does not listen"
done
calls east >/dev/null; calls west >/dev/null

# A script that hangs, at west: all that follows goes on meanwhile; after 30 seconds it is killed.
describe west hangs 10.0.9.0/24 10.0.2.0/24 "$LAB_DIR/tell $LAB_DIR/hangs.calls hang-route"
began=$SECONDS
timeout 60 "$WHACK" --ctlbase "$LAB_DIR/west/pluto" --route hangs >"$LAB_DIR/hang.log" 2>&1 &
hanging=$!
lab_wait 5 "the script that hangs" grep -q 'route hangs' "$LAB_DIR/hangs.calls"

whack east "route" --route net
expect east "prepare net;route net;" "route"
lab_check "again: it is routed" pluto_whack east --route net
expect east "" "route again"
whack east "initiate" --name net --initiate
expect east "up net;" "initiate when routed"
lab_wait 3 "west's turn" grep -q up "$LAB_DIR/west.calls"
expect west "prepare net;route net;up net;" "respond"
lab_check "traffic passes" lab_ping ehost 10.0.2.9 2
[ $((SECONDS - began)) -lt 15 ] || lab_fail "the other connection took $((SECONDS - began)) s"
lab_check "while a script hangs, another connection comes up" eval 'kill -0 "$hanging" && [ "$(tail -n 1 "$LAB_DIR/hangs.calls")" = "route hangs" ]'
cat >"$LAB_DIR/env.expected" <<EOS
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PLUTO_CONNECTION=net
PLUTO_INTERFACE=$(ip -n "$LAB_PREFIX-east" -o route get 10.0.2.9 | sed -n 's/.* dev \([^ ]*\).*/\1/p')
PLUTO_ME=192.0.2.1
PLUTO_MY_CLIENT=10.0.1.0/24
PLUTO_MY_CLIENT_MASK=255.255.255.0
PLUTO_MY_CLIENT_NET=10.0.1.0
PLUTO_NEXT_HOP=192.0.2.2
PLUTO_PEER=192.0.2.2
PLUTO_PEER_CLIENT=10.0.2.0/24
PLUTO_PEER_CLIENT_MASK=255.255.255.0
PLUTO_PEER_CLIENT_NET=10.0.2.0
PLUTO_VERB=up-client
PLUTO_VERSION=1.0
EOS
lab_check "all its variables, and no others" diff "$LAB_DIR/env.expected" "$LAB_DIR/east.calls.env"
lab_check "it takes all signals" grep -q '^SigBlk:[[:space:]]*0*$' "$LAB_DIR/east.calls.signals"

# Rekeying begins 6 seconds after the SA was made; the old one expires 3 seconds later.
lab_wait 15 "replacement" grep -q 'replacing this IPsec SA' "$LAB_DIR/east.log"
lab_wait 10 "end of the old SA" grep -q 'IPsec SA expired' "$LAB_DIR/east.log"
lab_check "traffic passes after rekeying" lab_ping ehost 10.0.2.9 2
expect east "" "rekey"
expect west "" "rekey"
for id in east west; do
	describe "$id" net 10.0.1.0/24 10.0.2.0/24 "$LAB_DIR/tell $LAB_DIR/$id.calls"
	describe "$id" half 10.0.1.128/25 10.0.2.0/24 "$LAB_DIR/tell $LAB_DIR/$id.calls"
done
expect east "down net;unroute net;" "delete"
calls west >/dev/null

whack east "initiate" --name net --initiate
expect east "prepare net;route net;up net;" "initiate"
whack east "initiate a second one" --name half --initiate
expect east "up half;" "a second one with the same peer's client"
status east 26 "unroute while there is an SA" --unroute net
whack east "terminate" --name net --terminate
expect east "down net;" "terminate"
lab_ping ehost 10.0.2.9 1 >/dev/null 2>&1 && lab_fail "a ping passed without an SA"
lab_ok "what is routed without an SA is dropped"
whack east "unroute" --unroute net
expect east "" "unroute of a route that is shared"
lab_check "whack says who shares it" grep -q '"half" shares it' "$LAB_DIR/east.whack.log"
whack east "terminate" --name half --terminate
whack east "unroute" --unroute half
expect east "down half;unroute half;" "the last one"
lab_check "no route is left" no_routes east
whack east "initiate" --name net --initiate
calls east >/dev/null; calls west >/dev/null
pluto_whack west --name half --delete >/dev/null 2>&1
pluto_stop east
expect east "down net;unroute net;" "shutdown"
lab_check "and no route is left" no_routes east
lab_wait 5 "west's end of it" grep -q 'down net' "$LAB_DIR/west.calls"

# Failures: the negotiation ends, all is undone, whack gets status 37.
pluto_start east east
for verb in prepare route up; do
	describe east net 10.0.1.0/24 10.0.2.0/24 "$LAB_DIR/tell $LAB_DIR/east.calls $verb"
	pluto_whack east --listen >"$LAB_DIR/east.listen.log" 2>&1
	calls east >/dev/null
	status east 37 "initiate, $verb fails" --name net --initiate
	grep -q "failed at $verb: tell ended with exit status 3" "$LAB_DIR/east.whack.log" ||
		lab_fail "whack is not told what has failed: $(cat "$LAB_DIR/east.whack.log")"
	case $verb in
	prepare) expect east "prepare net;" "prepare fails" ;;
	route) expect east "prepare net;route net;unroute net;" "route fails" ;;
	up) expect east "prepare net;route net;up net;down net;unroute net;" "up fails" ;;
	esac
	lab_check "nothing is left" no_routes east
	failure east "$verb" 3 "$verb fails"
	lab_check "what it printed is in the log" grep -q "tell: told to fail at $verb" "$LAB_DIR/east.log"
	if [ "$verb" != up ]; then
		status east 37 "route, $verb fails" --route net
		case $verb in
		prepare) expect east "prepare net;" "prepare fails" ;;
		route) expect east "prepare net;route net;unroute net;" "route fails" ;;
		esac
		lab_check "nothing is left" no_routes east
	fi
done
# It is forgotten when the same verb, or up, succeeds.
echo up >"$LAB_DIR/fails"
describe east net 10.0.1.0/24 10.0.2.0/24 "$LAB_DIR/mends $LAB_DIR/fails $LAB_DIR/tell $LAB_DIR/east.calls"
failure east none 0 "described anew"
status east 37 "initiate, up fails" --name net --initiate
failure east up 3 "after what was done is undone"
whack east "route" --route net
failure east up 3 "up was not tried again"
: >"$LAB_DIR/fails"
whack east "initiate" --name net --initiate
failure east none 0 "up has succeeded"
echo down >"$LAB_DIR/fails"
status east 37 "terminate, down fails" --name net --terminate
failure east down 3 "down fails"
: >"$LAB_DIR/fails"
whack east "initiate" --name net --initiate
failure east none 0 "and up has succeeded since"
whack east "delete" --name net --delete
for verb in down unroute; do
	describe east net 10.0.1.0/24 10.0.2.0/24 "$LAB_DIR/tell $LAB_DIR/east.calls $verb"
	whack east "initiate" --name net --initiate
	calls east >/dev/null
	status east 37 "delete, $verb fails" --name net --delete
	lab_check "whack is told what has failed" grep -q "^037 .*failed at $verb: tell ended with exit status 3" "$LAB_DIR/east.whack.log"
	expect east "down net;unroute net;" "$verb fails, but what must end ends"
	lab_check "the failure is in the log" grep -q "$verb: tell ended with exit status 3" "$LAB_DIR/east.log"
	ip -n "$LAB_PREFIX-east" route del 10.0.2.0/24 2>/dev/null
done

# Nothing is evaluated: words of the command, values of the variables.
calls east >/dev/null
describe east net 10.0.1.0/24 10.0.2.0/24 "$LAB_DIR/tell $LAB_DIR/east.calls \$(touch $LAB_DIR/marker) ;touch $LAB_DIR/marker \`touch $LAB_DIR/marker\` |x &"
whack east "route" --route net
expect east "prepare net;route net;" "words that a shell would evaluate"
for name in '$(touch marker)' 'a;touch marker' 'a`touch marker`' $'a\ntouch marker' '-x' 'a b' '../x'; do
	pluto_whack east --name "$name" --host 192.0.2.1 --to --host 192.0.2.2 --encrypt >/dev/null 2>&1 &&
		lab_fail "the name $name is accepted"
done
[ ! -e "$LAB_DIR/marker" ] && [ ! -e marker ] || lab_fail "something was evaluated"
lab_ok "names that a shell would evaluate are refused, nothing was evaluated"

wait "$hanging"
got=$?
took=$((SECONDS - began))
[ "$got" = 37 ] || lab_fail "the hanging script: whack ended with $got: $(cat "$LAB_DIR/hang.log")"
[ "$took" -ge 28 ] && [ "$took" -le 40 ] || lab_fail "the hanging script took $took s"
lab_check "a script that hangs is killed after 30 seconds: status 37, and the reason" grep -q 'longer than 30 s' "$LAB_DIR/hang.log"
pluto_whack west --status hangs >"$LAB_DIR/hangs.status" 2>&1
lab_check "and the status tells it" grep -Eq 'updown FAILED at route, [0-9]+ s ago: tell took longer than 30 s and was killed' "$LAB_DIR/hangs.status"
pluto_whack west --status hangs --json >"$LAB_DIR/hangs.json" 2>/dev/null
lab_check "as JSON without an exit status" grep -q '"updown_failure":{"verb":"route","exit_status":null,' "$LAB_DIR/hangs.json"
lab_wait 5 "the undoing" grep -q 'unroute hangs' "$LAB_DIR/hangs.calls"
lab_check "pluto is well" lab_ping west 192.0.2.1 1

pluto_stop east
pluto_stop west
lab_check "no route is left at the end, east" no_routes east
lab_check "no route is left at the end, west" no_routes west
lab_end
