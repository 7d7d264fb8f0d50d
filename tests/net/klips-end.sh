#!/bin/bash
# How klips ends: by quit it takes its devices along; killed, it leaves them, and what is routed there is dropped rather than
# sent in clear. What it could do if it were taken over: nearly nothing.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/klips.sh"

lab_begin "the end of klips" tcpdump ping pgrep
klips_need
klips_gateways
lab_route east default via 192.0.2.2
klips_tunnel 4096 aes128_gcm_16 -
lab_ping ehost 10.0.2.9 2 >/dev/null || lab_fail "no tunnel"

datapath=$(klips_pid east)
opener=$(pgrep -P "$datapath")
status() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
[ "$(status "$datapath" CapEff)" = 0000000000000000 ] || lab_fail "the datapath keeps capabilities"
[ "$(status "$datapath" CapPrm)" = 0000000000000000 ] || lab_fail "the datapath can take capabilities back"
[ "$(status "$datapath" CapBnd)" = 0000000000000000 ] || lab_fail "the datapath's bounding set is not empty"
[ "$(status "$datapath" NoNewPrivs)" = 1 ] || lab_fail "the datapath could gain privileges"
case $(status "$datapath" Uid) in 0*) lab_fail "the datapath is root" ;; esac
lab_ok "the datapath is nobody and has no capability"
if [ "$(status "$datapath" Seccomp)" = 2 ] && [ "$(status "$opener" Seccomp)" = 2 ]; then
	lab_ok "both processes are under a filter of system calls"
else
	grep -q 'refused the filter' "$LAB_DIR/east.log" || lab_fail "no filter of system calls, and nobody says so"
	echo "note: this system has no seccomp filters; the log says so"
fi
[ "$(status "$opener" CapEff)" = 0000000000003000 ] || lab_fail "the opener has $(status "$opener" CapEff)"
lab_ok "the opener has CAP_NET_ADMIN and CAP_NET_RAW alone"

klips_say east interfaces
grep -q '^interface wan ipsec0 192.0.2.1$' "$LAB_DIR/east.log" || lab_fail "ipsec0 is not paired with wan"
grep -q '^interface lan - 10.0.1.1$' "$LAB_DIR/east.log" || lab_fail "lan is not listed, or paired"
grep -q '^interface ipsec0' "$LAB_DIR/east.log" && lab_fail "ipsec0 is listed as a real interface"
lab_ok "the virtual interface is paired with the real one of the same address"

klips_refuse east attach ipsec10 wan
klips_refuse east attach eth9 wan
klips_refuse east attach ipsec1 ipsec0
klips_refuse east attach ipsec1 nosuch
klips_refuse east sa out tunnel esp 192.0.2.1 192.0.2.2 9999 aes_cbc "$(klips_octets 16)" - - 10.0.1.0/24 10.0.2.0/24
klips_refuse east sa out tunnel esp 192.0.2.1 192.0.2.2 4096 null - hmac_sha1_96 "$(klips_octets 20)" 10.0.1.0/24 10.0.2.0/24
klips_refuse east eroute 10.0.1.0/24 10.0.2.0/24 sa
klips_refuse east del esp 192.0.2.2 9999
klips_refuse east read ah 192.0.2.2 4096
lab_ok "what makes no sense is refused"
klips_say east spi esp 192.0.2.1
[ "$(klips_value spi)" -ge 4096 ] || lab_fail "$KLIPS_ANSWER"
klips_say east attach ipsec0 wan
lab_ping ehost 10.0.2.9 2 >/dev/null || lab_fail "attaching again broke the tunnel"
lab_ok "attaching again changes nothing"

lab_capture wire wire br0 not arp
kill -KILL "$datapath"
lab_wait 5 "word of the loss" grep -q '^lost klips' "$LAB_DIR/east.log"
lab_in ehost ping -n -q -c 3 -i 0.2 -W 1 10.0.2.9 >/dev/null && lab_fail "an answer without klips"
lab_wait 5 "end of the opener" sh -c "! kill -0 $opener"
ip -n "$LAB_PREFIX-east" link show ipsec0 >/dev/null || lab_fail "ipsec0 is gone with klips"
sleep 0.3
lab_stop wire INT
[ "$(lab_count wire icmp)" = 0 ] || lab_fail "packets went out in clear after klips died"
lab_ok "killed: pluto is told, and not one packet leaves in clear"
klips_refuse east read esp 192.0.2.2 4096
lab_ok "requests are answered after the loss"

lab_stop east
klips_start east2 east
klips_say east2 attach ipsec0 wan
lab_ok "the next klips takes the device that was left"

ip -n "$LAB_PREFIX-east" link del ipsec0
lab_wait 5 "word of the removal" grep -q 'log klips: ipsec0 was removed' "$LAB_DIR/east2.log"
before=$(cut -d' ' -f14 "/proc/$(klips_pid east2)/stat")
sleep 1
[ $(($(cut -d' ' -f14 "/proc/$(klips_pid east2)/stat") - before)) -lt 20 ] || lab_fail "klips spins"
klips_say east2 attach ipsec0 wan
ip -n "$LAB_PREFIX-east" link show ipsec0 >/dev/null || lab_fail "no ipsec0 after attaching again"
lab_ok "a device that somebody removes is noticed, and made again when asked"

orphan=$(klips_pid east2)
[ -n "$orphan" ] || lab_fail "no klips to look at"
lab_stop east2 KILL 2>/dev/null
lab_wait 5 "end of klips after pluto's" sh -c "! kill -0 $orphan"
ip -n "$LAB_PREFIX-east" link show ipsec0 >/dev/null || lab_fail "ipsec0 is gone with pluto"
lab_ok "pluto killed: klips ends, the device stays"

klips_start east3 east
klips_say east3 attach ipsec0 wan
klips_tell east3 quit
lab_wait 5 "removal of the device" sh -c "! ip -n $LAB_PREFIX-east link show ipsec0"
lab_ok "quit: the device goes"
lab_end
