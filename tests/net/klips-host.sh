#!/bin/bash
# Host to host: transport mode and tunnel mode between the gateways themselves, IKE and traps, ESP in UDP, path MTU.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/klips.sh"

lab_begin "klips between hosts" tcpdump ping python3
klips_need
lab_gateways
klips_start east east
klips_start west west
klips_say east attach ipsec0 wan
klips_say west attach ipsec0 wan
klips_tell east hole 500
klips_tell west hole 500

# The peer itself is routed into the device: the protected packets and IKE must get out nevertheless.
lab_route east 192.0.2.2/32 dev ipsec0 src 192.0.2.1
lab_route west 192.0.2.1/32 dev ipsec0 src 192.0.2.2

klips_say east eroute 192.0.2.1/32 192.0.2.2/32 trap
lab_capture trap wire br0 not arp
lab_in east ping -n -q -c 3 -i 0.2 -W 1 192.0.2.2 >/dev/null && lab_fail "a packet passed a trap"
lab_wait 5 "acquire" grep -q '^acquire 192.0.2.1 192.0.2.2 1 0 0' "$LAB_DIR/east.log"
[ "$(grep -c ^acquire "$LAB_DIR/east.log")" = 1 ] || lab_fail "one burst was reported more than once"
lab_ok "a trap holds packets back and reports them once"

klips_ike 192.0.2.2 192.0.2.1 AF_INET
lab_stop trap INT
[ "$(lab_count trap 'udp port 500')" = 2 ] || lab_fail "IKE on the wire"
[ "$(lab_count trap 'not udp')" = 0 ] || lab_fail "the trap leaks"
lab_ok "IKE passes a trapped host"

spi=4096
for mode in transport tunnel; do
	for suite in aes256_cbc:hmac_sha2_256_128 aes128_gcm_16:- -:hmac_sha2_256_128; do
		klips_tunnel $spi "${suite%:*}" "${suite#*:}" $mode
		lab_capture "wire$spi" wire br0 not arp
		for size in 0 56 1300 1368; do
			lab_in east ping -n -q -c 1 -M dont -W 2 -s $size 192.0.2.2 >/dev/null ||
				lab_fail "$mode, $suite: no answer to a ping of $size octets"
		done
		# What may not be fragmented often has no identification of its own.
		lab_in east ping -n -q -c 1 -M 'do' -W 2 192.0.2.2 >/dev/null || lab_fail "$mode, $suite: no answer to a ping with DF"
		sleep 0.3
		lab_stop "wire$spi" INT
		[ "$(lab_count "wire$spi" 'not esp and not ah')" = 0 ] || lab_fail "$mode, $suite: something left in clear"
		[ "$(lab_count "wire$spi" 'esp or ah')" = 10 ] || lab_fail "$mode, $suite: not each packet once on the wire"
		# What the host cuts into fragments is protected whole and cut again.
		lab_capture "large$spi" wire br0 not arp
		for size in 1369 1472 4000 20000; do
			lab_in east ping -n -q -c 1 -M dont -W 2 -s $size 192.0.2.2 >/dev/null ||
				lab_fail "$mode, $suite: no answer to a ping of $size octets"
		done
		sleep 0.3
		lab_stop "large$spi" INT
		[ "$(lab_count "large$spi" 'not esp and not ah')" = 0 ] || lab_fail "$mode, $suite: something large left in clear"
		lab_ok "$mode mode, $suite"
		spi=$((spi + 16))
	done
done

# ESP in UDP, as after a NAT was found, with IKE on the same port.
klips_tell east hole 4500
klips_tell west hole 4500
for mode in transport tunnel; do
	UDPPORT=4500 klips_tunnel $spi aes128_cbc hmac_sha1_96 $mode
	lab_capture "wire$spi" wire br0 not arp
	# The port belongs to IKE, which leaves ESP alone; without it the host would answer with an ICMP error.
	lab_start "ike-west$spi" west timeout 20 python3 -u -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 4500))
while True:
	d = s.recv(9000)
	if d[:4] == bytes(4) or len(d) == 1:
		print("got", d[-9:])'
	lab_wait 5 "socket" sh -c "ip netns exec '$LAB_PREFIX-west' ss -ulnH | grep -q ':4500 '"
	lab_start "ike-east$spi" east timeout 20 python3 -u -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.1", 4500))
s.sendto(bytes(4) + b"main mode", ("192.0.2.2", 4500))
s.sendto(b"\xff", ("192.0.2.2", 4500))
time.sleep(20)'
	lab_wait 5 "IKE and keepalive on port 4500" grep -q "xff" "$LAB_DIR/ike-west$spi.log"
	grep -q "main mode" "$LAB_DIR/ike-west$spi.log" || lab_fail "IKE on port 4500 does not arrive"
	lab_ping east 192.0.2.2 3 >/dev/null || lab_fail "no answer through UDP, $mode mode"
	# TCP minds its checksum: a refusal comes back only if the other side took the packet.
	lab_in east timeout 5 python3 -c '
import socket
try:
	socket.create_connection(("192.0.2.2", 7777))
except ConnectionRefusedError:
	exit(0)
exit(1)' || lab_fail "TCP through UDP, $mode mode"
	sleep 0.3
	lab_stop "wire$spi" INT
	[ "$(lab_count "wire$spi" 'not udp port 4500')" = 0 ] || lab_fail "something left outside UDP"
	[ "$(lab_count "wire$spi" 'udp port 4500')" -ge 6 ] || lab_fail "no ESP in UDP"
	lab_stop "ike-east$spi"
	lab_stop "ike-west$spi"
	grep -q 'no such SA' "$LAB_DIR/west.log" && lab_fail "IKE on port 4500 was taken for ESP"
	lab_ok "ESP in UDP, $mode mode, beside IKE"
	spi=$((spi + 16))
done

klips_tunnel $spi aes128_cbc hmac_sha1_96 tunnel
lab_in east ping -n -q -c 1 -M 'do' -s 1368 -W 1 192.0.2.2 >/dev/null || lab_fail "1396 octets should fit"
lab_in east ping -n -q -c 1 -M 'do' -s 1400 -W 1 192.0.2.2 >/dev/null 2>&1 && lab_fail "1428 octets cannot fit"
lab_ok "the MTU of ipsec0 leaves room for what protection adds"
lab_end
