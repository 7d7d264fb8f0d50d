# shellcheck shell=bash disable=SC2034
# A laboratory of network namespaces for test scripts. Source it, then call lab_begin; whatever it makes carries names of its
# own and is taken down when the script ends, however it ends. Needs bash.
#
#   lab_begin NAME [PROGRAM...]    or exit 77, saying what is missing
#   lab_host HOST                  a namespace                        lab_in HOST COMMAND...   run in it
#   lab_wire A IF CIDR B IF CIDR   a cable between two                lab_route HOST ROUTE...  ip route add
#   lab_gateways                   the usual scene, drawn below; with LAB_IPV6=1 set before, every host has IPv6 as well
#   lab_start ID HOST COMMAND...   in the background, output to $LAB_DIR/ID.log     lab_stop ID [SIGNAL]    lab_alive ID
#   lab_wait SECONDS WHAT COMMAND...   until COMMAND succeeds, else the test fails for want of WHAT
#   lab_capture ID HOST IF [FILTER...]  to $LAB_DIR/ID.pcap           lab_count ID [FILTER...]  packets in it
#   lab_ok TEXT   lab_fail TEXT   lab_skip TEXT   lab_check TEXT COMMAND...   lab_end
set -u
export LC_ALL=C

LAB_DIR=
LAB_TITLE=
LAB_CHECKS=0
LAB_HOSTS=()
declare -A LAB_PID=()
LAB_PREFIX=plt$$

lab_skip() { echo "SKIP: $*"; exit 77; }

lab_fail() {
	echo "FAIL: $*"
	local log
	for log in "$LAB_DIR"/*.log; do
		[ -s "$log" ] || continue
		echo "--- the end of ${log##*/}"
		tail -n "${LAB_TAIL:-15}" "$log"
	done
	exit 1
}

lab_ok() {
	LAB_CHECKS=$((LAB_CHECKS + 1))
	echo "ok $LAB_CHECKS - $*"
}

# lab_check TEXT COMMAND...: the test goes on only if the command succeeds.
lab_check() {
	local text=$1
	shift
	"$@" >"$LAB_DIR/check.out" 2>&1 || { cat "$LAB_DIR/check.out"; lab_fail "$text"; }
	lab_ok "$text"
}

lab_end() {
	echo "PASS: $LAB_TITLE, $LAB_CHECKS checks"
	exit 0
}

lab_need() {
	local program
	for program; do
		command -v "$program" >/dev/null || lab_skip "$program is not installed"
	done
}

lab_begin() {
	LAB_TITLE=$1
	shift
	[ "$(id -u)" = 0 ] || lab_skip "network namespaces need root"
	lab_need ip "$@"
	LAB_DIR=$(mktemp -d "/tmp/$LAB_PREFIX.XXXX") || exit 1
	trap lab_clean EXIT
	trap 'exit 130' INT TERM HUP
	ip netns add "$LAB_PREFIX-probe" 2>/dev/null || lab_skip "this machine allows no network namespaces"
	ip netns exec "$LAB_PREFIX-probe" true 2>/dev/null
	local entered=$?
	ip netns del "$LAB_PREFIX-probe"
	[ $entered = 0 ] || lab_skip "this machine lets nobody enter a network namespace (in a chroot that is no mount point?)"
}

# Ends what lab_start began, removes the namespaces; LAB_KEEP=1 keeps the folder with the logs and captures.
lab_clean() {
	local status=$? id host
	trap - EXIT
	for id in "${!LAB_PID[@]}"; do
		lab_stop "$id"
	done
	for host in "${LAB_HOSTS[@]}"; do
		ip netns del "$LAB_PREFIX-$host" 2>/dev/null
	done
	if [ -n "${LAB_KEEP:-}" ]; then
		echo "kept: $LAB_DIR"
	else
		rm -rf "$LAB_DIR"
	fi
	exit "$status"
}

lab_in() {
	local host=$1
	shift
	ip netns exec "$LAB_PREFIX-$host" "$@"
}

lab_host() {
	local host
	for host; do
		ip netns add "$LAB_PREFIX-$host" || lab_skip "cannot make a network namespace"
		LAB_HOSTS+=("$host")
		# Packets are forwarded; IPv6 is there only where a test wants it, for its chatter on the wire.
		lab_in "$host" sh -c 'ip link set lo up; cd /proc/sys/net
			echo 1 >ipv4/ip_forward
			for f in all default; do
				[ ! -e ipv6/conf/$f/disable_ipv6 ] || echo '"$((1 - ${LAB_IPV6:-0}))"' >ipv6/conf/$f/disable_ipv6
				echo 0 >ipv4/conf/$f/rp_filter
			done'
		[ "${LAB_IPV6:-0}" = 0 ] || lab_in "$host" sh -c 'cd /proc/sys/net/ipv6/conf 2>/dev/null || exit 1
			for f in all default; do
				echo 1 >$f/forwarding; echo 0 >$f/accept_dad; echo 0 >$f/dad_transmits; echo 0 >$f/accept_ra
			done' || lab_skip "this kernel has no IPv6"
	done
}

