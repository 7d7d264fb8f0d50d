#!/bin/bash
# Road Warriors: west does not know where east comes from. An instance is made at its first message, the identity picks the
# better connection, Quick Mode the one with its subnets, and what expired or was deleted is unrouted and gone.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

status_of_west() { pluto_whack west --status 2>&1; }

lab_begin "Road Warriors" ping
pluto_need
pluto_secret east "for all on the road"
pluto_secret west "for all on the road"
lab_gateways
pluto_ends

# The office takes anybody with the secret; what is behind a road warrior is told by other connections.
office='--host 192.0.2.2 --client 10.0.2.0/24 --to --host 0.0.0.0'
lab_check "west: one for a name" pluto_whack west --name named $office --id @east.example --encrypt --psk
lab_check "west: a connection for peers from anywhere" pluto_whack west --name road $office --encrypt --psk
lab_check "west: one for a peer with a client" pluto_whack west --name net $office --nexthop 0.0.0.0 --client 10.0.1.0/24 --encrypt --psk \
	--rekeymargin 6 --rekeyfuzz 0
status_of_west >"$LAB_DIR/status0.log"
lab_check "west: no instance before anybody comes" eval '! grep -q "\[1\]" "$LAB_DIR/status0.log"'
pluto_whack west --initiate road >"$LAB_DIR/refused.log" 2>&1
lab_check "west cannot begin: status 29" [ $? = 29 ]

lab_check "east knows the office" pluto_whack east --name office --host 192.0.2.1 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk
lab_check "east, a host, negotiates" pluto_whack east --initiate office
lab_check "its pings go through" lab_ping east 10.0.2.9 3
status_of_west >"$LAB_DIR/status1.log"
lab_check "west shows the instance" grep -q '"road\[1\]"' "$LAB_DIR/status1.log"
lab_check "east says that it leaves" pluto_whack east --terminate office
sleep 0.5
status_of_west >"$LAB_DIR/status2.log"
lab_check "the instance is gone" eval '! grep -q "\[1\]" "$LAB_DIR/status2.log"'
lab_check "and its route" eval '! lab_in west ip route | grep -q "192.0.2.1 dev ipsec"'

lab_check "east with its client" pluto_whack east --name net --host 192.0.2.1 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk \
	--ipseclifetime 7 --rekeymargin 0
lab_check "negotiates: Quick Mode finds the connection with its subnets" pluto_whack east --initiate net
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
status_of_west >"$LAB_DIR/status3.log"
lab_check "by an instance of that connection" grep -q "\"net\[" "$LAB_DIR/status3.log"
lab_check "its next hop, 0.0.0.0, is the initiator" grep -q 'routed on ipsec[01] via 192\.0\.2\.1: traffic goes through' "$LAB_DIR/status3.log"
lab_wait 8 "replacement" grep -q '"net\[.*QUICK_I1' "$LAB_DIR/west.log"
lab_ok "the office replaces an SA by the temporary connection"
lab_check "and pings go on" lab_ping ehost 10.0.2.9 3
lab_check "east deletes it" pluto_whack east --delete --name net
sleep 0.5

lab_check "east with a name" pluto_whack east --name named --host 192.0.2.1 --id @east.example --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk
lab_check "negotiates: its identity picks the connection" pluto_whack east --initiate named
lab_check "west switched to it" grep -q 'switching to "named"' "$LAB_DIR/west.log"
lab_check "pings go through again" lab_ping east 10.0.2.9 3
lab_check "west deletes the template, and with it the instance" pluto_whack west --delete --name named
status_of_west >"$LAB_DIR/status4.log"
lab_check "nothing of it is left" eval '! grep -q "\"named" "$LAB_DIR/status4.log"'

lab_check "east with a name that nobody expects" pluto_whack east --name other --host 192.0.2.1 --id @stranger.example --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk --keyingtries 1 --sendinterval 300
pluto_whack east --initiate other >"$LAB_DIR/other.log" 2>&1
lab_check "is refused" [ $? != 0 ]
lab_check "west says whom it expected" grep -q "the peer says that it is @stranger.example" "$LAB_DIR/west.log"
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
