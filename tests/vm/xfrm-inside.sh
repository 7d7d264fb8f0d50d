#!/bin/bash
# Run by xfrm.sh on a kernel with IPsec. Two plutos with --kernel xfrm: every kind of SA carries pings and is counted by the
# kernel, traps drop and report, rekeying loses nothing, replayed packets are refused; whatever ends, and however, what
# others have installed stays. Then klips and strongSwan as peers.
here=$(cd "$(dirname "$0")" && pwd)
PLUTO_KERNEL=xfrm
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/../interop/strongswan.sh"

lab_begin "pluto with the kernel's IPsec" tcpdump ping python3
pluto_need
swan_kernel || lab_skip "this kernel has no ESP: run tests/vm/xfrm.sh"
secret="of no consequence"
pluto_secret east "$secret"
pluto_secret west "$secret"

raw_state() { lab_in "$1" ip -s xfrm state; }
# Without those that the kernel began by itself when a packet met a trap.
state() { raw_state "$1" | awk '/^src/ { head = $0; next } /^\tproto/ { show = !/spi 0x00000000/; if (show) print head } show'; }
# Without those of sockets, and those for neighbour discovery, which are there as long as pluto runs.
policy() {
	lab_in "$1" ip xfrm policy | grep -v '^src 0.0.0.0/0 dst 0.0.0.0/0' | grep -v 'socket \(in\|out\)' |
		awk '/^src/ { show = !/^src ::\/0 dst ::\/0 proto ipv6-icmp/ } show'
}
ours() { { raw_state "$1"; policy "$1"; } | grep -Ec 'reqid (1342|1358)[0-9]{6}'; }
nothing_of_ours() { [ "$(ours "$1")" = 0 ] && ! lab_in "$1" ip route | grep -q 'proto 80'; }
# Every SA of the host has carried packets, and refuses replays.
all_counted() { [ "$(state "$1" | grep -c '0(bytes), 0(packets)')" = 0 ] && [ "$(state "$1" | grep -c '^src')" -ge 2 ]; }
windows() { [ "$(state "$1" | grep -c 'replay_window 64')" = "$(state "$1" | grep -c '^src')" ]; }
modes() { state "$1" | grep -o 'mode [a-z]*' | sort | uniq -c | tr -s ' \n' ' '; }
no_ping() { ! lab_ping "$@"; }

pluto_gateways --debug-klips

# Of another program: an SA, a policy with a template, one without.
foreign() {
	lab_in east ip xfrm state add src 198.51.100.1 dst 198.51.100.2 proto esp spi 0x100 reqid 7 mode tunnel \
		auth 'hmac(sha1)' 0x0102030405060708090a0b0c0d0e0f1011121314 enc 'cbc(aes)' 0x000102030405060708090a0b0c0d0e0f &&
		lab_in east ip xfrm policy add src 10.7.0.0/24 dst 10.8.0.0/24 dir out priority 5 \
			tmpl src 198.51.100.1 dst 198.51.100.2 proto esp reqid 7 mode tunnel &&
		lab_in east ip xfrm policy add src 10.7.1.0/24 dst 10.8.1.0/24 dir in action block priority 1000
}
foreign_stays() {
	state east | grep -q 'spi 0x00000100' && policy east | grep -q '^src 10.7.0.0/24 dst 10.8.0.0/24' &&
		policy east | grep -q '^src 10.7.1.0/24 dst 10.8.1.0/24'
}
foreign_out() { lab_in east ip xfrm state delete src 198.51.100.1 dst 198.51.100.2 proto esp spi 0x100; }

lab_capture wire wire br0 ip
lab_check "without an SA nothing goes through" no_ping ehost 10.0.2.9

# try NAME PROTOCOL OPTIONS...: describe, initiate, ping, look, terminate.
try() {
	local name=$1 protocol=$2 before id
	shift 2
	for id in east west; do
		# shellcheck disable=SC2086 # the words of one command line
		lab_check "$name: $id takes the connection" pluto_whack "$id" --delete ${PLUTO_SECRET% --encrypt*} "$@"
	done
	lab_check "$name: negotiated" pluto_whack east --name secret --initiate
	sleep 0.3
	before=$(lab_count wire "$protocol")
	lab_check "$name: pings go through" lab_ping ehost 10.0.2.9 3
	lab_check "$name: and the other way" lab_ping whost 10.0.1.9 1
	sleep 0.3
	lab_check "$name: as 8 packets of $protocol" [ $(($(lab_count wire "$protocol") - before)) = 8 ]
	for id in east west; do
		lab_check "$name: the kernel of $id counted them in each SA" all_counted "$id"
		lab_check "$name: each SA of $id has a window of 64 packets" windows "$id"
	done
	MODES=$(modes east)
	lab_check "$name: whack shows the counts" eval 'pluto_whack east --status | grep -q "in 0x.*: 4 packets.*out 0x.*: 4 packets"'
	lab_check "$name: terminated" pluto_whack east --name secret --terminate
	lab_wait 5 "end of the SAs at both" eval '[ "$(state east | grep -c ^src)$(state west | grep -c ^src)" = 00 ]'
	lab_check "$name: a trap is left, and nothing goes through" no_ping ehost 10.0.2.9
}

