#!/bin/bash
# Both ends behind NATs; transport mode through a NAT; encapsulation forced where there is none; and NAT traversal off.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
. "$here/nat.sh"

both() {
	nat_pluto east "$@"
	nat_pluto west "$@"
}

lab_begin "both ends behind NATs"
nat_need
pluto_need
nat_lab
nat_west
both --keepalive 2
lab_check "west, at its own address, takes anybody" pluto_whack west --name net --host 10.8.0.5 --id @west --client 10.0.2.0/24 --to \
	--host %any --id @east --client 10.0.1.0/24 --encrypt --psk
lab_check "east knows the address of the NAT of west" pluto_whack east --name net --host 10.9.0.5 --id @east --client 10.0.1.0/24 --to \
	--host 192.0.2.2 --id @west --client 10.0.2.0/24 --encrypt --psk
lab_check "east routes" pluto_whack east --route --name net
lab_check "nothing goes through before" eval '! lab_ping ehost 10.0.2.9'
lab_capture wire wire br0
lab_check "east negotiates" pluto_whack east --initiate --name net
lab_check "pings go through" lab_ping ehost 10.0.2.9 5
lab_check "and back" lab_ping whost 10.0.1.9 5
nat_only_udp wire 20
lab_ok "the wire shows ESP in UDP alone"
lab_check "east says that both are" grep -q 'both ends are behind NATs' "$LAB_DIR/east.log"
lab_check "and west" grep -q 'both ends are behind NATs' "$LAB_DIR/west.log"
lab_wait 15 "keepalives of both" eval '[ "$(lab_count wire "$NAT_KEEPALIVE and src host 192.0.2.2")" -ge 1 ] && [ "$(lab_count wire "$NAT_KEEPALIVE and dst host 192.0.2.2")" -ge 1 ]'
lab_ok "both send keepalives"
lab_check "nothing goes while east is gone" pluto_whack east --delete --name net
lab_check "the instance goes with it" lab_wait 10 "end of the instance" eval '! pluto_whack west --status | grep -q "\"net\[1\]\""'
lab_stop wire

# Transport mode between the hosts themselves: TCP and UDP arrive whole although their checksums are of other addresses.
lab_check "west: transport mode" pluto_whack west --name host --host 10.8.0.5 --id @west --to --host %any --id @east --encrypt --psk
lab_check "east: transport mode" pluto_whack east --name host --host 10.9.0.5 --id @east --to --host 192.0.2.2 --id @west --encrypt --psk
lab_capture wire2 wire br0
lab_check "east negotiates" pluto_whack east --initiate --name host
lab_check "in transport mode" grep -q 'transport, in UDP' "$LAB_DIR/east.log"
lab_check "pings go through" lab_ping east 192.0.2.2 5
lab_start serve west python3 -c '
import socket
s = socket.create_server(("10.8.0.5", 7777))
print("ready", flush=True)
while True:
	c, a = s.accept()
	c.sendall(c.recv(100)[::-1])
	c.close()'
lab_wait 10 "server" grep -q ready "$LAB_DIR/serve.log"
lab_check "TCP goes through" lab_in east python3 -c '
import socket
c = socket.create_connection(("192.0.2.2", 7777), 10)
c.sendall(b"abc")
assert c.recv(10) == b"cba"'
nat_only_udp wire2 14
lab_check "no TCP on the wire" [ "$(lab_count wire2 tcp)" = 0 ]
for id in east west; do
	pluto_stop "$id"
done

# Without NAT traversal nothing of it is offered, and nothing works from behind a NAT.
both --no-nat-traversal
lab_check "no word of port 4500" eval '! grep -q 4500 "$LAB_DIR/east.listen.log"'
lab_check "east: AH or ESP, all in vain" pluto_whack east --name off --host 10.9.0.5 --id @east --client 10.0.1.0/24 --to --host 192.0.2.2 --id @west \
	--client 10.0.2.0/24 --encrypt --psk --encapsulation auto
pluto_whack east --name no --host 10.9.0.5 --to --host 192.0.2.2 --encrypt --psk --encapsulation yes >"$LAB_DIR/no.log" 2>&1
lab_check "--encapsulation yes is refused: status 34" [ $? = 34 ]
lab_check "with the remedy" grep -q 'start pluto without --no-nat-traversal' "$LAB_DIR/no.log"
for id in east west; do
	pluto_stop "$id"
done
lab_ok "all end"
lab_end
