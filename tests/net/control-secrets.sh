#!/bin/bash
# A preshared secret and the keys made from it appear nowhere: not in the log with all debugging, not in status, not in what whack
# prints, not in the arguments of a process; and where they were asked for, only their owner can read them.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "secrets stay secret"
canary=zPmQ7vKx3TnYw9LdRb5H
hex=$(printf %s "$canary" | od -An -tx1 | tr -d ' \n')
(umask 077; echo "127.0.0.1 127.0.0.2: PSK \"$canary\"" >"$DIR/secrets"; mkdir "$DIR/keys")
peer() { "$WHACK" --ctlbase "$DIR/peer" "$@"; }
"$PLUTO" --noklips --stderrlog --nofork --ctlbase "$DIR/peer" --secretsfile "$DIR/secrets" --ikeport $((PORT + 1)) \
	--listen 127.0.0.2 --debug-all >"$DIR/peer.log" 2>&1 </dev/null &
other=$!
control_start --debug-all --wireshark-keys "$DIR/keys"
for side in whack peer; do
	$side --name c --host 127.0.0.1 --ikeport "$PORT" --client 10.0.1.0/24 --to --host 127.0.0.2 \
		--ikeport $((PORT + 1)) --client 10.0.2.0/24 --encrypt --psk
	$side --listen
done >"$DIR/said" 2>&1
whack --initiate --name c >>"$DIR/said" 2>&1 || { cat "$DIR/said"; fail "the negotiation fails"; }
ok "an SA with all debugging output"
whack --status >>"$DIR/said" 2>&1
says 0 "$DIR/secrets:1" whack --which-secret --us 127.0.0.1 --peer 127.0.0.2
cat "$DIR/out" >>"$DIR/said"
tr '\0' ' ' <"/proc/$PID/cmdline" >>"$DIR/said"
check "the keys for Wireshark are there" test -s "$DIR/keys/esp_sa"
[ "$(stat -c %a "$DIR/keys/esp_sa")" = 600 ] || fail "the keys may be read by others"
ok "for their owner alone"
key=$(sed -n '1s/.*","0x\([0-9a-f]*\)","NULL".*/\1/p' "$DIR/keys/esp_sa")
[ "${#key}" -ge 32 ] || fail "no key is to be found in $(cat "$DIR/keys/esp_sa")"
control_end_pluto
peer --shutdown >>"$DIR/said" 2>&1
wait "$other" || fail "the peer ended with status $?"
for file in log peer.log said; do
	for what in "$canary" "$hex" "${key:0:24}"; do
		! grep -qi "$what" "$DIR/$file" || fail "$what is in $file"
	done
	ok "nothing in $file"
done
check "there was debugging output" grep -q ' | ' "$DIR/log"
control_end
