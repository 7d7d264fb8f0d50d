#!/bin/bash
# klips and IPv6, keyed by hand: tunnels of each family in each, transport mode, AH, traps, fragments, the path MTU. Only
# what is protected is seen on the wire; neighbour discovery goes on beside it.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/klips.sh"

LAB_IPV6=1
lab_begin "klips and IPv6" tcpdump ping python3
klips_need
klips_gateways
klips_tell east hole 500
klips_tell west hole 500
[ "$(lab_in east cat /sys/class/net/ipsec0/mtu)" = 1376 ] || lab_fail "the MTU of ipsec0 leaves no room for a header of IPv6"
lab_in east ip -6 addr show dev ipsec0 | grep -q '2001:db8::1/128' || lab_fail "ipsec0 has not the address of the interface"
lab_in east ip -6 addr show dev ipsec0 | grep -q fe80 && lab_fail "ipsec0 has an address of its link"
lab_ok "ipsec0 has the IPv6 address of the interface below it"

# check_wire WHAT CAPTURE PROTOCOL FAMILY: nothing but it in that capture, and at least ten of it.
check_wire() {
	sleep 0.3
	lab_stop "$2" INT
	[ "$(lab_count "$2" "not $LAB_CHATTER and not ($4 proto $3)")" = 0 ] || lab_fail "$1: something left in clear"
	[ "$(lab_count "$2" "$4 proto $3")" -ge "${5:-10}" ] || lab_fail "$1: too little on the wire"
}

spi=4096
# each_size WHAT FROM TO SIZE...
each_size() {
	local what=$1 from=$2 to=$3 size
	shift 3
	for size; do
		lab_in "$from" ping -n -q -c 1 -M dont -W 2 -s "$size" "$to" >/dev/null || lab_fail "$what: no answer to $size octets"
	done
}

EAST_NET=2001:db8:1::/64 WEST_NET=2001:db8:2::/64
lab_in ehost ping -n -q -c 1 -W 1 2001:db8:2::9 >/dev/null 2>&1 && lab_fail "clients see each other without a tunnel"
for suite in aes256_cbc:hmac_sha2_256_128 aes128_gcm_16:- -:hmac_sha1_96 -:hmac_sha2_256_128; do
	protocol=50
	[ "${suite%:*}" != - ] || protocol=51
	EAST=2001:db8::1 WEST=2001:db8::2 klips_tunnel $spi "${suite%:*}" "${suite#*:}"
	lab_capture "six$spi" wire br0
	each_size "6in6, $suite" ehost 2001:db8:2::9 0 56 1200 1280 1328
	check_wire "6in6, $suite" "six$spi" $protocol ip6
	lab_ok "IPv6 in IPv6, $suite"
	spi=$((spi + 16))
	EAST=192.0.2.1 WEST=192.0.2.2 klips_tunnel $spi "${suite%:*}" "${suite#*:}"
	lab_capture "six$spi" wire br0
	each_size "6in4, $suite" ehost 2001:db8:2::9 0 56 1200 1280 1328
	check_wire "6in4, $suite" "six$spi" $protocol ip
	lab_ok "IPv6 in IPv4, $suite"
	spi=$((spi + 16))
	EAST_NET=10.0.1.0/24 WEST_NET=10.0.2.0/24 EAST=2001:db8::1 WEST=2001:db8::2 klips_tunnel $spi "${suite%:*}" "${suite#*:}"
	lab_capture "six$spi" wire br0
	each_size "4in6, $suite" ehost 10.0.2.9 0 56 1200 1340 1472
	check_wire "4in6, $suite" "six$spi" $protocol ip6
	lab_ok "IPv4 in IPv6, $suite"
	spi=$((spi + 16))
done

# Large pings are cut by the sender into fragments, which a tunnel carries one by one; at first it is told how large.
lab_wait 10 "fragments of the right size" lab_in ehost ping -n -q -c 1 -W 1 -s 1452 2001:db8:2::9
each_size "6in4" ehost 2001:db8:2::9 1452 4000 20000
lab_ok "fragments pass the tunnel"

# ---- the hosts themselves
lab_route east 2001:db8::2/128 dev ipsec0 src 2001:db8::1
lab_route west 2001:db8::1/128 dev ipsec0 src 2001:db8::2
klips_say east eroute 2001:db8::1/128 2001:db8::2/128 trap
lab_capture trap wire br0
lab_in east ping -n -q -c 3 -i 0.2 -W 1 2001:db8::2 >/dev/null && lab_fail "a packet passed a trap"
lab_wait 5 "acquire" grep -q '^acquire 2001:db8::1 2001:db8::2 58 0 0' "$LAB_DIR/east.log"
[ "$(grep -c ^acquire "$LAB_DIR/east.log")" = 1 ] || lab_fail "one burst was reported more than once"
lab_ok "a trap holds packets back and reports them once"

klips_ike 2001:db8::2 2001:db8::1 AF_INET6
lab_stop trap INT
[ "$(lab_count trap "not $LAB_CHATTER and not udp and not (ip6[6] = 44)")" = 0 ] || lab_fail "the trap leaks"
lab_ok "IKE passes a trapped host, in fragments too"

