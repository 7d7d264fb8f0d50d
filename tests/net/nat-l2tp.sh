#!/bin/bash
# L2TP as Road Warriors do it: transport mode for UDP port 1701 of a gateway, from behind one NAT, each from a port of its own. The gateway
# answers each at its port; what wants the port of another is refused. Run by klips here, and by the kernel's IPsec in tests/vm.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
. "$here/nat.sh"

# The port of L2TP at west: says from which port it was asked, and what.
serve() {
	lab_start serve west python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 1701))
print("ready", flush=True)
while True:
	text, peer = s.recvfrom(2000)
	s.sendto(b"%s %d %s" % (peer[0].encode(), peer[1], text), peer)'
	lab_wait 10 "server" grep -q ready "$LAB_DIR/serve.log"
}

# asks HOST PORT OCTETS: the server answers that, and saw the address of the NAT with that port.
asks() {
	lab_in "$1" python3 - "$1" "$2" "$3" <<-'EOF'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("", int(sys.argv[2])))
		s.settimeout(2)
		text = sys.argv[1].encode() * (int(sys.argv[3]) // len(sys.argv[1]))
		for i in range(3):
		    s.sendto(text, ("192.0.2.2", 1701))
		    answer, peer = s.recvfrom(2000)
		    assert peer == ("192.0.2.2", 1701), peer
		    assert answer == b"192.0.2.1 " + sys.argv[2].encode() + b" " + text, answer
	EOF
}
# client ID ADDRESS PORT
client() {
	lab_check "$1 is a client with port $3" pluto_whack "$1" --delete --name l2tp --host "$2" --clientproto udp --clientport "$3" \
		--to --host 192.0.2.2 --clientproto udp --clientport 1701 --encrypt --psk --keyingtries 1 --sendinterval 1000
}
up() {
	pluto_whack "$1" --initiate --name l2tp >"$LAB_DIR/$1.initiate.log" 2>&1 || lab_fail "$1 does not negotiate"
	lab_ok "$1 negotiates"
}
in_clear() { lab_count wire "udp and not port 500 and not port 4500"; }

lab_begin "L2TP behind a NAT"
nat_need
pluto_need
nat_lab
nat_beside
for id in east east2 west; do
	nat_pluto "$id"
done
serve
gateway="--name l2tp --host 192.0.2.2 --clientproto udp --clientport 1701 --to --host %any --clientproto udp"
# shellcheck disable=SC2086 # the words of one command line
lab_check "west takes anybody, from any port" pluto_whack west $gateway --clientport %any --encrypt --psk
lab_capture wire wire br0
client east 10.9.0.5 40001
up east
lab_check "in transport mode, in UDP" grep -q 'transport, in UDP' "$LAB_DIR/east.log"
lab_check "short and long datagrams go through, and the answers" asks east 40001 100
lab_check "long ones" asks east 40001 1300
nat_only_udp wire 12
lab_ok "the wire shows ESP in UDP alone"
if [ "$PLUTO_KERNEL" = klips ]; then
	lab_check "from another port nothing goes" eval '! asks east 40009 100'
	lab_check "not in clear, either" [ "$(in_clear)" = 0 ]
else
	lab_check "another port has no SA: the server does not see it as it is" eval '! asks east 40009 100'
	lab_check "but goes its way in clear" [ "$(in_clear)" -ge 1 ]
	lab_stop wire
	lab_capture wire wire br0
	asks east 40001 1300 || lab_fail "long datagrams"
fi

# Another one behind the same NAT
client east2 10.9.0.6 40002
up east2
lab_check "datagrams of east2 go through" asks east2 40002 100
lab_check "and still those of east" asks east 40001 100
pluto_whack west --status >"$LAB_DIR/status.log" 2>&1
lab_check "west has two instances, each for its port" [ "$(grep -c '^000 "l2tp\[[0-9]*\]" up: .*===192\.0\.2\.1/32 udp:4000[12]$' "$LAB_DIR/status.log")" = 2 ]
nat_only_udp wire 12
lab_ok "the wire shows ESP in UDP alone"

# Nothing tells two apart that have one port.
client east2 10.9.0.6 40001
pluto_whack east2 --initiate --name l2tp >"$LAB_DIR/shared.log" 2>&1
lab_check "east2 does not get the port of east: status 32" [ $? = 32 ]
lab_check "west says why" grep -q 'are at one address, 192.0.2.1, as behind one NAT.*"l2tp\[2\]" has an IPsec SA' "$LAB_DIR/west.log"
lab_check "and what to do" grep -q 'remedy: .*a port of its own' "$LAB_DIR/west.log"
lab_check "east has it still" asks east 40001 100
lab_check "east leaves" pluto_whack east --terminate --name l2tp
up east2
lab_check "then east2 gets it" asks east2 40001 100
lab_check "from where east was nothing comes" eval '! asks east 40001 100'
for id in east east2; do
	lab_check "$id leaves" pluto_whack "$id" --delete --name l2tp
done

# Port 1701 at both ends, as older clients have it
# shellcheck disable=SC2086
lab_check "west takes anybody from port 1701" pluto_whack west --delete $gateway --clientport 1701 --encrypt --psk
client east 10.9.0.5 40001
pluto_whack east --initiate --name l2tp >"$LAB_DIR/other.log" 2>&1
lab_check "another port is not taken: status 32" [ $? = 32 ]
lab_check "west names both" grep -q "the peer's port 40001 is not 1701" "$LAB_DIR/west.log"
client east 10.9.0.5 1701
up east
lab_check "datagrams go through from that port" asks east 1701 100
nat_only_udp wire 18
lab_ok "all the time the wire has shown nothing else"
for id in east east2 west; do
	pluto_stop "$id"
done
lab_ok "all end"
lab_end
