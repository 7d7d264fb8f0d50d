#!/bin/bash
# Run by xfrm-life.sh on a kernel with IPsec. What begins and ends by itself: negotiation on demand with packets that the kernel
# holds, lifetimes in octets and seconds that the kernel keeps, IPComp with pluto and strongSwan as peers, addresses that come
# and go; and that what a killed pluto has left does not live for ever.
here=$(cd "$(dirname "$0")" && pwd)
PLUTO_KERNEL=xfrm
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/../interop/strongswan.sh"

lab_begin "lifetimes, demand and compression with the kernel's IPsec" tcpdump ping
pluto_need
swan_kernel || lab_skip "this kernel has no ESP: run tests/vm/xfrm-life.sh"
secret="of no consequence"
pluto_secret east "$secret"
pluto_secret west "$secret"
states() { lab_in "$1" ip -s xfrm state; }
both() { # OPTIONS...: the connection "secret" anew at both ends
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack east --delete $PLUTO_SECRET "$@" && pluto_whack west --delete $PLUTO_SECRET "$@"
}
established() { grep -c 'IPsec SA established' "$LAB_DIR/$1.log"; }
up() { pluto_whack east --status --name secret 2>&1 | grep -q '"secret" up'; }

pluto_gateways --auto-listen
lab_capture wire wire br0 ip

# ---- on demand
lab_check "described with --ondemand" both --ondemand --keyingtries 1
lab_check "routed" pluto_whack east --name secret --route
lab_check "the log says what becomes of packets" grep -q 'the kernel drops the first packets.*xfrm_larval_drop' "$LAB_DIR/east.log"
lab_in ehost ping -n -q -c 1 -W 1 10.0.2.9 >/dev/null 2>&1
lab_wait 20 "tunnel" up
lab_ok "the first packet brings the tunnel up"
lab_check "pings go through" lab_ping ehost 10.0.2.9 2
lab_check "one negotiation came of it" [ "$(established east)" = 1 ]
lab_check "terminated" pluto_whack east --name secret --terminate
echo 0 | lab_in east tee /proc/sys/net/core/xfrm_larval_drop >/dev/null
lab_check "where the kernel holds packets, the first is answered" lab_in ehost ping -n -q -c 1 -W 15 10.0.2.9
lab_check "terminated" pluto_whack east --name secret --terminate
lab_stop west KILL
lab_in ehost ping -n -q -c 1 -W 1 10.0.2.9 >/dev/null 2>&1
lab_wait 60 "failure" grep -q 'the negotiation came to nothing: packets begin no negotiation for' "$LAB_DIR/east.log"
pluto_start west west
# shellcheck disable=SC2086 # the words of one command line
lab_check "the peer is back" eval 'pluto_whack west $PLUTO_SECRET && pluto_whack west --listen'
lab_wait 30 "answer" lab_ping ehost 10.0.2.9
lab_ok "the trap reports again after the pause"

# ---- IPComp
sent() { lab_in ehost ping -n -q -c 3 -i 0.2 -W 1 -s 1200 -p 00 "$1" | grep -q ' 0% packet loss'; }
largest() { tcpdump -n -r "$LAB_DIR/wire.pcap" esp or ah 2>/dev/null | tail -6 | sed -n 's/.*length \([0-9]*\)$/\1/p' | sort -n | tail -1; }
lab_check "described with --compress" both --compress
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_check "large pings go through" sent 10.0.2.9
lab_check "as small packets ($(largest) octets)" [ "$(largest)" -lt 300 ]
lab_check "small pings, which are not compressed, too" lab_ping whost 10.0.1.9 2
lab_check "the kernel has IPComp SAs" eval 'states east | grep -q "proto comp"'
lab_check "what comes in must be encrypted" eval 'lab_in east ip xfrm policy | grep -A9 "dir in" | grep -q "proto esp"'
lab_check "AH around ESP around IPComp" eval 'both --compress --authenticate --ah sha1 && pluto_whack west --name secret --initiate'
lab_check "large pings go through" sent 10.0.2.9
lab_check "small ones too" lab_ping ehost 10.0.2.9 2

# ---- lifetimes. The last fifth of the octets must last for longer than a new SA waits before it takes the traffic: half a second.
lab_check "described with 300 kilobytes" both --ipseckilobytes 300
lab_check "negotiated" pluto_whack east --name secret --initiate
before=$(established east)
lab_check "traffic of 800 kilobytes is not interrupted" eval \
	'lab_in ehost ping -n -q -c 600 -i 0.02 -s 1300 -W 2 10.0.2.9 | grep -q "600 received, 0% packet loss"'
