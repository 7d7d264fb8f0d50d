#!/bin/bash
# A narrow link between two gateways that are a router apart: senders behind them learn of it, and big packets that may be
# fragmented get through. Then the same over IPv6, where routers cut nothing.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/klips.sh"

#   ehost --- east --- router ======= west --- whost
#                                   narrow
LAB_IPV6=1
lab_begin "klips and the path MTU" tcpdump ping
klips_need
lab_host ehost east router west whost
lab_wire ehost eth0 10.0.1.9/24 east lan 10.0.1.1/24
lab_wire whost eth0 10.0.2.9/24 west lan 10.0.2.1/24
lab_wire east wan 192.0.2.1/25 router east 192.0.2.3/25
lab_wire west wan 192.0.2.129/25 router west 192.0.2.131/25
ip -n "$LAB_PREFIX-router" link set west mtu 1200
ip -n "$LAB_PREFIX-west" link set wan mtu 1200
lab_route ehost default via 10.0.1.1
lab_route whost default via 10.0.2.1
lab_route east default via 192.0.2.3
lab_route west default via 192.0.2.131
klips_start east east
klips_start west west
klips_say east attach ipsec0 wan
klips_say west attach ipsec0 wan
lab_route east 10.0.2.0/24 dev ipsec0
lab_route west 10.0.1.0/24 dev ipsec0
klips_keys aes128_cbc hmac_sha1_96
there="tunnel esp 192.0.2.1 192.0.2.129 4096 $CIPHER $CIPHER_KEY hmac_sha1_96 $MAC_KEY 10.0.1.0/24 10.0.2.0/24"
back="tunnel esp 192.0.2.129 192.0.2.1 4097 $CIPHER $CIPHER_KEY hmac_sha1_96 $MAC_KEY 10.0.2.0/24 10.0.1.0/24"
klips_say east sa in "$back"
klips_say west sa in "$there"
klips_say east sa out "$there"
klips_say west sa out "$back"
klips_say east eroute 10.0.1.0/24 10.0.2.0/24 sa esp 192.0.2.129 4096
klips_say west eroute 10.0.2.0/24 10.0.1.0/24 sa esp 192.0.2.1 4097
lab_ping ehost 10.0.2.9 2 >/dev/null || lab_fail "no tunnel"

lab_capture lan ehost eth0 icmp
lab_in ehost ping -n -q -c 3 -i 0.3 -M 'do' -s 1300 -W 1 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1
lab_wait 5 "line about the path's MTU" grep -q 'a router says that packets of esp.00001000@192.0.2.129 may have 1200 octets' "$LAB_DIR/east.log"
sleep 0.3
lab_stop lan INT
[ "$(lab_count lan 'icmp[0] == 3 and icmp[1] == 4 and src 192.0.2.1')" -ge 1 ] || lab_fail "the sender is not told"
mtu=$(tcpdump -n -v -r "$LAB_DIR/lan.pcap" 'icmp[0] == 3 and src 192.0.2.1' 2>/dev/null | sed -n 's/.*mtu \([0-9]*\).*/\1/p' | head -1)
if [ "${mtu:-0}" -lt 1100 ] || [ "$mtu" -ge 1200 ]; then lab_fail "the MTU told is ${mtu:-none}"; fi
lab_ok "the sender is told that $mtu octets fit"

lab_in ehost ping -n -q -c 1 -M want -s 1300 -W 2 10.0.2.9 >/dev/null || lab_fail "no answer after the sender has learned"
lab_in ehost ping -n -q -c 1 -M 'do' -s $((mtu - 28)) -W 2 10.0.2.9 >/dev/null || lab_fail "$mtu octets do not pass"
lab_ok "exactly $mtu octets pass, and larger ones in fragments"

