#!/bin/bash
# One connection with several clients at each end: an SA pair, an eroute and a run of the updown command for each pair of
# clients; then connections for one protocol and port only.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "several clients, protocols and ports" tcpdump ping python3
pluto_need
lab_gateways
for end in "ehost east lan 10.0.11 10.0.12" "whost west lan 10.0.21 10.0.22"; do
	read -r host gateway if one two <<<"$end"
	for net in $one $two; do
		ip -n "$LAB_PREFIX-$host" addr add "$net.9/24" dev eth0
		ip -n "$LAB_PREFIX-$gateway" addr add "$net.1/24" dev "$if"
	done
done
cat >"$LAB_DIR/updown" <<-'END'
	#!/bin/sh
	echo "$PLUTO_VERB $PLUTO_CONNECTION $PLUTO_MY_CLIENT $PLUTO_PEER_CLIENT ${PLUTO_PROTOCOL-any} ${PLUTO_MY_PORT-} ${PLUTO_PEER_PORT-}" >>"${0%/*}/updown.calls"
	exec "$IPSEC_UPDOWN"
END
sed -i "s|\$IPSEC_UPDOWN|$IPSEC_EXECDIR/_updown|" "$LAB_DIR/updown"
[ -x "$IPSEC_EXECDIR/_updown" ] || sed -i "s|exec .*|exec $here/../../src/kernel/_updown|" "$LAB_DIR/updown"
chmod +x "$LAB_DIR/updown"
pluto_ends
both() { pluto_whack east --delete "$@" && pluto_whack west --delete "$@"; }
whack_east() { pluto_whack east "$@" >"$LAB_DIR/command.log" 2>&1; }
said() { grep -qF -- "$1" "$LAB_DIR/command.log"; }
from() { lab_in ehost ping -n -q -c 1 -W 2 -I "$1" "$2"; }
lab_capture wire wire br0 ip

# ---- nets
left="--host 192.0.2.1 --client 10.0.1.0/24 --client 10.0.11.0/24"
right="--host 192.0.2.2 --client 10.0.2.0/24,10.0.21.0/24"
# shellcheck disable=SC2086 # the words of one command line
lab_check "two clients at each end" both --name nets $left --updown "$LAB_DIR/updown" --to $right --encrypt --psk
lab_check "whack initiates all pairs" whack_east --initiate nets
lab_check "and tells of each" eval 'for k in 1x1 1x2 2x1 2x2; do said "\"nets/$k\" #" || exit 1; done'
lab_check "and of all" eval 'tail -n 1 "$LAB_DIR/command.log" | grep -q "^004 \"nets\": all 4 pairs of clients are up"'
for pair in "10.0.1.9 10.0.2.9" "10.0.1.9 10.0.21.9" "10.0.11.9 10.0.2.9" "10.0.11.9 10.0.21.9"; do
	read -r ours theirs <<<"$pair"
	lab_check "a ping from $ours to $theirs" from "$ours" "$theirs"
