#!/bin/bash
# Each class of debugging output shows what the manual says, and nothing of the others; private keys only where pluto was allowed
# to show them. Public keys can be forgotten.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "classes of debugging output"
(umask 077; echo '127.0.0.1 127.0.0.2: PSK "of no consequence"' >"$DIR/secrets")
peer() { "$WHACK" --ctlbase "$DIR/peer" "$@"; }
"$PLUTO" --noklips --stderrlog --nofork --ctlbase "$DIR/peer" --secretsfile "$DIR/secrets" --ikeport $((PORT + 1)) \
	--listen 127.0.0.2 >"$DIR/peer.log" 2>&1 </dev/null &
other=$!
trap 'ends=$?; kill "$other" 2>/dev/null; (exit $ends); control_clean' EXIT
begin() {
	control_start "$@"
	for ((i = 0; i < 100; i++)); do
		peer --status >/dev/null 2>&1 && break
		sleep 0.1
	done
	for side in whack peer; do
		$side --delete --name c --host 127.0.0.1 --ikeport "$PORT" --client 10.0.1.0/24 --to --host 127.0.0.2 \
			--ikeport $((PORT + 1)) --client 10.0.2.0/24 --encrypt --psk && $side --listen || fail "$side"
	done >"$DIR/said" 2>&1
}
begin
declare -A shows=(
	[raw]="received, [0-9]* octets: [0-9a-f]\\{56\\}\\|sent to 127.0.0.2:$((PORT + 1)), [0-9]* octets: [0-9a-f]\\{56\\}"
	[crypt]='decrypted, [0-9]* octets: \|to be encrypted, [0-9]* octets: \|IV, 16 octets: \|HASH_1, 32 octets: \|HASH_I, 32 octets: '
	[parsing]='SA, Security Association: [0-9]* octets\|KE, Key Exchange: [0-9]* octets\|HASH, Hash: [0-9]* octets'
	[emitting]='sending MI1, [0-9]* octets\|sending QI1, [0-9]* octets'
	[control]='MR1 in MAIN_I1: main_inR1_outI2\|lives 3600 s, to be replaced in\|waiting for an ISAKMP SA that is negotiated'
	[klips]='asked: add SA 0x[0-9a-f]\{8\}, IP protocol 50, to 127.0.0.2\|asked: eroute to SAs\|answer: done'
)
lines() { grep -c "| .*\($1\)" "$DIR/class"; }
for class in raw crypt parsing emitting control klips; do
	says 0 "004 debugging output selected" whack --debug "none,$class"
	from=$(($(wc -l <"$DIR/log") + 1))
	whack --initiate c >"$DIR/said" 2>&1 || { cat "$DIR/said"; fail "the negotiation fails"; }
	whack --terminate c >"$DIR/said" 2>&1
	tail -n "+$from" "$DIR/log" >"$DIR/class"
	IFS=$'\n' read -r -d '' -a wanted < <(sed 's/\\|/\n/g' <<<"${shows[$class]}")
	for text in "${wanted[@]}"; do
		[ "$(lines "$text")" -gt 0 ] || { grep '| ' "$DIR/class"; fail "$class does not show: $text"; }
	done
	for name in "${!shows[@]}"; do
		# What is sent is read as what is received is.
		[ "$name" = "$class" ] || [ "$class $name" = "emitting parsing" ] || [ "$(lines "${shows[$name]}")" = 0 ] ||
			{ grep "| .*\(${shows[$name]}\)" "$DIR/class"; fail "$class shows what $name is for"; }
	done
	ok "--debug $class shows what it is for, and nothing else"
done
says 35 "035 --debug-private writes secrets into the log" whack --debug control,private
says 1 '"hex" is not one of none all raw crypt' whack --debug raw,hex
says 35 "035 --debug-private writes secrets into the log" whack --debug-private
says 35 "000 remedy: start pluto with --allow-key-logging" whack --name c --debug-private
! grep -q '| .*SKEYID' "$DIR/log" || fail "a secret value is in the log"
ok "whack cannot make pluto show private keys"

key=0x0103$(printf 'c1%.0s' {1..128})
says 0 "004 RSA public key of @east.example" whack --keyid @east.example --pubkeyrsa "$key"
says 0 "004 RSA public keys of @EAST.example forgotten: 1" whack --delete --keyid @EAST.example
says 28 "028 no RSA public key of @east.example is known" whack --delete --keyid @east.example
whack --status >"$DIR/said" 2>&1
! grep -q 'east.example' "$DIR/said" || fail "the status still knows the key"
ok "a public key is forgotten"
says 0 "004 RSA public key of @east.example" whack --keyid @east.example --pubkeyrsa "$key"
says 0 "002 RSA public keys of @east.example forgotten: 1" whack --delete --keyid @east.example --pubkeyrsa "$key"
whack --status >"$DIR/said" 2>&1
check "a key that is given with --delete takes the place of what was there" grep -q '@east.example' "$DIR/said"
control_end_pluto

says 1 "--debug-private writes secrets into the log; add --allow-key-logging" "$PLUTO" --nofork --stderrlog --noklips --ctlbase "$DIR/no" --debug raw,private
says 1 "--debug-private writes secrets into the log; add --allow-key-logging" "$PLUTO" --nofork --stderrlog --noklips --ctlbase "$DIR/no" --debug-private
begin --allow-key-logging --debug private
whack --initiate c >"$DIR/said" 2>&1 || { cat "$DIR/said"; fail "the negotiation fails"; }
for text in 'SKEYID, 32 octets: [0-9a-f]\{64\}' 'SKEYID_d, ' 'KEYMAT, '; do
	check "where it is allowed, private shows ${text%%,*}" grep -q "| .*$text" "$DIR/log"
done
says 0 "004 debugging output selected" whack --debug private,crypt
control_end_pluto
peer --shutdown >"$DIR/said" 2>&1
wait "$other" || fail "the peer ended with status $?"
control_end
