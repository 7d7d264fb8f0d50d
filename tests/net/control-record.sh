#!/bin/bash
# A negotiation is recorded on both sides, with retransmissions and a restart of whack between; run again from the recording it gives the
# same octets; a recording that was changed is noticed at the line.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "record and replay"

# The peer: 127.0.0.2 on another port.
peer() { "$WHACK" --ctlbase "$DIR/peer" "$@"; }
(umask 077; echo ': PSK "a secret that is in no recording test"' >"$DIR/secrets")
"$PLUTO" --noklips --stderrlog --nofork --ctlbase "$DIR/peer" --secretsfile "$DIR/secrets" --ikeport $((PORT + 1)) \
	--listen 127.0.0.2 --record "$DIR/peer.rec" >"$DIR/peer.log" 2>&1 </dev/null &
other=$!
control_start --record "$DIR/pluto.rec"
connection="--name c --host 127.0.0.1 --ikeport $PORT --client 10.0.1.0/24
	--to --host 127.0.0.2 --ikeport $((PORT + 1)) --client 10.0.2.0/24 --encrypt --psk --sendinterval 200"
# shellcheck disable=SC2086 # the words of one command line
check "the connection" whack $connection
check "pluto listens" whack --listen
# Nobody answers yet.
whack --initiate --name c >"$DIR/first" 2>&1 &
initiator=$!
sleep 0.5
# shellcheck disable=SC2086
check "the peer's connection" peer $connection
check "the peer listens" peer --listen
wait "$initiator" || { cat "$DIR/first"; fail "the negotiation fails"; }
check "after a retransmission the SA is there" grep -q "IPsec SA established" "$DIR/first"
check "status" whack --status
check "the SA is deleted" whack --terminate --name c
control_end_pluto
peer --shutdown >"$DIR/out" 2>&1
wait "$other" || fail "the peer ended with status $?"

[ "$(stat -c %a "$DIR/pluto.rec")" = 600 ] || fail "the recording may be read by others"
ok "recordings are for their owner alone"
says 0 "no difference" "$PLUTO" --replay "$DIR/pluto.rec"
says 0 "no difference" "$PLUTO" --replay "$DIR/peer.rec"

# The first octet of the responder's cookie is another one.
awk '/^> [0-9]+ datagram/ && !done { $NF = substr($NF, 1, 16) (substr($NF, 17, 2) == "5a" ? "a5" : "5a") substr($NF, 19); done = 1 } { print }' \
	"$DIR/pluto.rec" >"$DIR/changed.rec"
cmp -s "$DIR/pluto.rec" "$DIR/changed.rec" && fail "nothing was changed"
says 1 "differs: recorded" "$PLUTO" --replay "$DIR/changed.rec"
grep -v '^< send' "$DIR/pluto.rec" >"$DIR/shorter.rec"
says 1 "differs: recorded" "$PLUTO" --replay "$DIR/shorter.rec"
head -n -1 "$DIR/pluto.rec" >"$DIR/cut.rec"
says 1 "differs: recorded \"(end)\"" "$PLUTO" --replay "$DIR/cut.rec"
control_end
