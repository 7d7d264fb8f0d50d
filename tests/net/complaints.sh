#!/bin/bash
# What operators of IKE daemons complain of, and what they read here: a stranger, a secret that is missing or readable for others,
# an identity or a client that differs, a list of connections that is loaded again.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "what operators complain of"
PLUTO_KERNEL=none
pluto_need
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
pluto_gateways
whack() { pluto_whack "$@" >"$LAB_DIR/said.log" 2>&1; }
fast="--keyingtries 1 --sendinterval 200"
# asks ID STATUS ARGUMENT...
asks() {
	local id=$1 wanted=$2 got
	shift 2
	whack "$id" "$@"
	got=$?
	[ "$got" = "$wanted" ] || lab_fail "whack $*: status $got, not $wanted: $(cat "$LAB_DIR/said.log")"
}
said() { lab_check "$1" grep -q -e "$2" "$LAB_DIR/said.log"; }
west_says() { lab_wait 10 "line of west: $2" grep -q -e "$2" "$LAB_DIR/west.log"; lab_ok "$1"; }

# A peer that nobody has described
ip -n "$LAB_PREFIX-east" addr add 192.0.2.7/24 dev wan
asks east 0 --listen
asks east 0 --name stranger --host 192.0.2.7 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk $fast
asks west 0 --name elsewhere --host 198.51.100.1 --to --host 198.51.100.2 --encrypt --psk
asks east 32 --initiate stranger
said "a stranger is told at once" '^214 .*the peer says NO_PROPOSAL_CHOSEN'
west_says "the log names those that are described, and what does not fit" \
	'no connection is described between 192.0.2.2 and 192.0.2.7:500: "secret" is with 192.0.2.1, "elsewhere" is not oriented'
west_says "with a remedy" 'remedy: describe one with whack --name NAME --host OURS --to --host THEIRS, or --host %any'
asks east 0 --delete --name stranger

# Clients that differ
# shellcheck disable=SC2086 # the words of one command line
asks east 0 --delete ${PLUTO_SECRET/10.0.2.0\/24/10.0.2.0\/25} $fast
asks east 32 --initiate secret
said "another mask is told at once, with what the peer would need" '^000 remedy: the peer needs a connection from 10.0.2.0/25 to 10.0.1.0/24'
west_says "the log has both sides next to each other" "10.0.2.0/25.*10.0.2.0/24"
lab_check "and nothing is up" eval '! pluto_whack east --status | grep -q "IPsec SA under"'

# Identities that differ
# shellcheck disable=SC2086
asks east 0 --delete ${PLUTO_SECRET/--host 192.0.2.1/--id @gate.example --host 192.0.2.1} $fast
asks east 32 --initiate secret
said "another identity: the peer's refusal is the probable reason" '^032 .*probably because, as it said without proof, INVALID_ID_INFORMATION'
west_says "the log has the words that would take it" 'remedy: give --id @gate.example'

# Secrets
cp "$LAB_DIR/east/secrets" "$LAB_DIR/kept"
: >"$LAB_DIR/east/secrets"
asks east 0 --listen
# shellcheck disable=SC2086
asks east 0 --delete $PLUTO_SECRET $fast
said "a secret that is missing is told when the connection is described" '^002 "secret": no preshared secret'
asks east 28 --initiate secret
said "and no negotiation begins without it" '^028 '
asks east 28 --which-secret --us 192.0.2.1 --peer 192.0.2.2
cat "$LAB_DIR/kept" >"$LAB_DIR/east/secrets"
chmod 644 "$LAB_DIR/east/secrets"
whack east --listen
said "a file that others may read is refused, with what to do" 'secrets.*chmod'
chmod 600 "$LAB_DIR/east/secrets"
asks east 0 --listen
asks east 0 --which-secret --us 192.0.2.1 --peer 192.0.2.2
said "which secret would be used is told by file and line" '^004 the secret of .*/east/secrets:1'

# A list of connections, loaded again: what did not change is not touched
cat >"$LAB_DIR/list" <<LIST
$PLUTO_SECRET --delete
--name other --delete --host 192.0.2.1 --client 10.0.9.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk
LIST
asks east 0 --batch "$LAB_DIR/list"
asks east 0 --initiate secret
spis() { pluto_whack east --status --name secret | grep -o '0x[0-9a-f]\{8\}' | sort; }
spis >"$LAB_DIR/before"
lab_check "an SA" [ -s "$LAB_DIR/before" ]
sed -i 's/10.0.9.0/10.0.8.0/' "$LAB_DIR/list"
asks east 0 --load "$LAB_DIR/list"
said "the list again: what is the same stays" '^004 "secret": described like this already, its SAs stay'
said "what changed is replaced" '^004 "other": connection described'
spis >"$LAB_DIR/after"
lab_check "with the same SPIs" cmp "$LAB_DIR/before" "$LAB_DIR/after"
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
