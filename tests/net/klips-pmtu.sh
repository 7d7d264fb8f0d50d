#!/bin/bash
# A narrow link between two gateways that are a router apart: senders behind them learn of it, and big packets that may be
# fragmented get through.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/klips.sh"

#   ehost --- east --- router ======= west --- whost
#                                   narrow
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

lab_capture west router west esp or 'ip[6:2] & 0x1fff != 0'
for size in 1150 1300 1368 1472 4000; do
	lab_in ehost ping -n -q -c 1 -M dont -s $size -W 2 10.0.2.9 >/dev/null || lab_fail "no answer to $size octets that may be fragmented"
done
sleep 0.3
lab_stop west INT
[ "$(tcpdump -n -r "$LAB_DIR/west.pcap" 'greater 1215' 2>/dev/null | wc -l)" = 0 ] || lab_fail "too large for the link"
lab_ok "packets that may be fragmented pass at any size"
lab_end
