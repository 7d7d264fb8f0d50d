#!/bin/bash
# pluto and strongSwan with a NAT between them: each of them behind it, each initiating, Main Mode and Aggressive Mode, a preshared secret.
# strongSwan has ESP of its own here (kernel-libipsec, always in UDP), so pings go through klips on any kernel.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/../net/nat.sh"
. "$here/strongswan.sh"

# shellcheck disable=SC2034 # strongswan.sh reads it
SWAN_LIBIPSEC=1
SUITE=aes128-sha256-modp2048

lab_begin "pluto with strongSwan and a NAT between"
nat_need
swan_need
[ -e /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so ] ||
	lab_skip "strongSwan has no kernel-libipsec: apt-get install --no-install-recommends libcharon-extra-plugins"
pluto_need
nat_lab
nat_forward nat out 10.9.0.5 "500, 4500"	# so that the end outside can begin

# east is at 10.9.0.5 behind the NAT, which is 192.0.2.1 outside; west is at 192.0.2.2. Both have names.
swan_write() {	# ID: main for Main Mode, aggr for Aggressive Mode
	local id=$1 own=192.0.2.2 peer=192.0.2.1 own_net=10.0.2.0/24 peer_net=10.0.1.0/24 other=east name mode
	[ "$id" = west ] || own=10.9.0.5 peer=192.0.2.2 own_net=10.0.1.0/24 peer_net=10.0.2.0/24 other=west
	for name in main aggr; do
		mode=no
		[ $name = main ] || mode=yes
		SWAN_ID=@$id SWAN_PEER_ID=@$other swan_connection "$id" $name $own $own_net $peer $peer_net $SUITE aes128-sha256 \
			"of both sides" "aggressive = $mode"
	done
	swan_load "$id"
}
describe() {	# ID OPTION...
	local id=$1 east="--host 10.9.0.5" west="--host 192.0.2.2"
	shift
	[ "$id" = east ] || east="--host 192.0.2.1"
	# shellcheck disable=SC2086 # words
	pluto_whack "$id" --delete --name net $east --id @east --client 10.0.1.0/24 --to $west --id @west --client 10.0.2.0/24 \
		--encrypt --psk --ike $SUITE --esp aes128-sha256 --keyingtries 1 "$@"
}
has_ipsec() { pluto_whack "$1" --status | grep -q '#[0-9]* IPsec SA'; }
has_no_sas() { ! pluto_whack "$1" --status | grep -q '#[0-9]* ISAKMP SA with'; }
both_have() {	# PLUTO SWAN TEXT
	lab_wait 10 "IPsec SA at strongSwan ($3)" swan_has "$2" ESTABLISHED INSTALLED
	lab_wait 10 "IPsec SA at pluto ($3)" has_ipsec "$1"
	lab_wait 10 "ping from behind the NAT ($3)" lab_ping ehost 10.0.2.9
	lab_check "$3: pings go through" lab_ping whost 10.0.1.9 3
	lab_check "$3: strongSwan decrypted them" [ "$(swan_bytes "$2" in)" -ge 84 ]
}
each_initiates() {	# PLUTO SWAN CONNECTION TEXT
	nat_forget nat		# a translation that is left would change the port of the end outside, too
	lab_check "$4: pluto initiates" timeout 60 "$WHACK" --ctlbase "$LAB_DIR/$1/pluto" --name net --initiate
	both_have "$1" "$2" "$4, pluto initiated"
	lab_check "$4: terminated" pluto_whack "$1" --name net --terminate
	lab_wait 10 "end of the SAs at strongSwan" eval '! swan_has '"$2"' ESTABLISHED'
	nat_forget nat
	lab_check "$4: strongSwan initiates" swan_initiate "$2" "$3" 30
	both_have "$1" "$2" "$4, strongSwan initiated"
	lab_check "$4: terminated by strongSwan" swan_terminate "$2" "$3"
	lab_wait 10 "end of the SAs at pluto" has_no_sas "$1"
}
scene() {	# PLUTO SWAN SITUATION
	local pluto=$1 swan=$2
	pluto_secret "$pluto" "of both sides"
	pluto_start "$pluto" "$pluto"
	pluto_whack "$pluto" --listen >"$LAB_DIR/listen.log" 2>&1 || lab_fail "pluto does not listen"
	swan_start "$swan" "$swan"
	swan_write "$swan"
	lab_check "Main Mode is described" describe "$pluto"
	lab_check "pluto routes" pluto_whack "$pluto" --route --name net
	lab_check "nothing goes through before" eval '! lab_ping whost 10.0.1.9'
	lab_capture "$pluto-wire" wire br0
	each_initiates "$pluto" "$swan" main "pluto at $pluto, Main Mode"
	lab_check "Aggressive Mode is described" describe "$pluto" --aggressive
	each_initiates "$pluto" "$swan" aggr "pluto at $pluto, Aggressive Mode"
	lab_check "one was by Aggressive Mode of pluto" grep -q AGGR_I2 "$LAB_DIR/$pluto.log"
	lab_check "and one by that of strongSwan" grep -q AGGR_R2 "$LAB_DIR/$pluto.log"
	nat_only_udp "$pluto-wire" 32
	lab_ok "the wire shows ESP in UDP alone"
	lab_check "pluto says who is behind a NAT" [ "$(grep -c "NAT traversal by RFC 3947: $3" "$LAB_DIR/$pluto.log")" = 4 ]
	lab_stop "$pluto-wire"
}

# A host on the road behind the NAT: its client is the address that it has there.
road() {
	SWAN_ID=@east SWAN_PEER_ID=@west swan_connection east road 10.9.0.5 10.9.0.5/32 192.0.2.2 10.0.2.0/24 $SUITE aes128-sha256 \
		"of both sides"
	swan_load east
	lab_check "pluto takes anybody" pluto_whack west --delete --name net --host 192.0.2.2 --id @west --client 10.0.2.0/24 --to \
		--host %any --id @east --encrypt --psk --ike $SUITE --esp aes128-sha256
	nat_forget nat
	lab_check "the host on the road initiates" swan_initiate east road 30
	lab_wait 10 "ping from the road" lab_ping east 10.0.2.9
	lab_check "pings to the host on the road" lab_ping whost 10.9.0.5 3
	lab_check "pluto has an instance for its address" eval 'pluto_whack west --status | grep -q "net\[1\].*===10\.9\.0\.5/32$"'
	lab_check "it takes leave" swan_terminate east road
	lab_wait 10 "end of the instance" eval '! pluto_whack west --status | grep -q "net\["'
}

# kernel-libipsec gets its UDP by a false NAT-D of its own end: whoever has it seems to be behind a NAT, too.
scene east west "both ends are behind NATs"
pluto_stop east
lab_stop west
scene west east "the peer is behind a NAT"
road
pluto_stop west
lab_end
