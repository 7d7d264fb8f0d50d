#!/bin/bash
# --authenticate between two plutos: AH alone, AH around ESP, in tunnel and transport mode; and who accepts what (the manual,
# --encrypt and --authenticate).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "AH, alone and around ESP" tcpdump ping
pluto_need
pluto_gateways
lab_capture wire wire br0 ip

# packets FILTER, after the pings that have just gone.
pings() {
	local before
	sleep 0.2
	before=$(lab_count wire "$1")
	lab_ping "$2" "$3" 3 >"$LAB_DIR/ping.log" 2>&1 || return 1
	sleep 0.2
	[ $(($(lab_count wire "$1") - before)) = 6 ]
}

# try WHAT "WORDS OF EAST" "WORDS OF WEST" FILTER [ENDS HOST ADDRESS]
try() {
	pluto_describe "$2" "$3" "${5:-}"
	lab_check "$1: negotiated" pluto_whack east --name secret --initiate
	lab_check "$1: 3 pings and their answers are 6 packets of: $4" pings "$4" "${6:-ehost}" "${7:-10.0.2.9}"
}

# What is behind an AH header: 4 = an IP packet, 50 = ESP, 1 = ICMP.
A=--authenticate B='--encrypt --authenticate'
try "AH tunnel" "$A" "$A" 'ah and ip[20] = 4'
pluto_whack east --status >"$LAB_DIR/status.log" 2>&1
lab_check "AH tunnel: its packets are counted" grep -qE 'AH in 0x[0-9a-f]{8}: *3 packets' "$LAB_DIR/status.log"
try "AH md5 of 1999" "$A --policy freeswan" "$A --policy freeswan" 'ah and ip[20] = 4'
try "AH sha1" "$A --ah sha1" "$A --ah md5,sha1" 'ah and ip[20] = 4'
try "AH sha512 with PFS" "$A --ah sha512 --pfs" "$A --pfs" 'ah and ip[20] = 4'
try "AH around ESP" "$B" "$B" 'ah and ip[20] = 50'
lab_check "AH around ESP: one IP header, not two" \
	[ "$(tcpdump -n -v -r "$LAB_DIR/wire.pcap" 'ah and ip[20] = 50' 2>/dev/null | grep -c 'ESP')" = 6 ]
try "AH around ESP of 1999" "$B --policy freeswan" "$B --policy freeswan" 'ah and ip[20] = 50'
try "AH around ESP, the other way" "$B" "$B" 'ah and ip[20] = 50' "" whost 10.0.1.9
try "AH in transport mode" "$A" "$A" 'ah and ip[20] = 1' "$PLUTO_HOSTS" east 192.0.2.2
try "AH around ESP in transport mode" "$B" "$B" 'ah and ip[20] = 50' "$PLUTO_HOSTS" east 192.0.2.2
try "AH between two hosts, tunneled" "$A --tunnel" "$A --tunnel" 'ah and ip[20] = 4' "$PLUTO_HOSTS" east 192.0.2.2

try "who wants authentication takes ESP that has it" --encrypt "$A" esp
try "who wants both takes ESP with authentication" --encrypt "$B" esp
try "who wants encryption takes AH around it" "$B" --encrypt 'ah and ip[20] = 50'
pluto_describe "$A --sends 1 --keyingtries 1" --encrypt
lab_check "AH alone is not what --encrypt asks for" eval '! pluto_whack east --name secret --initiate'
lab_check "which the responder explains" grep -q 'no proposal has the protocols that connection "secret" asks for (--encrypt)' \
	"$LAB_DIR/west.log"
lab_check "nothing passed in clear" [ "$(lab_count wire 'not udp port 500 and not esp and not ah')" = 0 ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
