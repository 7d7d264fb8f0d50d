# shellcheck shell=bash disable=SC2034
# Address translators in the laboratory: source it after lab.sh and pluto.sh.
#
#   ehost ---- east ------ nat ====== wire ====== west ---- whost
#   10.0.1.9   10.0.1.1    10.9.0.1   a bridge    10.0.2.1   10.0.2.9
#              10.9.0.5    192.0.2.1              192.0.2.2
#
#   nat_lab                       that scene; what east sends gets an address and a port of nat's
#   nat_rules HOST OUT ADDR:PORTS the translator of HOST: what leaves by OUT gets an address and port from that range
#   nat_forget HOST                every translation is forgotten
#   nat_off HOST FAMILY           it translates nothing of that family (ip, ip6) any more
#   nat_rebind HOST OUT ADDR:PORTS another range, and every translation of before is forgotten
#   nat_six                       the scene has IPv6, too (LAB_IPV6=1 before nat_lab): 2001:db8:9::/64 behind nat, 2001:db8::/64 before it
#   nat_forward HOST OUT ADDR PORTS what comes by OUT for these UDP ports goes to ADDR
#   nat_beside                    a second host east2 (10.9.0.6) behind nat
#   nat_west                      west moves behind a translator, too: 10.8.0.5 behind natw, which forwards 500 and 4500
#   nat_pluto ID OPTION...        pluto in the host ID, listening
#   nat_only_udp ID               the capture ID shows ESP in UDP, and nothing else of the clients

nat_need() {
	lab_need nft tcpdump ping
}

# The kernel of tests/vm has a NAT by iptables alone.
nat_by_iptables() { [ "${IN_TEST_VM:-}" = uml ]; }

# nat_family ADDRESS[:PORTS]: ip or ip6
nat_family() {
	case $1 in *:*:*) echo ip6 ;; *) echo ip ;; esac
}
nat_tables() {	# nat_tables HOST FAMILY ARGUMENT...
	local program=iptables-legacy
	[ "$2" = ip ] || program=ip6tables-legacy
	lab_in "$1" $program -w -t nat "${@:3}"
}

nat_rules() {
	local host=$1 out=$2 range=$3 family protocol address
	family=$(nat_family "$range")
	if nat_by_iptables; then
		for protocol in udp tcp; do
			nat_tables "$host" $family -A POSTROUTING -o "$out" -p "$protocol" -j SNAT --to-source "$range" --random-fully ||
				lab_skip "this kernel has no NAT: apt-get install iptables"
		done
		address=${range%:*}
		nat_tables "$host" $family -A POSTROUTING -o "$out" -j SNAT --to-source "${address//[][]/}"
		return
	fi
	lab_in "$host" nft -f - <<-EOF || lab_skip "this kernel has no NAT"
		table $family natt {
			chain post {
				type nat hook postrouting priority 100;
				oifname "$out" meta l4proto { udp, tcp } snat to $range fully-random
				oifname "$out" snat to ${range%:*}
			}
			chain pre {
				type nat hook prerouting priority -100;
			}
		}
	EOF
}

# Forgets every translation: ctnetlink's "delete" that names none.
nat_forget() {
	lab_in "$1" python3 - <<-'EOF' || lab_skip "this kernel has no ctnetlink"
		import socket, struct
		s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
		s.send(struct.pack('=IHHIIBBH', 20, 1 << 8 | 2, 1 | 4, 1, 0, socket.AF_INET, 0, 0))
		error = struct.unpack_from('=i', s.recv(4096), 16)[0]
		raise SystemExit(error != 0)
	EOF
}

nat_off() {
	if nat_by_iptables; then
		nat_tables "$1" "$2" -F
	else
		lab_in "$1" nft delete table "$2" natt
	fi
}

nat_rebind() {
	nat_off "$1" "$(nat_family "$3")"
	nat_rules "$@"
	nat_forget "$1"
}

nat_forward() {
	if nat_by_iptables; then
		nat_tables "$1" ip -A PREROUTING -i "$2" -p udp -m multiport --dports "${4// /}" -j DNAT --to-destination "$3"
		return
	fi
	lab_in "$1" nft add rule ip natt pre iifname "$2" udp dport "{ $4 }" dnat to "$3"
}