replaced=$(($(established east) - before))
lab_check "IPsec SAs were replaced by octets ($replaced times)" [ "$replaced" -ge 2 ]
lab_check "the kernel told so" grep -q 'replacing this IPsec SA' "$LAB_DIR/east.log"

# ---- ended with --leave-state: traffic goes on without pluto, until the next one is there
lab_check "negotiated, for long" eval 'both && pluto_whack east --name secret --initiate'
lab_start flow ehost ping -n -i 0.05 -W 2 10.0.2.9
deletes=$(grep -c 'the peer deletes' "$LAB_DIR/west.log")
pluto_whack east --shutdown --leave-state >"$LAB_DIR/leave.log" 2>&1
lab_check "shut down: its SAs and routes stay" grep -q '^004 pluto is shutting down: its SAs and routes stay$' "$LAB_DIR/leave.log"
lab_wait 10 "end of pluto" eval '! lab_alive east'
lab_stop east
lab_check "it ended with status 0" [ "$LAB_STATUS" = 0 ]
sleep 1
lab_check "pings go through without it" lab_ping ehost 10.0.2.9 5
lab_check "and back" lab_ping whost 10.0.1.9 5
lab_stop flow INT
lab_check "not one was lost meanwhile" grep -q ' 0% packet loss' "$LAB_DIR/flow.log"
lab_check "the peer was told nothing" [ "$(grep -c 'the peer deletes' "$LAB_DIR/west.log")" = "$deletes" ]
pluto_start east east --auto-listen
lab_check "the next one removes what was left" grep -q 'removed what an earlier pluto left in the kernel: [2-9] SAs' "$LAB_DIR/east.log"
# shellcheck disable=SC2086 # the words of one command line
lab_check "and negotiates anew" eval 'pluto_whack east $PLUTO_SECRET && pluto_whack east --listen && pluto_whack east --name secret --initiate'
lab_check "pings go through" lab_ping ehost 10.0.2.9 3

# ---- killed: what it has left ends by itself
lab_check "lifetimes of seconds" both --ipseclifetime 12 --rekeymargin 2
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_stop east KILL
lab_check "killed: its SAs are there" eval 'states east | grep -q "proto esp"'
lab_wait 40 "end of the SAs" eval '! states east | grep -q "proto esp"'
lab_ok "they end without pluto"
lab_check "its policies stay: nothing leaves in clear" eval 'lab_in east ip xfrm policy | grep -q "dst 10.0.2.0/24"'
pluto_start east east --auto-listen
lab_check "listening again" pluto_whack east --listen

# ---- addresses that come and go
lab_check "a connection with an address that is not there" pluto_whack east --name later --host 192.0.2.5 --client 10.0.1.0/24 --to \
	--host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk
lab_check "it is not oriented" eval 'pluto_whack east --status --name later 2>&1 | grep -q "\"later\" unoriented"'
lab_in east ip addr add 192.0.2.5/24 dev wan
lab_wait 20 "orientation" eval 'pluto_whack east --status --name later 2>&1 | grep -q "\"later\" down"'
lab_ok "the address appears, and the connection is oriented by itself"
lab_in east ip addr del 192.0.2.5/24 dev wan
lab_wait 20 "end of the orientation" eval 'pluto_whack east --status --name later 2>&1 | grep -q "\"later\" unoriented"'
lab_ok "and vanishes with it"
pluto_stop west

# ---- strongSwan compresses, too
# shellcheck disable=SC2086 # the words of one command line
lab_check "for strongSwan" pluto_whack east --delete $PLUTO_SECRET --compress --ike aes128-sha256-modp2048 --esp aes128-sha256
swan_start west west
swan_connection west net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 aes128-sha256-modp2048 aes128-sha256 "$secret" \
	'child ipcomp = yes'
swan_load west
lab_check "pluto initiates" timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name secret --initiate
lab_check "strongSwan compresses" eval 'pluto_whack east --status --name secret 2>&1 | grep -qi "deflate"'
lab_check "large pings go through" sent 10.0.2.9
lab_check "as small packets ($(largest) octets)" [ "$(largest)" -lt 300 ]
lab_check "small pings, too" lab_ping whost 10.0.1.9 2
lab_check "nothing passed in clear" [ "$(lab_count wire 'icmp[0] = 8 or icmp[0] = 0')" = 0 ]
pluto_stop east
lab_ok "it ends"
lab_end
