# shellcheck shell=bash disable=SC2034,SC2004
# klips in the laboratory, keyed by hand: source it after lab.sh.
#
#   klips_need                     or exit 77, saying what is missing
#   klips_start ID HOST            klips_tool with a klips of its own; its output is $LAB_DIR/ID.log
#   klips_say ID WORDS...          one command; the test fails unless it is answered with ok. KLIPS_ANSWER is the answer
#   klips_refuse ID WORDS...       the same, but it must be refused
#   klips_ike WEST EAST FAMILY     two messages of IKE from east to west, one of them in fragments, arrive
#   klips_pid ID                   the klips process below the tool
#   klips_keys CIPHER MAC          sets CIPHER_KEY and MAC_KEY to keys of the right size
#   klips_tunnel SPI CIPHER MAC [MODE]   SAs both ways between the gateways (SPI and SPI + 1) and the eroutes
: "${top_builddir:=$(pwd)}"
: "${KLIPS:=$top_builddir/src/klips}"
: "${KLIPS_TOOL:=$top_builddir/tests/net/klips_tool}"
declare -A KLIPS_LINE=() KLIPS_FD=()

klips_need() {
	[ -x "$KLIPS" ] || lab_skip "$KLIPS is not built"
	[ -x "$KLIPS_TOOL" ] || lab_skip "$KLIPS_TOOL is not built"
	[ -e /dev/net/tun ] || lab_skip "this machine has no /dev/net/tun"
}

klips_start() {
	local id=$1 host=$2 fd
	mkfifo "$LAB_DIR/$id.in"
	ip netns exec "$LAB_PREFIX-$host" "$KLIPS_TOOL" "$(realpath "$KLIPS")" <"$LAB_DIR/$id.in" >"$LAB_DIR/$id.log" 2>&1 &
	LAB_PID[$id]=$!
	exec {fd}>"$LAB_DIR/$id.in"
	KLIPS_FD[$id]=$fd
	KLIPS_LINE[$id]=0
}

klips_answered() { grep -q "^$2 " "$LAB_DIR/$1.log"; }

klips_ask() {
	local id=$1
	shift
	KLIPS_LINE[$id]=$((KLIPS_LINE[$id] + 1))
	echo "$*" >&"${KLIPS_FD[$id]}"
	lab_wait 10 "answer of klips $id to: $*" klips_answered "$id" "${KLIPS_LINE[$id]}"
	KLIPS_ANSWER=$(grep "^${KLIPS_LINE[$id]} " "$LAB_DIR/$id.log")
}

klips_say() {
	klips_ask "$@"
	case $KLIPS_ANSWER in
	*" ok"*) ;;
	*) lab_fail "$* -- $KLIPS_ANSWER" ;;
	esac
}

klips_refuse() {
	klips_ask "$@"
	case $KLIPS_ANSWER in
	*" failed: "*) ;;
	*) lab_fail "$* -- $KLIPS_ANSWER, though it should be refused" ;;
	esac
}

# A command that has no answer.
klips_tell() {
	local id=$1
	shift
	KLIPS_LINE[$id]=$((KLIPS_LINE[$id] + 1))
	echo "$*" >&"${KLIPS_FD[$id]}"
}

klips_pid() { pgrep -P "${LAB_PID[$1]}" -x klips; }

# klips_value NAME: of the last answer.
klips_value() { sed -n "s/.*\\<$1=\\([0-9]*\\).*/\\1/p" <<<"$KLIPS_ANSWER"; }

klips_octets() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

