# shellcheck shell=bash disable=SC2034
# pluto in the laboratory: source it after lab.sh. Each pluto has a folder $LAB_DIR/ID of its own.
#
#   pluto_need                      or exit 77, saying what is missing
#   pluto_start ID HOST [OPTION...] a pluto that answers whack; the secrets are in $LAB_DIR/ID/secrets
#   pluto_listening ID HOST [OPTION...]   one that listens, too; what it said of that is in $LAB_DIR/ID.listen.log
#   pluto_ends [OPTION...]          one at each gateway of the usual scene, listening
#   pluto_secret ID TEXT            adds a preshared secret for anyone
#   pluto_whack ID ARGUMENT...      whack, told which pluto
#   pluto_stop ID                   by whack --shutdown; the test fails unless it ends with status 0
#   pluto_describe "WORDS OF EAST" "WORDS OF WEST" [ENDS]   "secret" anew, by $PLUTO_NETS or other ends, with words for each
#   pluto_gateways [OPTION...]      two of them in the usual scene, with the connection "secret" and listening
: "${top_builddir:=$(pwd)}"
: "${PLUTO:=$top_builddir/src/pluto}"
: "${WHACK:=$top_builddir/whack/whack}"
: "${PLUTO_KERNEL:=klips}"
# No test but that of the DNS asks the name servers of this machine.
PLUTO_DNS=--no-dnskeys
# Where pluto finds klips and _updown before they are installed.
export IPSEC_EXECDIR="${IPSEC_EXECDIR:-$top_builddir/src}"

pluto_need() {
	[ -x "$PLUTO" ] || lab_skip "$PLUTO is not built"
	[ -x "$WHACK" ] || lab_skip "$WHACK is not built"
	[ "$PLUTO_KERNEL" != klips ] || [ -e /dev/net/tun ] || lab_skip "this machine has no /dev/net/tun"
}

pluto_secret() {
	mkdir -p "$LAB_DIR/$1"
	(umask 077; printf ': PSK "%s"\n' "$2" >>"$LAB_DIR/$1/secrets")
}

pluto_start() {
	local id=$1 host=$2
	shift 2
	mkdir -p "$LAB_DIR/$id"
	[ -e "$LAB_DIR/$id/secrets" ] || pluto_secret "$id" "not for general consumption"
	# shellcheck disable=SC2086 # words, or none
	lab_start "$id" "$host" "$PLUTO" --nofork --stderrlog --kernel "$PLUTO_KERNEL" --ctlbase "$LAB_DIR/$id/pluto" \
		--secretsfile "$LAB_DIR/$id/secrets" $PLUTO_DNS "$@"
	lab_wait 10 "answer of pluto $id" pluto_whack "$id" --status
}

pluto_listening() {
	pluto_start "$@"
	pluto_whack "$1" --listen >"$LAB_DIR/$1.listen.log" 2>&1 || lab_fail "pluto $1 does not listen"
}

pluto_ends() {
	pluto_listening east east "$@"
	pluto_listening west west "$@"
}

pluto_whack() {
	local id=$1
	shift
	"$WHACK" --ctlbase "$LAB_DIR/$id/pluto" "$@"
}

pluto_stop() {
	local id=$1 i
	pluto_whack "$id" --shutdown >"$LAB_DIR/$id.shutdown.log" 2>&1
	for ((i = 0; i < 50; i++)); do
		lab_alive "$id" || break
		sleep 0.1
	done
	lab_alive "$id" && lab_fail "pluto $id does not end"
	wait "${LAB_PID[$id]}"
	LAB_STATUS=$?
	unset "LAB_PID[$id]"
	[ "$LAB_STATUS" = 0 ] || lab_fail "pluto $id ended with status $LAB_STATUS"
}

# The manual's second example, on the addresses of this laboratory.
PLUTO_SECRET='--name secret --host 192.0.2.1 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk'

pluto_gateways() {
	local id
	lab_gateways
	for id in east west; do
		pluto_start "$id" "$id" "$@"
		# shellcheck disable=SC2086 # the words of one command line
		pluto_whack "$id" $PLUTO_SECRET >"$LAB_DIR/$id.add.log" 2>&1 || lab_fail "pluto $id refuses the connection"
		pluto_whack "$id" --listen >"$LAB_DIR/$id.listen.log" 2>&1 || lab_fail "pluto $id does not listen"
	done
}

# Its ends, between the nets and between the hosts, for pluto_describe.
PLUTO_NETS=${PLUTO_SECRET% --encrypt --psk}' --psk'
PLUTO_HOSTS='--name secret --host 192.0.2.1 --to --host 192.0.2.2 --psk'

pluto_describe() {
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack east --delete ${3:-$PLUTO_NETS} $1 >"$LAB_DIR/east.add.log" 2>&1 &&
		pluto_whack west --delete ${3:-$PLUTO_NETS} $2 >"$LAB_DIR/west.add.log" 2>&1 ||
		lab_fail "$1 / $2: not described"
}