lab_capture narrow router west esp or 'ip[6:2] & 0x1fff != 0'
for size in 1150 1300 1368 1472 4000; do
	lab_in ehost ping -n -q -c 1 -M dont -s $size -W 2 10.0.2.9 >/dev/null || lab_fail "no answer to $size octets that may be fragmented"
done
sleep 0.3
lab_stop narrow INT
[ "$(tcpdump -n -r "$LAB_DIR/narrow.pcap" 'greater 1215' 2>/dev/null | wc -l)" = 0 ] || lab_fail "too large for the link"
lab_ok "packets that may be fragmented pass at any size"

# A link of 1200 octets has no IPv6 at all; addresses come when it is wider.
ip -n "$LAB_PREFIX-router" link set west mtu 1300
ip -n "$LAB_PREFIX-west" link set wan mtu 1300
for at in ehost:eth0:2001:db8:1::9/64 east:lan:2001:db8:1::1/64 east:wan:2001:db8::1/64 router:east:2001:db8::3/64 \
	router:west:2001:db8:77::3/64 west:wan:2001:db8:77::2/64 west:lan:2001:db8:2::1/64 whost:eth0:2001:db8:2::9/64; do
	host=${at%%:*} rest=${at#*:}
	lab_address "$host" "${rest%%:*}" "${rest#*:}"
done
lab_route ehost default via 2001:db8:1::1
lab_route whost default via 2001:db8:2::1
lab_route east default via 2001:db8::3
lab_route west default via 2001:db8:77::3
klips_say east attach ipsec0 wan
klips_say west attach ipsec0 wan
lab_route east 2001:db8:2::/64 dev ipsec0
lab_route west 2001:db8:1::/64 dev ipsec0
there="tunnel esp 2001:db8::1 2001:db8:77::2 4098 $CIPHER $CIPHER_KEY hmac_sha1_96 $MAC_KEY 2001:db8:1::/64 2001:db8:2::/64"
back="tunnel esp 2001:db8:77::2 2001:db8::1 4099 $CIPHER $CIPHER_KEY hmac_sha1_96 $MAC_KEY 2001:db8:2::/64 2001:db8:1::/64"
klips_say east sa in "$back"
klips_say west sa in "$there"
klips_say east sa out "$there"
klips_say west sa out "$back"
klips_say east eroute 2001:db8:1::/64 2001:db8:2::/64 sa esp 2001:db8:77::2 4098
klips_say west eroute 2001:db8:2::/64 2001:db8:1::/64 sa esp 2001:db8::1 4099
lab_wait 10 "tunnel of IPv6" lab_ping ehost 2001:db8:2::9

lab_capture west6 router west
lab_in ehost ping -n -q -c 2 -i 0.3 -M 'do' -s 1312 -W 1 2001:db8:2::9 >"$LAB_DIR/ping.log" 2>&1
lab_wait 10 "line about the path's MTU" grep -q 'a router says that packets of esp.00001002@2001:db8:77::2 may have 1300 octets' "$LAB_DIR/east.log"
lab_wait 10 "answer after the sender has learned" lab_in ehost ping -n -q -c 1 -M want -s 1312 -W 1 2001:db8:2::9
lab_in ehost ip -6 route get 2001:db8:2::9 | grep -q 'mtu 1280' || lab_fail "the sender was not told what passes"
lab_ok "a sender of IPv6 is told that 1280 octets fit"
lab_wait 10 "1280 octets, cut outside" lab_in ehost ping -n -q -c 1 -M 'do' -s 1232 -W 1 2001:db8:2::9
sleep 0.3
lab_stop west6 INT
[ "$(lab_count west6 'ip6[6] = 44 and ip6[40] = 50')" -ge 4 ] || lab_fail "no fragments of ESP on the narrow link"
[ "$(lab_count west6 "not $LAB_CHATTER and not (ip6 proto 50) and not (ip6[6] = 44 and ip6[40] = 50)")" = 0 ] || lab_fail "something else on the link"
lab_ok "1280 octets pass, in fragments of ESP"
lab_end