# lab_address HOST INTERFACE CIDR[,CIDR...]; - stands for none.
lab_address() {
	local addr
	[ "$3" != - ] || return 0
	for addr in ${3//,/ }; do
		ip -n "$LAB_PREFIX-$1" addr add "$addr" dev "$2"
	done
}

# An empty address (-) leaves the interface without one, for a bridge; several are separated by commas.
lab_wire() {
	local a=$1 a_if=$2 a_addr=$3 b=$4 b_if=$5 b_addr=$6
	ip -n "$LAB_PREFIX-$a" link add "$a_if" type veth peer name "$b_if" netns "$LAB_PREFIX-$b" ||
		lab_skip "this kernel has no veth"
	lab_address "$a" "$a_if" "$a_addr"
	lab_address "$b" "$b_if" "$b_addr"
	ip -n "$LAB_PREFIX-$a" link set "$a_if" up
	ip -n "$LAB_PREFIX-$b" link set "$b_if" up
}

lab_route() {
	local host=$1
	shift
	ip -n "$LAB_PREFIX-$host" route add "$@"
}

#   ehost ---- east ====== wire ====== west ---- whost
#   10.0.1.9   10.0.1.1    a bridge    10.0.2.1   10.0.2.9
#              192.0.2.1               192.0.2.2
# With LAB_IPV6=1 also 2001:db8:1::9, 2001:db8:1::1, 2001:db8::1, 2001:db8::2, 2001:db8:2::1, 2001:db8:2::9.
# Captures are made on the wire, where only what really was sent can be seen. No gateway has a route to the other's clients.
lab_gateways() {
	lab_host ehost east wire west whost
	lab_wire ehost eth0 10.0.1.9/24 east lan 10.0.1.1/24
	lab_wire whost eth0 10.0.2.9/24 west lan 10.0.2.1/24
	lab_wire east wan 192.0.2.1/24 wire east -
	lab_wire west wan 192.0.2.2/24 wire west -
	ip -n "$LAB_PREFIX-wire" link add br0 type bridge mcast_snooping 0 || lab_skip "this kernel has no bridge"
	ip -n "$LAB_PREFIX-wire" link set east master br0
	ip -n "$LAB_PREFIX-wire" link set west master br0
	ip -n "$LAB_PREFIX-wire" link set br0 up
	lab_route ehost default via 10.0.1.1
	lab_route whost default via 10.0.2.1
	[ "${LAB_IPV6:-0}" = 0 ] || lab_six
}

lab_six() {
	lab_address ehost eth0 2001:db8:1::9/64
	lab_address east lan 2001:db8:1::1/64
	lab_address east wan 2001:db8::1/64
	lab_address west wan 2001:db8::2/64
	lab_address west lan 2001:db8:2::1/64
	lab_address whost eth0 2001:db8:2::9/64
	lab_route ehost default via 2001:db8:1::1
	lab_route whost default via 2001:db8:2::1
}

# What hosts say to each other on a link of their own accord, as a filter for captures.
LAB_CHATTER='(arp or dst net ff00::/8 or (icmp6 and (ip6[40] = 133 or ip6[40] = 134 or ip6[40] = 135 or ip6[40] = 136)))'

lab_start() {
	local id=$1 host=$2
	shift 2
	ip netns exec "$LAB_PREFIX-$host" "$@" >"$LAB_DIR/$id.log" 2>&1 </dev/null &
	LAB_PID[$id]=$!
}

lab_alive() { kill -0 "${LAB_PID[$1]:-0}" 2>/dev/null; }

# lab_stop ID [SIGNAL]: waits up to five seconds, then insists. Sets LAB_STATUS to the exit status.
lab_stop() {
	local pid=${LAB_PID[$1]:-} i
	[ -n "$pid" ] || return 0
	unset "LAB_PID[$1]"
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	for ((i = 0; i < 50; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null && echo "note: $1 had to be killed"
	wait "$pid" 2>/dev/null
	LAB_STATUS=$?
	return 0
}

lab_wait() {
	local seconds=$1 what=$2 end=$((SECONDS + $1))
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || lab_fail "no $what within $seconds s"
		sleep 0.1
	done
}

lab_capture() {
	local id=$1 host=$2 interface=$3
	shift 3
	lab_start "$id" "$host" tcpdump --immediate-mode -U -n -i "$interface" -w "$LAB_DIR/$id.pcap" "$@"
	lab_wait 10 "capture on $interface" grep -q 'listening on' "$LAB_DIR/$id.log"
}

lab_count() {
	local id=$1
	shift
	tcpdump -n -r "$LAB_DIR/$id.pcap" "$@" 2>/dev/null | wc -l
}

# lab_ping HOST ADDRESS [COUNT]: succeeds if every one is answered within a second.
lab_ping() { lab_in "$1" ping -n -q -c "${3:-1}" -i 0.2 -W 1 "$2"; }