done
lab_check "nothing went in clear" [ "$(lab_count wire icmp)" = 0 ]
counts() { pluto_whack east --status --json | python3 -c '
import json, sys
for c in json.load(sys.stdin)["connections"]:
	for sa in c["sas"]:
		if sa["kind"] == "ipsec":
			print(c["name"], c["description"], c["left"]["client"], c["right"]["client"], sa["protocols"][0]["out"]["packets"])'; }
lab_check "each pair has an SA of its own, and one ping went through it" eval '[ "$(counts)" = "nets/1x1 nets 10.0.1.0/24 10.0.2.0/24 1
nets/1x2 nets 10.0.1.0/24 10.0.21.0/24 1
nets/2x1 nets 10.0.11.0/24 10.0.2.0/24 1
nets/2x2 nets 10.0.11.0/24 10.0.21.0/24 1" ]'
lab_check "the updown command was run for each eroute" eval '[ "$(grep -c ^up-client "$LAB_DIR/updown.calls")" = 4 ]'
lab_check "with its clients" grep -qx "up-client nets/2x1 10.0.11.0/24 10.0.2.0/24 any  " "$LAB_DIR/updown.calls"
lab_check "and once for each of the peer's clients when a route was made" eval \
	'[ "$(grep -c ^route-client "$LAB_DIR/updown.calls")" = 2 ]'
lab_check "the other nets of these hosts are no part of it" eval '! from 10.0.12.9 10.0.22.9'
lab_check "one pair is terminated by its own name" whack_east --terminate nets/1x2
lab_check "its traffic is dropped" eval '! from 10.0.1.9 10.0.21.9'
lab_check "that of its neighbour goes on" from 10.0.11.9 10.0.21.9
lab_check "and it comes back alone" whack_east --initiate nets/1x2
lab_check "with its traffic" from 10.0.1.9 10.0.21.9
lab_check "all are terminated by the name of the connection" whack_east --terminate nets
lab_check "with the ISAKMP SA" eval '! pluto_whack east --status | grep -q "SA with\|IPsec SA under"'
lab_check "all are unrouted" whack_east --unroute nets
lab_check "whack says so" said '"nets": all 4 pairs of clients are unrouted'
lab_check "all are routed" whack_east --route nets
lab_check "a part cannot be deleted" eval '! whack_east --delete --name nets/1x1 && said "is one pair of clients of \"nets\", which is described as a whole"'
lab_check "the whole can" whack_east --delete --name nets
lab_wait 10 "end of the routes" eval '! lab_in east ip route | grep -q "^10\.0\.2"'
lab_ok "and the routes went with it"
pluto_whack west --delete --name nets >"$LAB_DIR/delete.log" 2>&1

# ---- one peer knows less
# shellcheck disable=SC2086
lab_check "the peer has one client less" eval 'pluto_whack east --name nets $left --to $right --encrypt --psk --keyingtries 1 --sends 1 &&
	pluto_whack west --name nets $left --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk'
lab_check "what both know comes up, and whack ends with the status of the rest" eval '! whack_east --initiate nets'
lab_check "it says how many" eval 'tail -n 1 "$LAB_DIR/command.log" | grep -q "\"nets\": 2 of 4 pairs of clients are up"'
lab_check "the peer's log tells the two side by side" grep -q 'the peer asks for 10.0.1.0/24 to 10.0.21.0/24; the nearest, connection "nets/1x1", has 10.0.1.0/24 to 10.0.2.0/24: our subnet 10.0.21.0/24 is not 10.0.2.0/24' "$LAB_DIR/west.log"
lab_check "what is up works" from 10.0.11.9 10.0.2.9
for id in east west; do pluto_whack $id --delete --name nets; done >"$LAB_DIR/delete.log" 2>&1

# ---- ports
serve() { lab_start "$1" whost python3 -c '
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("10.0.2.9", int(sys.argv[1])))
s.listen()
while True:
	c, _ = s.accept()
	c.sendall(b"hello\n")
	c.close()' "$2"
	lab_wait 10 "a server on port $2" eval 'lab_in whost ss -ltn | grep -q "10.0.2.9:'"$2"'"'; }