for mode in transport tunnel; do
	for suite in aes256_cbc:hmac_sha2_256_128 aes128_gcm_16:- -:hmac_sha2_256_128; do
		protocol=50
		[ "${suite%:*}" != - ] || protocol=51
		EAST=2001:db8::1 WEST=2001:db8::2 EAST_NET=2001:db8::1 WEST_NET=2001:db8::2 klips_tunnel $spi "${suite%:*}" "${suite#*:}" $mode
		lab_in east ip -6 neigh flush dev wan
		lab_capture "host$spi" wire br0
		each_size "$mode, $suite" east 2001:db8::2 0 56 1200 1280 1328
		check_wire "$mode, $suite" "host$spi" $protocol ip6
		# What the host cuts into fragments is protected whole and cut again, behind a fragment header.
		lab_capture "large$spi" wire br0
		each_size "$mode, $suite" east 2001:db8::2 1400 1452 4000 20000
		sleep 0.3
		lab_stop "large$spi" INT
		[ "$(lab_count "large$spi" "not $LAB_CHATTER and not (ip6 proto $protocol) and not (ip6[6] = 44 and (ip6[40] = $protocol))")" = 0 ] ||
			lab_fail "$mode, $suite: something large left in clear"
		lab_ok "$mode mode, $suite"
		spi=$((spi + 16))
	done
done
lab_in east ip -6 neigh show dev wan | grep -q '2001:db8::2 .*lladdr' || lab_fail "neighbour discovery was swallowed"
lab_ok "neighbours are found beside the eroute of the peer itself"

# TCP minds its checksum and the path's MTU.
lab_start sink west timeout 30 python3 -u -c '
import socket
s = socket.socket(socket.AF_INET6)
s.bind(("2001:db8::2", 7777))
s.listen()
c = s.accept()[0]
n = 0
while True:
	d = c.recv(65536)
	if not d:
		break
	n += len(d)
print(n, "octets")'
lab_wait 10 "socket" sh -c "ip netns exec '$LAB_PREFIX-west' ss -tlnH | grep -q ':7777 '"
lab_in east timeout 20 python3 -c '
import socket
s = socket.create_connection(("2001:db8::2", 7777))
s.sendall(bytes(1000000))'
lab_wait 20 "TCP" grep -q '1000000 octets' "$LAB_DIR/sink.log"
lab_ok "a megabyte of TCP"

# ---- headers between that of IPv6 and the rest: hop-by-hop and destination options
EAST=2001:db8::1 WEST=2001:db8::2 EAST_NET=2001:db8::1 WEST_NET=2001:db8::2
for suite in aes128_cbc:hmac_sha1_96 -:hmac_sha2_256_128; do
	klips_tunnel $spi "${suite%:*}" "${suite#*:}" transport
	lab_start "options$spi" west timeout 20 python3 -u -c '
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("2001:db8::2", 7778))
s.setsockopt(41, 53, 1)
s.setsockopt(41, 58, 1)
d, told, flags, peer = s.recvmsg(100, 500)
print(d.decode(), sorted(t[1] for t in told))'
	lab_wait 10 "socket" sh -c "ip netns exec '$LAB_PREFIX-west' ss -ulnH | grep -q ':7778 '"
	# An option that may change on the way (0x3e), one that may not (0x1e): of no meaning to anybody.
	lab_in east python3 -c '
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(41, 54, bytes([0, 0, 0x3e, 4, 1, 2, 3, 4]))
s.setsockopt(41, 59, bytes([0, 0, 0x1e, 4, 5, 6, 7, 8]))
s.sendto(b"with options", ("2001:db8::2", 7778))'
	lab_wait 10 "datagram with options" grep -q 'with options \[54, 59\]' "$LAB_DIR/options$spi.log"
	lab_ok "extension headers arrive as they were, $suite"
	spi=$((spi + 16))
done
unset EAST WEST

# ---- a narrow link
ip -n "$LAB_PREFIX-wire" link set br0 mtu 1500
lab_in ehost ping -n -q -c 1 -M 'do' -W 2 -s 1328 2001:db8:2::9 >/dev/null || lab_fail "1376 octets should fit"
for kind in 2001:db8 192.0.2; do
	east=${kind}.1 west=${kind}.2
	[ $kind = 192.0.2 ] || east=2001:db8::1 west=2001:db8::2
	EAST=$east WEST=$west EAST_NET=2001:db8:1::/64 WEST_NET=2001:db8:2::/64 klips_tunnel $spi aes128_cbc hmac_sha1_96
	spi=$((spi + 16))
	for host in east west; do
		ip -n "$LAB_PREFIX-$host" link set wan mtu 1340
		klips_say $host attach ipsec0 wan
	done
	[ "$(lab_in east cat /sys/class/net/ipsec0/mtu)" = 1280 ] || lab_fail "ipsec0 has less than IPv6 needs"
	lab_in ehost ip -6 route flush cache
	# The least that every link of IPv6 carries passes, whatever it takes; more is said to be too big.
	lab_in ehost ping -n -q -c 2 -M 'do' -i 0.2 -W 2 -s 1232 2001:db8:2::9 >/dev/null || lab_fail "1280 octets do not pass over $east"
	lab_in ehost ping -n -q -c 1 -M 'do' -W 1 -s 1300 2001:db8:2::9 >"$LAB_DIR/ping.log" 2>&1 && lab_fail "1348 octets cannot pass"
	lab_wait 10 "answer after the senders have learned" lab_in ehost ping -n -q -c 1 -M want -W 1 -s 1300 2001:db8:2::9
	for host in east west; do
		ip -n "$LAB_PREFIX-$host" link set wan mtu 1500
		klips_say $host attach ipsec0 wan
	done
	lab_ok "1280 octets pass a narrow link between $east and $west, and more is said to be too big"
done
grep 'dropped.*packet' "$LAB_DIR/east.log" "$LAB_DIR/west.log" | grep -v 'no eroute' && lab_fail "something was dropped"
lab_end
