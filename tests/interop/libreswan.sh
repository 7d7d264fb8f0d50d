# shellcheck shell=bash disable=SC2034
# libreswan as a peer: source it after tests/net/lab.sh. It needs a kernel with ESP and is run inside of tests/vm/run, whose
# root may be changed at will; libreswan-fetch has unpacked it before, where there is a network. Each peer has a folder
# $LAB_DIR/ID with its keys, its socket and its secrets, and runs in the foreground in one host of the laboratory.
#
#   libre_need                      or exit 77, saying what is missing
#   libre_start ID HOST             pluto of libreswan, until it answers and listens
#   libre_secret ID TEXT            a preshared secret for anyone
#   libre_key ID BITS               makes an RSA key before libre_start, its public half is in LIBRE_PUBLIC (RFC 3110, 0s...)
#   libre_whack ID ARGUMENT...      its whack
#   libre_connection ID ARGUMENT... describes a connection of IKEv1, ARGUMENTs as for its whack; replaces one of the same name
#   libre_route HOST ADDRESS        the default route that its SAs need
#   libre_initiate ID NAME [SECONDS]    libre_terminate ID NAME
#   libre_has ID WORD...            whether its SAs have all these words (ISAKMP, IPsec)

: "${top_builddir:=$(pwd)}"
: "${LIBRESWAN:=$top_builddir/libreswan}"
LIBRE_EXEC=$LIBRESWAN/usr/libexec/ipsec
# Its pluto calls programs by the path that they would be installed at.
LIBRE_INSTALLED=/usr/libexec/ipsec

libre_need() {
	[ -x "$LIBRE_EXEC/pluto" ] || lab_skip "libreswan is not unpacked: tests/interop/libreswan-fetch $LIBRESWAN"
	[ -n "${IN_TEST_VM:-}" ] || lab_skip "libreswan needs a kernel with ESP: run this under tests/vm/run"
	command -v certutil >/dev/null || lab_skip "certutil is missing: apt-get install libnss3-tools"
	[ -e "$LIBRE_INSTALLED" ] || { mkdir -p "${LIBRE_INSTALLED%/*}" && ln -s "$LIBRE_EXEC" "$LIBRE_INSTALLED"; }
}

libre_folder() {
	[ -d "$LAB_DIR/$1/nss" ] && return
	mkdir -p "$LAB_DIR/$1/nss" "$LAB_DIR/$1/policies"
	certutil -N -d "sql:$LAB_DIR/$1/nss" --empty-password || lab_fail "certutil makes no database"
	(umask 077; : >"$LAB_DIR/$1/secrets")
}

libre_secret() {
	libre_folder "$1"
	printf ': PSK "%s"\n' "$2" >>"$LAB_DIR/$1/secrets"
}

libre_key() {
	libre_folder "$1"
	"$LIBRE_EXEC/rsasigkey" --nssdir "$LAB_DIR/$1/nss" "$2" >"$LAB_DIR/$1/key.out" 2>&1 || { cat "$LAB_DIR/$1/key.out"; lab_fail "no RSA key of libreswan"; }
	LIBRE_CKAID=$(sed -n 's/.*--ckaid \([0-9a-f]*\)$/\1/p' "$LAB_DIR/$1/key.out")
	LIBRE_PUBLIC=$("$LIBRE_EXEC/showhostkey" --nssdir "$LAB_DIR/$1/nss" --left --ckaid "$LIBRE_CKAID" 2>/dev/null |
		sed -n 's/.*leftrsasigkey=//p')
	[ -n "$LIBRE_PUBLIC" ] || lab_fail "libreswan does not show its key"
}

libre_start() {
	local id=$1 host=$2 run=$LAB_DIR/$1
	libre_folder "$id"
	printf 'config setup\n\tikev1-policy=accept\n\tdumpdir=%s\n' "$run" >"$run/ipsec.conf"
	lab_start "$id" "$host" "$LIBRE_EXEC/pluto" --config "$run/ipsec.conf" --nofork --stderrlog --rundir "$run" --nssdir "$run/nss" --ipsecdir "$run" \
		--secretsfile "$run/secrets" --no-dnssec
	lab_wait 20 "answer of libreswan $id" libre_whack "$id" --briefstatus
	lab_wait 20 "readiness of libreswan $id" libre_whack "$id" --listen
}

libre_whack() {
	local id=$1
	shift
	"$LIBRE_EXEC/whack" --rundir "$LAB_DIR/$id" "$@"
}

# Its own _updown takes a second and expects a default route; with one there is nothing left to do for it.
libre_connection() {
	local id=$1 word args=()
	shift
	for word; do
		[ "$word" != --to ] || args+=(--updown /bin/true)
		args+=("$word")
	done
	libre_whack "$id" --delete --ikev1 "${args[@]}" --updown /bin/true
}
libre_route() { lab_route "$1" default via "$2"; }
libre_initiate() { timeout "${3:-20}" "$LIBRE_EXEC/whack" --rundir "$LAB_DIR/$1" --name "$2" --initiate >"$LAB_DIR/$1.initiate.log" 2>&1; }
libre_terminate() { libre_whack "$1" --name "$2" --terminate >"$LAB_DIR/$1.terminate.log" 2>&1; }

libre_has() {
	local id=$1 word list
	list=$(libre_whack "$id" --showstates)
	shift
	for word; do
		case $list in *"$word"*) ;; *) return 1 ;; esac
	done
}
