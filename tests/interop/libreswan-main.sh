#!/bin/bash
# pluto and libreswan: Main Mode and Quick Mode with a preshared secret and with raw RSA keys, each end initiating once, with
# pluto's klips and with the kernel's IPsec. Pings in both directions are counted by the SAs of both ends and are ESP on the
# wire. tests/vm/libreswan-main.sh brings the kernel that libreswan needs.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/libreswan.sh"
: "${RSASIGKEY:=$top_builddir/src/rsasigkey}"

lab_begin "pluto with libreswan" tcpdump ping
libre_need
pluto_need
[ -x "$RSASIGKEY" ] || lab_skip "$RSASIGKEY is not built"
lab_gateways
libre_route west 192.0.2.1
lab_capture wire wire br0 ip

libre_secret west "of no consequence"
libre_key west 3072
libre_start west west
mkdir -p "$LAB_DIR/east"
(umask 077; "$RSASIGKEY" --bits 3072 --id @east.example >"$LAB_DIR/east/secrets")
public=$("$RSASIGKEY" --pubkey "$LAB_DIR/east/secrets" | sed -n '/^0s/p')
lab_check "libreswan knows pluto's key" libre_whack west --keyid @east.example --pubkeyrsa "$public"
lab_check "libreswan knows its own" libre_whack west --keyid @west.example --pubkeyrsa "$LIBRE_PUBLIC"
pluto_secret east "of no consequence"

pluto_up() {	# BACKEND
	PLUTO_KERNEL=$1
	pluto_start east east
	pluto_whack east --keyid @west.example --pubkeyrsa "$LIBRE_PUBLIC" >"$LAB_DIR/key.log" 2>&1 || lab_fail "pluto refuses libreswan's key"
	pluto_whack east --listen >"$LAB_DIR/listen.log" 2>&1 || lab_fail "pluto does not listen"
}

describe() {	# AUTH OUR-SUITES THEIR-SUITES
	local us='' them='' ends
	[ "$1" = psk ] || us='--id @east.example' them='--id @west.example'
	ends="--name net $us --host 192.0.2.1 --client 10.0.1.0/24 --to $them --host 192.0.2.2 --client 10.0.2.0/24"
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack east --delete $ends --encrypt --"$1" $2 &&
		libre_connection west $ends --encrypt --tunnel --"$1" $3
}

# What the two SAs of libreswan's kernel have counted, one number each.
counted() { lab_in west ip -s xfrm state | sed -n 's/^\t  *\([0-9]*\)(bytes), \([0-9]*\)(packets)/\2/p' | tr '\n' ' '; }

traffic() {	# TEXT
	local before
	lab_wait 10 "IPsec SA at libreswan ($1)" libre_has west 'IPsec SA established' 'IKE SA established'
	before=$(lab_count wire esp)
	lab_check "$1: pings go through" lab_ping ehost 10.0.2.9 2
	lab_check "$1: and the other way" lab_ping whost 10.0.1.9 1
	lab_check "$1: libreswan's kernel has counted them ($(counted))" [ "$(counted)" = "3 3 " ]
	lab_check "$1: and pluto" eval 'pluto_whack east --status | grep -q "in 0x.*: 3 packets.*out 0x.*: 3 packets"'
	lab_wait 5 "6 packets of ESP on the wire ($1)" eval '[ $(($(lab_count wire esp) - before)) = 6 ]'
}

nothing_left() { ! libre_has west 'established' && ! pluto_whack east --status | grep -q '#[0-9]* I.* SA'; }

cases() {	# BACKEND
	local auth ours theirs text
	pluto_up "$1"
	while read -r auth ours theirs; do
		text="$1, $auth, ${ours//=/ }"
		lab_check "$text: both take the connection" describe "$auth" "${ours//=/ }" "${theirs//=/ }"
		lab_check "$text: without an SA nothing goes through" eval '! lab_ping ehost 10.0.2.9'
		lab_check "$text: pluto initiates" timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name net --initiate
		traffic "$text, pluto initiated"
		lab_check "$text: terminated" pluto_whack east --name net --terminate
		lab_wait 10 "end of the SAs at both ($text)" nothing_left
		lab_ok "$text: pluto's Delete ended them at libreswan"
		lab_check "$text: libreswan initiates" libre_initiate west net
		traffic "$text, libreswan initiated"
		lab_check "$text: libreswan terminates" libre_terminate west net
		lab_wait 10 "end of the SAs at both ($text)" nothing_left
		lab_ok "$text: libreswan's Delete ended them at pluto"
	done
	pluto_stop east
	lab_ok "$1: pluto ends"
}

cases klips <<-'LIST'
	psk --ike=aes128-sha256-modp2048=--esp=aes128-sha256 --ike=aes128-sha2_256-modp2048=--esp=aes128-sha2_256
	rsasig --ike=3des-sha1-modp1536=--esp=3des-md5 --ike=3des-sha1-modp1536=--esp=3des-md5
LIST
cases xfrm <<-'LIST'
	rsasig --ike=aes256-sha512-curve25519=--esp=aes256gcm16 --ike=aes256-sha2_512-dh31=--esp=aes_gcm256-null
	psk --ike=aes256-sha512-modp3072=--esp=aes256-sha512-modp3072=--pfs --ike=aes256-sha2_512-modp3072=--esp=aes256-sha2_512-modp3072=--pfs
LIST
tcpdump -n -r "$LAB_DIR/wire.pcap" 'not udp port 500 and not esp and not icmp[0] = 3' >"$LAB_DIR/clear.log" 2>/dev/null
lab_check "the wire carried only IKE and ESP" [ ! -s "$LAB_DIR/clear.log" ]
lab_end