while read -r esp; do
	try "ESP $esp" esp --encrypt --psk --esp "$esp"
done <<-'END'
	aes128-sha256
	aes256gcm16
	3des-md5
	null-sha1
	aes256-sha512
END
try "AH sha256" ah --authenticate --psk --ah sha256
lab_check "all were tunnels ($MODES)" [ "$MODES" = " 2 mode tunnel " ]
try "AH around ESP" ah --encrypt --authenticate --psk --esp aes128-sha256 --ah sha1
lab_check "the tunnel of a bundle is that of ESP ($MODES)" [ "$MODES" = " 2 mode transport 2 mode tunnel " ]
lab_check "and AH came first" [ "$(lab_count wire 'ah and ip[20] = 50')" = 8 ]

# What has met the trap is there as an SA that the kernel waits for.
lab_check "the packet at the trap was reported" grep -q 'from 10.0.1.9 to 10.0.2.9, protocol 1, met a trap' "$LAB_DIR/east.log"
lab_check "unrouted" pluto_whack east --name secret --unroute
lab_check "then no policy and no route is left" eval '[ -z "$(policy east)" ] && ! lab_in east ip route | grep -q "proto 80"'

# A trap to nobody: host and port, and nothing leaves.
lab_check "a trap to a network that is not there" eval 'pluto_whack east --name nobody --host 192.0.2.1 --client 10.0.1.0/24 --to \
	--host 192.0.2.77 --client 10.0.9.0/24 --encrypt --psk && pluto_whack east --name nobody --route'
lab_check "holds packets back" no_ping ehost 10.0.9.9
lab_check "and reports them" grep -q 'from 10.0.1.9 to 10.0.9.9, protocol 1, met a trap' "$LAB_DIR/east.log"
lab_check "deleted, it is gone" eval 'pluto_whack east --name nobody --delete && [ -z "$(policy east)" ]'

# Transport mode between the gateways; IKE itself is not caught by it.
for id in east west; do
	lab_check "transport mode: $id takes the connection" pluto_whack "$id" --name hosts --host 192.0.2.1 --to --host 192.0.2.2 \
		--encrypt --psk
done
before=$(lab_count wire esp)
lab_check "transport mode: negotiated" pluto_whack west --name hosts --initiate
lab_check "transport mode: pings go through" lab_ping east 192.0.2.2 3
sleep 0.3
lab_check "transport mode: as ESP" [ $(($(lab_count wire esp) - before)) = 6 ]
lab_check "transport mode: it is ($(modes east))" eval '[[ "$(modes east)" == *"2 mode transport "* ]]'
lab_check "transport mode: renegotiated under its own SAs" pluto_whack east --name hosts --initiate
lab_check "transport mode: pings still go through" lab_ping west 192.0.2.1 1
for id in east west; do
	lab_check "transport mode: deleted at $id" pluto_whack "$id" --name hosts --delete
done

# An SA that another program has made.
lab_check "another program has an SA and policies" foreign

# Rekeying under traffic.
for id in east west; do
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$id: lifetimes of seconds" pluto_whack "$id" --delete $PLUTO_SECRET --pfs --ipseclifetime 8 --ikelifetime 14 \
		--rekeymargin 3 --rekeyfuzz 50
done
lab_check "negotiated" pluto_whack east --name secret --initiate
before=$(grep -c 'IPsec SA established' "$LAB_DIR/east.log")
lab_in ehost ping -n -q -c 300 -i 0.05 -W 1 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1
replaced=$(($(grep -c 'IPsec SA established' "$LAB_DIR/east.log") - before))
lab_check "IPsec SAs were replaced under traffic ($replaced times)" [ "$replaced" -ge 2 ]
lab_check "not one of the packets was lost" grep -q '300 received, 0% packet loss' "$LAB_DIR/ping.log"

# Replayed packets: what was captured last is sent again.
replayed() { state west | awk '/replay-window/ && /failed/ { n += $4 } END { print n + 0 }'; }
lab_in wire python3 - "$LAB_DIR/wire.pcap" <<-'END' >"$LAB_DIR/again.log" 2>&1
	import socket, struct, sys
	data, frames, at = open(sys.argv[1], "rb").read(), [], 24
	while at + 16 <= len(data):
	    n = struct.unpack("<I", data[at + 8:at + 12])[0]
	    frame = data[at + 16:at + 16 + n]
	    at += 16 + n
	    if frame[23] == 50 and frame[30:34] == bytes([192, 0, 2, 2]):
	        frames.append(frame)
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
	s.bind(("br0", 0))
	for frame in frames[-5:]:
	    s.send(frame)
	print(len(frames))
END
lab_wait 5 "count of replays" eval '[ "$(replayed)" = 5 ]'
lab_ok "five packets that were sent again were refused by the kernel of west"