nat_lab() {
	lab_host ehost east nat wire west whost
	lab_wire ehost eth0 10.0.1.9/24 east lan 10.0.1.1/24
	lab_wire whost eth0 10.0.2.9/24 west lan 10.0.2.1/24
	lab_host inside
	ip -n "$LAB_PREFIX-inside" link add br0 type bridge mcast_snooping 0 || lab_skip "this kernel has no bridge"
	ip -n "$LAB_PREFIX-inside" link set br0 up
	lab_wire east wan 10.9.0.5/24 inside east -
	lab_wire nat in 10.9.0.1/24 inside nat -
	ip -n "$LAB_PREFIX-inside" link set east master br0
	ip -n "$LAB_PREFIX-inside" link set nat master br0
	lab_wire nat out 192.0.2.1/24 wire nat -
	lab_wire west wan 192.0.2.2/24 wire west -
	ip -n "$LAB_PREFIX-wire" link add br0 type bridge mcast_snooping 0
	ip -n "$LAB_PREFIX-wire" link set nat master br0
	ip -n "$LAB_PREFIX-wire" link set west master br0
	ip -n "$LAB_PREFIX-wire" link set br0 up
	lab_route ehost default via 10.0.1.1
	lab_route whost default via 10.0.2.1
	lab_route east 192.0.2.0/24 via 10.9.0.1
	nat_rules nat out 192.0.2.1:20000-29999
}

nat_six() {
	lab_address ehost eth0 2001:db8:1::9/64
	lab_address east lan 2001:db8:1::1/64
	lab_address east wan 2001:db8:9::5/64
	lab_address nat in 2001:db8:9::1/64
	lab_address nat out 2001:db8::1/64
	lab_address west wan 2001:db8::2/64
	lab_address west lan 2001:db8:2::1/64
	lab_address whost eth0 2001:db8:2::9/64
	lab_route ehost default via 2001:db8:1::1
	lab_route whost default via 2001:db8:2::1
	lab_route east 2001:db8::/64 via 2001:db8:9::1
	nat_rules nat out "[2001:db8::1]:20000-29999"
}

nat_beside() {
	lab_host east2
	lab_wire east2 wan 10.9.0.6/24 inside east2 -
	ip -n "$LAB_PREFIX-inside" link set east2 master br0
	lab_route east2 192.0.2.0/24 via 10.9.0.1
}

nat_west() {
	lab_host natw
	ip -n "$LAB_PREFIX-west" addr flush dev wan
	ip -n "$LAB_PREFIX-west" link set wan down
	lab_wire natw out 192.0.2.2/24 wire natw -
	ip -n "$LAB_PREFIX-wire" link set natw master br0
	lab_wire west wan2 10.8.0.5/24 natw in 10.8.0.1/24
	lab_route west 192.0.2.0/24 via 10.8.0.1
	nat_rules natw out 192.0.2.2:30000-39999
	nat_forward natw out 10.8.0.5 "500, 4500"
}

nat_pluto() {
	pluto_start "$1" "$@"
	pluto_whack "$1" --listen >"$LAB_DIR/$1.listen.log" 2>&1 || lab_fail "pluto $1 does not listen"
}

# ESP in UDP to or from the port of west: not short, and no marker of IKE behind the header.
NAT_ESP='udp port 4500 and udp[4:2] > 12 and udp[8:4] != 0'
NAT_IKE='udp port 4500 and udp[4:2] > 12 and udp[8:4] = 0'
NAT_KEEPALIVE='udp port 4500 and udp[4:2] = 9 and udp[8] = 0xff'

nat_only_udp() {
	local esp other
	esp=$(lab_count "$1" "$NAT_ESP")
	other=$(lab_count "$1" "esp or ah or icmp[0] = 0 or icmp[0] = 8 or (udp and not port 500 and not port 4500)")
	[ "$esp" -ge "${2:-4}" ] && [ "$other" = 0 ] || lab_fail "$esp packets of ESP in UDP, $other of something else"
}