fetch() { lab_in ehost timeout 3 python3 -c '
import socket, sys
s = socket.create_connection(("10.0.2.9", int(sys.argv[1])), 2)
sys.exit(0 if s.recv(6) == b"hello\n" else 1)' "$1"; }
serve web 80
serve other 81
lab_route east 10.0.0.0/8 via 192.0.2.2
lab_route west 10.0.0.0/8 via 192.0.2.1
lab_check "without a connection all ports are in clear" eval 'fetch 80 && fetch 81'
lab_check "a connection for TCP port 80" both --name web --host 192.0.2.1 --client 10.0.1.0/24 --updown "$LAB_DIR/updown" \
	--to --host 192.0.2.2 --client 10.0.2.0/24 --clientproto tcp --clientport 80 --encrypt --psk
lab_check "comes up" whack_east --initiate web
lab_stop wire INT
lab_capture wire wire br0 ip
lab_check "port 80 is reached" fetch 80
lab_check "by ESP, not in clear" eval '[ "$(lab_count wire esp)" -ge 6 ] && [ "$(lab_count wire tcp)" = 0 ]'
lab_check "what else goes that way has no eroute and is dropped: another port" eval '! fetch 81'
lab_check "and another protocol" eval '! from 10.0.1.9 10.0.2.9'
lab_check "nothing of it is in clear" [ "$(lab_count wire tcp or icmp)" = 0 ]
lab_check "the updown command is told of protocol and ports" grep -qx "up-client web 10.0.1.0/24 10.0.2.0/24 6 0 80" "$LAB_DIR/updown.calls"
lab_check "the status, too" eval 'pluto_whack east --status --brief | grep -q "10.0.1.0/24 tcp===192.0.2.1...192.0.2.2===10.0.2.0/24 tcp:80"'
lab_check "several ports of one client" both --name web --host 192.0.2.1 --client 10.0.1.0/24 --to --host 192.0.2.2 \
	--client 10.0.2.0/24 --clientproto tcp --clientport 80 --client 10.0.2.0/24 --clientproto 6 --clientport 81 \
	--client 10.0.2.0/24 --clientproto icmp --encrypt --psk
lab_check "come up" whack_east --initiate web
lab_check "and are all reached" eval 'fetch 80 && fetch 81 && from 10.0.1.9 10.0.2.9'
lab_check "in ESP" [ "$(lab_count wire tcp or icmp)" = 0 ]
for id in east west; do pluto_whack $id --delete --name web; done >"$LAB_DIR/delete.log" 2>&1

# ---- host to host, one UDP port, as L2TP has it
lab_check "UDP port 1701 between the hosts" both --name l2tp --host 192.0.2.1 --clientproto udp --clientport 1701 \
	--to --host 192.0.2.2 --clientproto udp --clientport 1701 --encrypt --psk
lab_check "comes up" whack_east --initiate l2tp
lab_check "in transport mode" said ', transport {ESP'
lab_start echo west python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 1701))
while True:
	data, who = s.recvfrom(2000)
	s.sendto(data, who)'
lab_wait 10 "a server on UDP port 1701" eval 'lab_in west ss -lun | grep -q "192.0.2.2:1701"'
tunnel() { lab_in east timeout 3 python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.1", 1701))
s.settimeout(2)
s.sendto(b"hello", ("192.0.2.2", 1701))
assert s.recv(100) == b"hello"'; }
lab_check "datagrams from port to port arrive" tunnel
lab_check "in ESP" [ "$(lab_count wire udp port 1701)" = 0 ]

# ---- what is refused
refused() { # TEXT ARGUMENT...
	local text=$1
	shift
	! pluto_whack east --name bad --encrypt "$@" --to --host 192.0.2.2 --client 10.0.2.0/24 >"$LAB_DIR/command.log" 2>&1 && said "$text"
}
lab_check "a range of ports" refused "IKEv1 cannot carry a range of ports" --host 192.0.2.1 --clientproto tcp --clientport 1000-2000
lab_check "a list of ports" refused "this is more than one port" --host 192.0.2.1 --clientproto tcp --clientport 80,443
lab_check "a port without a protocol" refused "--clientport 80 means nothing with protocol any" --host 192.0.2.1 --clientport 80
lab_check "a protocol that does not exist" refused "this is no IP protocol" --host 192.0.2.1 --clientproto tpc
lab_check "a port that does not exist" refused "this is no port; write a number up to 65535" --host 192.0.2.1 --clientproto tcp --clientport 65536
lab_check "the same client twice" refused "is described twice" --host 192.0.2.1 --client 10.0.1.0/24,10.0.1.0/24
for id in east west; do
	pluto_stop $id
	lab_ok "pluto $id ends"
done
lab_end