klips_keys() {
	case $1 in
	aes128_cbc) CIPHER=aes_cbc CIPHER_KEY=$(klips_octets 16) ;;
	aes192_cbc) CIPHER=aes_cbc CIPHER_KEY=$(klips_octets 24) ;;
	aes256_cbc) CIPHER=aes_cbc CIPHER_KEY=$(klips_octets 32) ;;
	3des_cbc) CIPHER=3des_cbc CIPHER_KEY=$(klips_octets 24) ;;
	aes128_gcm_*) CIPHER=aes_gcm_${1##*_} CIPHER_KEY=$(klips_octets 20) ;;
	aes256_gcm_*) CIPHER=aes_gcm_${1##*_} CIPHER_KEY=$(klips_octets 36) ;;
	null | -) CIPHER=$1 CIPHER_KEY=- ;;
	esac
	case $2 in
	hmac_md5_96) MAC_KEY=$(klips_octets 16) ;;
	hmac_sha1_96) MAC_KEY=$(klips_octets 20) ;;
	hmac_sha2_256_128) MAC_KEY=$(klips_octets 32) ;;
	hmac_sha2_384_192) MAC_KEY=$(klips_octets 48) ;;
	hmac_sha2_512_256) MAC_KEY=$(klips_octets 64) ;;
	-) MAC_KEY=- ;;
	esac
}

# The two plutos' part, by hand. UDPPORT may be set; EAST and WEST, EAST_NET and WEST_NET too, for others than the
# hosts and the clients of the usual scene.
klips_tunnel() {
	local spi=$1 mac=$3 mode=${4:-tunnel} proto=esp east=${EAST:-192.0.2.1} west=${WEST:-192.0.2.2}
	local east_net=${EAST_NET:-10.0.1.0/24} west_net=${WEST_NET:-10.0.2.0/24}
	[ "$mode" = tunnel ] || east_net=$east west_net=$west
	klips_keys "$2" "$3"
	[ "$CIPHER" != - ] || proto=ah
	local there="$mode $proto $east $west $spi $CIPHER $CIPHER_KEY $mac $MAC_KEY $east_net $west_net ${UDPPORT:-}"
	local back="$mode $proto $west $east $((spi + 1)) $CIPHER $CIPHER_KEY $mac $MAC_KEY $west_net $east_net ${UDPPORT:-}"
	klips_say east sa in "$back"
	klips_say west sa in "$there"
	klips_say east sa out "$there"
	klips_say west sa out "$back"
	klips_say east eroute "$east_net" "$west_net" sa "$proto" "$west" "$spi"
	klips_say west eroute "$west_net" "$east_net" sa "$proto" "$east" "$((spi + 1))"
}

# Both gateways, attached, with routes of the clients through the ipsec devices.
klips_gateways() {
	lab_gateways
	klips_start east east
	klips_start west west
	klips_say east attach ipsec0 wan
	klips_say west attach ipsec0 wan
	lab_route east 10.0.2.0/24 dev ipsec0 src 10.0.1.1
	lab_route west 10.0.1.0/24 dev ipsec0 src 10.0.2.1
	[ "${LAB_IPV6:-0}" = 0 ] || {
		lab_route east 2001:db8:2::/64 dev ipsec0 src 2001:db8:1::1
		lab_route west 2001:db8:1::/64 dev ipsec0 src 2001:db8:2::1
	}
}

klips_ike() {
	lab_start ike west timeout 20 python3 -u -c '
import socket, sys
s = socket.socket(getattr(socket, sys.argv[2]), socket.SOCK_DGRAM)
s.bind((sys.argv[1], 500))
print(s.recvfrom(100)[0].decode())
print(len(s.recvfrom(9000)[0]), "octets")' "$1" "$3"
	lab_wait 10 "socket" sh -c "ip netns exec '$LAB_PREFIX-west' ss -ulnH | grep -q ':500 '"
	lab_in east python3 -c '
import socket, sys
s = socket.socket(getattr(socket, sys.argv[3]), socket.SOCK_DGRAM)
s.bind((sys.argv[2], 500))
s.sendto(b"main mode", (sys.argv[1], 500))
s.sendto(bytes(5000), (sys.argv[1], 500))' "$@"
	lab_wait 10 "IKE packet" grep -q 'main mode' "$LAB_DIR/ike.log"
	lab_wait 10 "long IKE packet" grep -q '5000 octets' "$LAB_DIR/ike.log"
}