# Killed, and started again: with SAs that do not end meanwhile.
for id in east west; do
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$id: lifetimes of hours" pluto_whack "$id" --delete $PLUTO_SECRET --pfs
done
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_stop east KILL
lab_check "killed: its policies stay" [ "$(ours east)" -ge 3 ]
lab_check "killed: nobody else's went" foreign_stays
pluto_start east east --debug-klips
lab_check "started again: it has removed what was left" grep -q 'removed what an earlier pluto left in the kernel: [2-9] SAs, 7 policies' \
	"$LAB_DIR/east.log"
lab_check "started again: nothing of ours is there" [ "$(ours east)" = 0 ]
lab_check "started again: nobody else's went" foreign_stays
lab_in east timeout 5 "$PLUTO" --nofork --stderrlog --kernel xfrm --ctlbase "$LAB_DIR/second" --ikeport 8500 >"$LAB_DIR/second.log" 2>&1
lab_check "a second pluto is refused" grep -q 'another pluto has the kernel' "$LAB_DIR/second.log"
lab_check "and has touched nothing" foreign_stays
# shellcheck disable=SC2086 # the words of one command line
lab_check "described again" eval 'pluto_whack east $PLUTO_SECRET --pfs && pluto_whack east --listen'
lab_check "negotiated again" pluto_whack east --name secret --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3

# Selectors that somebody else has a policy for already.
lab_in east ip xfrm policy add src 10.0.1.0/24 dst 10.0.44.0/24 dir out action block priority 9
lab_check "a policy of others is not overwritten" eval 'pluto_whack east --name clash --host 192.0.2.1 --client 10.0.1.0/24 --to \
	--host 192.0.2.2 --client 10.0.44.0/24 --encrypt --psk && ! pluto_whack east --name clash --route >"$LAB_DIR/clash.log" 2>&1'
lab_check "the reason is told" grep -q 'another program has one already; remove it with ip xfrm' "$LAB_DIR/clash.log"
lab_check "the policy stays, alone" [ "$(policy east | grep -c '10.0.44.0/24')" = 1 ]

pluto_stop east
lab_check "shut down: nothing of ours is left" nothing_of_ours east
lab_check "shut down: nobody else's went" foreign_stays
foreign_out
pluto_stop west
lab_check "shut down: the other's kernel is empty" eval '[ -z "$(raw_state west)$(policy west)" ] && ! lab_in west ip xfrm policy | grep -q icmp'

# klips as the peer; and auto finds the kernel's IPsec.
PLUTO_KERNEL=klips pluto_start west west
PLUTO_KERNEL=auto pluto_start east east
lab_check "auto: the kernel's IPsec" grep -q 'kernel xfrm' "$LAB_DIR/east.log"
for id in east west; do
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$id is ready" eval 'pluto_whack "$id" $PLUTO_SECRET && pluto_whack "$id" --listen'
done
lab_check "xfrm and klips: negotiated" pluto_whack east --name secret --initiate
lab_check "xfrm and klips: pings go through" lab_ping ehost 10.0.2.9 3
for id in east west; do
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "bundle: $id" pluto_whack "$id" --delete $PLUTO_SECRET --authenticate --esp 3des-sha1 --ah md5
done
lab_check "xfrm and klips, AH around ESP: negotiated" pluto_whack west --name secret --initiate
lab_check "xfrm and klips, AH around ESP: pings go through" lab_ping whost 10.0.1.9 3
pluto_stop west

# strongSwan with the kernel's IPsec, each end initiating.
swan_start west west
while read -r ike esp; do
	: >"$LAB_DIR/west/swanctl/swanctl.conf"
	swan_connection west net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 "$ike" "$esp" "$secret"
	swan_load west
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$esp: pluto takes the connection" pluto_whack east --delete $PLUTO_SECRET --ike "$ike" --esp "$esp"
	lab_check "$esp: pluto initiates" timeout 30 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name secret --initiate
	lab_wait 5 "IPsec SA at strongSwan" swan_has west ESTABLISHED INSTALLED
	lab_check "$esp: pings go through" lab_ping ehost 10.0.2.9 3
	lab_check "$esp: terminated" pluto_whack east --name secret --terminate
	lab_wait 5 "end of the SAs at strongSwan" eval '! swan_has west ESTABLISHED'
	lab_check "$esp: strongSwan initiates" swan_initiate west net
	lab_check "$esp: pings go through" lab_ping whost 10.0.1.9 3
	swan_terminate west net
done <<-'END'
	aes128-sha256-modp2048 aes128-sha256
	aes256-sha512-modp3072 aes256gcm16
	3des-sha1-modp1024 3des-md5
END
# All but what the hosts tell each other of themselves: that nobody listens on port 500 while east is killed.
tcpdump -n -r "$LAB_DIR/wire.pcap" 'not udp port 500 and not esp and not ah and not icmp[0] = 3' >"$LAB_DIR/clear.log" 2>/dev/null
lab_check "nothing passed in clear" [ ! -s "$LAB_DIR/clear.log" ]
pluto_stop east
lab_check "nothing of ours is left" nothing_of_ours east
lab_end
