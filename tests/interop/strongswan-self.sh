#!/bin/bash
# The laboratory itself: two strongSwans negotiate in it and agree on their keys. If this fails, no other test with a peer
# says anything about pluto.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/strongswan.sh"

lab_begin "strongSwan with itself" tcpdump ping cc
swan_need
lab_gateways
lab_capture wire wire br0 ip
swan_start east east
swan_start west west
for suites in "aes128-sha256-modp2048 aes128-sha256" "3des-sha1-modp1024 3des-sha1"; do
	read -r ike esp <<<"$suites"
	: >"$LAB_DIR/east/swanctl/swanctl.conf"
	: >"$LAB_DIR/west/swanctl/swanctl.conf"
	swan_connection east net 192.0.2.1 10.0.1.0/24 192.0.2.2 10.0.2.0/24 "$ike" "$esp" "of no consequence"
	swan_connection west net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 "$ike" "$esp" "of no consequence"
	swan_load east
	swan_load west
	lab_check "$ike, $esp: negotiated" swan_initiate east net
	lab_check "$ike, $esp: the responder has it too" swan_has west ESTABLISHED INSTALLED
	if swan_kernel; then
		lab_check "$ike, $esp: a ping goes through" lab_ping ehost 10.0.2.9 3
		lab_check "$ike, $esp: the kernel counted it" [ "$(swan_bytes west in)" -gt 0 ]
	else
		lab_check "$ike, $esp: both have the same keys" \
			cmp <(sort "$LAB_DIR/east.sas") <(sort "$LAB_DIR/west.sas")
		lab_check "$ike, $esp: two SAs" [ "$(sort -u "$LAB_DIR/east.sas" | wc -l)" = 2 ]
		rm "$LAB_DIR/east.sas" "$LAB_DIR/west.sas"
		lab_check "$ike, $esp: nothing passes in clear" eval '! lab_ping ehost 10.0.2.9'
	fi
	swan_terminate east net
done
lab_check "the wire carried only IKE and ESP" [ "$(lab_count wire 'not udp port 500 and not esp')" = 0 ]
lab_end
