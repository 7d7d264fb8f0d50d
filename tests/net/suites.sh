#!/bin/bash
# Two plutos, every kind of tunnel: each suite of ESP and AH carries pings, and what is on the wire is what was agreed on.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "suites between two plutos" tcpdump ping
pluto_need
pluto_secret east "of no consequence"
pluto_secret west "of no consequence"
pluto_gateways
lab_capture wire wire br0 ip

# try NAME PROTOCOL OPTIONS...: describe, initiate, ping, terminate.
try() {
	local name=$1 protocol=$2 before id
	shift 2
	for id in east west; do
		# shellcheck disable=SC2086 # the words of one command line
		lab_check "$name: $id takes the connection" pluto_whack "$id" --delete ${PLUTO_SECRET% --encrypt*} "$@"
	done
	lab_check "$name: negotiated" pluto_whack east --name secret --initiate
	sleep 0.2
	before=$(lab_count wire "$protocol")
	lab_check "$name: pings go through" lab_ping ehost 10.0.2.9 3
	sleep 0.2
	lab_check "$name: as 6 packets of $protocol" [ $(($(lab_count wire "$protocol") - before)) = 6 ]
}

try "default" esp --encrypt --psk
try "with PFS" esp --encrypt --psk --pfs
try "with PFS and another group of phase 1" esp --encrypt --psk --pfs --ike aes256-sha256-modp3072
lab_check "which is that of PFS, too" grep -q 'IPsec SA established, aes256gcm16-modp3072' "$LAB_DIR/east.log"
while read -r esp; do
	try "ESP $esp" esp --encrypt --psk --esp "$esp"
done <<-'END'
	aes128-sha256
	aes256-sha512
	aes128gcm16
	3des-md5
	null-sha1
END
try "AH sha256" ah --authenticate --psk --ah sha256
try "the policy of 1999" esp --encrypt --psk --policy freeswan
lab_check "nothing passed in clear" [ "$(lab_count wire 'not udp port 500 and not esp and not ah')" = 0 ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
