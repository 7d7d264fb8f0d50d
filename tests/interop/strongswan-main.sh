#!/bin/bash
# pluto and strongSwan: Main Mode and Quick Mode with a preshared secret, each end initiating once with each suite.
# On a kernel with ESP pings must go through the tunnels; elsewhere both ends' keys are compared instead.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/strongswan.sh"

lab_begin "pluto with strongSwan" tcpdump ping cc
keys=$LAB_DIR/keys
mkdir "$keys"
swan_scene --wireshark-keys "$keys"
lab_capture wire wire br0 ip

# Every key that charon would have given its kernel is also in pluto's table, beside the same SPI.
same_keys() {
	local spi rest word n=0
	while read -r spi rest; do
		n=$((n + 1))
		for word in $rest; do
			[ ${#word} -ge 32 ] || continue
			grep -i "$spi" "$keys/esp_sa" | grep -qi "$word" || { echo "$spi: $word is not pluto's"; return 1; }
		done
	done <"$LAB_DIR/west.sas"
	[ "$n" = 2 ] || { echo "$n SAs, not 2"; return 1; }
}

both_have() {	# TEXT
	lab_wait 5 "IPsec SA at strongSwan ($1)" swan_has west ESTABLISHED INSTALLED
	if swan_kernel; then
		lab_check "$1: pings go through" lab_ping ehost 10.0.2.9 3
		lab_check "$1: strongSwan's kernel counted them" [ "$(swan_bytes west in)" -ge 252 ]
	else
		lab_check "$1: both ends have the same keys" same_keys
		: >"$LAB_DIR/west.sas"
	fi
}

neither_has() {	# TEXT
	lab_wait 5 "end of the SAs at strongSwan ($1)" eval '! swan_has west ESTABLISHED'
	lab_ok "$1: pluto's Delete ended them at strongSwan"
}

while read -r ike esp; do
	: >"$LAB_DIR/west/swanctl/swanctl.conf"
	swan_connection west net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 "$ike" "$esp" "of no consequence"
	swan_load west
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$ike: pluto takes the connection" pluto_whack east --delete $PLUTO_SECRET --ike "$ike" --esp "$esp"
	[ -e "$LAB_DIR/west.sas" ] && : >"$LAB_DIR/west.sas"
	lab_check "$ike: pluto initiates" timeout 30 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name secret --initiate
	both_have "$ike, pluto initiated"
	lab_check "$ike: terminated" pluto_whack east --name secret --terminate
	neither_has "$ike"
	lab_check "$ike: strongSwan initiates" swan_initiate west net
	both_have "$ike, strongSwan initiated"
	swan_terminate west net
done <<-'END'
	aes128-sha256-modp2048 aes128-sha256
	3des-sha1-modp1024 3des-sha1
	aes256-sha512-modp3072 aes256-sha512
END
lab_check "the wire carried only IKE and ESP" [ "$(lab_count wire 'not udp port 500 and not esp')" = 0 ]
pluto_stop east
lab_ok "pluto ends"
lab_end
