#!/bin/bash
# pluto and strongSwan: IKE messages in fragments, in both directions, because the other end takes them and because it is told to;
# and whole ones where pluto must not fragment. tshark reads pluto's fragments and puts them together.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/strongswan.sh"

lab_begin "pluto with strongSwan, fragments of IKE" tcpdump ping cc
SWAN_CHARON_CONF='fragment_size = 400'
swan_scene

both_have() {	# TEXT
	lab_wait 10 "IPsec SA at strongSwan ($1)" swan_has west ESTABLISHED INSTALLED
	lab_wait 10 "IPsec SA at pluto ($1)" eval 'pluto_whack east --status | grep -q "#[0-9]* IPsec SA"'
	! swan_kernel || lab_check "$1: pings go through" lab_ping ehost 10.0.2.9 3
	lab_ok "$1: established"
}
# The type of the first payload stands 16 octets into the message.
fragments_of() { lab_count "$1" "src host $2 and udp[24] = 132"; }

number=0
while read -r swan pluto fragments; do
	number=$((number + 1))
	wire=wire$number
	text="strongSwan $swan, pluto $pluto"
	: >"$LAB_DIR/west/swanctl/swanctl.conf"
	swan_connection west net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 aes128-sha256-modp4096 aes128-sha256 \
		"of no consequence" "fragmentation = $swan"
	swan_load west
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$text: described" pluto_whack east --delete $PLUTO_SECRET --ike aes128-sha256-modp4096 --esp aes128-sha256 \
		--fragmentation "$pluto" --fragmentsize 300
	lab_capture "$wire" wire br0 udp port 500
	lab_check "$text: pluto initiates" timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name secret --initiate
	both_have "$text, pluto initiated"
	lab_check "$text: terminated" pluto_whack east --name secret --terminate
	lab_wait 10 "end of the SAs at strongSwan" eval '! swan_has west ESTABLISHED'
	lab_check "$text: strongSwan initiates" swan_initiate west net 30
	both_have "$text, strongSwan initiated"
	swan_terminate west net
	lab_wait 10 "end of the SAs at pluto" eval '! pluto_whack east --status | grep -q "#[0-9]* ISAKMP SA with"'
	lab_stop "$wire"
	ours=$(fragments_of "$wire" 192.0.2.1)
	theirs=$(fragments_of "$wire" 192.0.2.2)
	case $fragments in
	both) lab_check "$text: fragments in both directions ($ours, $theirs)" [ "$ours" -ge 4 -a "$theirs" -ge 4 ] ;;
	none) lab_check "$text: no fragments" [ "$ours" = 0 -a "$theirs" = 0 ] ;;
	esac
done <<-'END'
	yes yes both
	force force both
	yes no none
	no yes none
END
if command -v tshark >/dev/null; then
	tshark -n -r "$LAB_DIR/wire1.pcap" -Y 'ip.src == 192.0.2.1 and isakmp.typepayload == 132' -V >"$LAB_DIR/tshark.out" 2>/dev/null
	lab_check "tshark reads pluto's fragments" grep -q "Cisco-Fragmentation" "$LAB_DIR/tshark.out"
	lab_check "and finds nothing wrong in them" eval '! grep -qi "malformed" "$LAB_DIR/tshark.out"'
	lab_check "and puts them together" grep -q "Message fragments (.*bytes)" "$LAB_DIR/tshark.out"
fi
pluto_stop east
lab_ok "pluto ends"
lab_end
