#!/bin/bash
# Two plutos that prove who they are by RSA signatures: by address and by name, chosen by --rsasig or for want of a
# secret; and what is said when a key or an identity is wrong.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
: "${RSASIGKEY:=$top_builddir/src/rsasigkey}"

lab_begin "RSA signatures" ping
pluto_need
[ -x "$RSASIGKEY" ] || lab_skip "$RSASIGKEY is not built"
ends='--host 192.0.2.1 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt'
named='--id @East.example --host 192.0.2.1 --client 10.0.1.0/24 --to --id west@example.org --host 192.0.2.2 --client 10.0.2.0/24 --encrypt'

make_key() {	# FILE [OPTION...]
	local file=$1
	shift
	(umask 077; "$RSASIGKEY" --bits 2048 "$@" >"$file")
}
key_of() { "$RSASIGKEY" --pubkey "$1" | sed -n '/^0s/p'; }
print_of() { sed -n 's/.*fingerprint //p' "$1"; }
both() {	# ARGUMENT...
	pluto_whack east "$@" && pluto_whack west "$@"
}
no_key() {	# TEXT: east does not even begin
	pluto_whack east --name net --initiate >"$LAB_DIR/initiate.log" 2>&1
	[ $? = 28 ] || lab_fail "$1: the status is not 28"
	lab_ok "$1: status 28"
}
refused() {	# TEXT PATTERN: east begins, west refuses and says why
	pluto_whack east --name net --initiate --asynchronous >"$LAB_DIR/initiate.log" 2>&1
	lab_wait 10 "refusal of west ($1)" grep -q "$2" "$LAB_DIR/west.log"
	pluto_whack east --name net --terminate >"$LAB_DIR/terminate.log" 2>&1
	both --status 2>&1 | grep -q "#[0-9]* ISAKMP SA with" && lab_fail "$1: there is an SA"
	lab_ok "$1: refused, and west says why"
}

for id in east west wrong; do
	mkdir -p "$LAB_DIR/$id"
	make_key "$LAB_DIR/$id/secrets" 2>&1 || lab_fail "no key could be made"
done
east=$(key_of "$LAB_DIR/east/secrets")
west=$(key_of "$LAB_DIR/west/secrets")
wrong=$(key_of "$LAB_DIR/wrong/secrets")
lab_check "rsasigkey prints the key that is in the file" [ "0${east#0}" = "$(sed -n 's/^# pubkey=//p' "$LAB_DIR/east/secrets")" ]

lab_gateways
pluto_ends
# shellcheck disable=SC2086 # the words of one command line
lab_check "described" both --name net $ends --rsasig

# ---- keys that are missing or refused
no_key "without the peer's public key"
lab_check "the remedy is a command to type" grep -q 'whack --keyid 192.0.2.2 --pubkeyrsa' "$LAB_DIR/initiate.log"
pluto_whack east --keyid 192.0.2.2 >"$LAB_DIR/lookup.log" 2>&1
lab_check "without a key: status 43, the DNS is not to be asked" [ $? = 43 ]
pluto_whack east --keyid 192.0.2.2 --pubkeyrsa 0x0103c0ffee >"$LAB_DIR/bad.log" 2>&1
lab_check "a key that is none is refused" [ $? = 35 ]
lab_check "and why" grep -q 'less than 1024 bits' "$LAB_DIR/bad.log"

# ---- by address
lab_check "east knows west's key" pluto_whack east --keyid 192.0.2.2 --pubkeyrsa "$west"
lab_check "again is no error" pluto_whack east --keyid 192.0.2.2 --pubkeyrsa "$west"
pluto_whack east --keyid 192.0.2.2 --pubkeyrsa "$west" 2>&1 | grep -q 'known already' || lab_fail "not known already"
lab_check "west gets a wrong key first" pluto_whack west --keyid 192.0.2.1 --pubkeyrsa "$wrong"
refused "west has a wrong key" "does not fit.*$(print_of "$LAB_DIR/wrong/secrets")"
lab_check "no ping passes" eval '! lab_ping ehost 10.0.2.9 2'
lab_check "west knows east's key, too" pluto_whack west --keyid 192.0.2.1 --pubkeyrsa "$east"
lab_check "negotiated" pluto_whack east --name net --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
lab_check "west tells which key it was" grep -q "the peer is 192.0.2.1 by its RSA signature, key $(print_of "$LAB_DIR/east/secrets")" "$LAB_DIR/west.log"
lab_check "east tells which key it was" grep -q "the peer is 192.0.2.2 by its RSA signature, key $(print_of "$LAB_DIR/west/secrets")" "$LAB_DIR/east.log"
lab_check "the status lists the keys" eval 'pluto_whack west --status | grep -c "RSA public key of 192.0.2.1" | grep -qx 2'
lab_check "terminated" pluto_whack east --name net --terminate

# ---- by name, either end beginning
# shellcheck disable=SC2086 # the words of one command line
lab_check "described with names" both --delete --name net $named --rsasig
no_key "the names have no keys"
lab_check "east knows the name" pluto_whack east --keyid west@EXAMPLE.org --pubkeyrsa "$west"
refused "west does not know the name" 'signs as @East.example, for which no RSA public key'
lab_check "west knows the name" pluto_whack west --keyid @east.example --pubkeyrsa "$east"
lab_check "negotiated by name" pluto_whack west --name net --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
lab_check "terminated" pluto_whack west --name net --terminate

# ---- a right key under another name is of no use
# shellcheck disable=SC2086 # the words of one command line
lab_check "east calls itself other" pluto_whack east --delete --name net --id @other.example ${named#* * } --rsasig
lab_check "west knows the key under that name, too" pluto_whack west --keyid @other.example --pubkeyrsa "$east"
refused "another name than west expects" 'says that it is @other.example, connection "net" expects @East.example'

# ---- neither --psk nor --rsasig: what there are keys for
# shellcheck disable=SC2086 # the words of one command line
lab_check "described without a method" both --delete --name net $ends
lab_check "negotiated with the keys there are" pluto_whack east --name net --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
lab_check "terminated" pluto_whack east --name net --terminate
# shellcheck disable=SC2086 # the words of one command line
lab_check "west wants a secret" pluto_whack west --delete --name net $ends --psk
refused "west takes no signatures" 'RSA signature: not among'
# A secret on both ends: both methods are offered, west takes what it may.
printf ': PSK "a secret"\n' >>"$LAB_DIR/east/secrets"
printf ': PSK "a secret"\n' >>"$LAB_DIR/west/secrets"
lab_check "both read a secret" both --listen
lab_check "negotiated with the secret" pluto_whack east --name net --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
