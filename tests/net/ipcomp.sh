#!/bin/bash
# --compress between two plutos: what shrinks is sent smaller, what does not is sent as it is; and with peers that do not
# compress there is a tunnel all the same.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "IPComp inside ESP and AH" tcpdump ping python3
pluto_need
pluto_gateways
lab_capture wire wire br0 ip

# initiate WHAT "WORDS OF EAST" "WORDS OF WEST" [ENDS]
initiate() {
	pluto_describe "$2" "$3" "${4:-}"
	lab_check "$1: negotiated" pluto_whack east --name secret --initiate
}

# pings FILTER HOST ADDRESS PING-OPTION...: each of 3 pings and its answer is one packet that fits the filter.
pings() {
	local filter=$1 host=$2 to=$3 before
	shift 3
	sleep 0.2
	before=$(lab_count wire "$filter")
	lab_in "$host" ping -n -q -c 3 -i 0.2 -W 1 "$@" "$to" >"$LAB_DIR/ping.log" 2>&1 || return 1
	sleep 0.2
	[ $(($(lab_count wire "$filter") - before)) = 6 ]
}

TEXT=(-s 1300 -p 61626364)

# ping can only repeat a few octets: an echo request of noise, and its answer with the same.
cat >"$LAB_DIR/noise.py" <<'PY'
import os, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
s.settimeout(3)
data = os.urandom(1200)
total = sum(struct.unpack('>604H', struct.pack('>BBHHH', 8, 0, 0, 1, 1) + data))
total = (total & 0xffff) + (total >> 16)
total = (total & 0xffff) + (total >> 16)
s.sendto(struct.pack('>BBHHH', 8, 0, ~total & 0xffff, 1, 1) + data, (sys.argv[1], 0))
while True:
    p = s.recv(65535)
    if p[20] == 0:
        sys.exit(p[28:] != data)
PY

# noise FILTER HOST ADDRESS: it passes, each way as one packet that is no smaller.
noise() {
	local before
	sleep 0.2
	before=$(lab_count wire "$1 and greater 1220")
	lab_in "$2" python3 "$LAB_DIR/noise.py" "$3" || return 1
	sleep 0.2
	[ $(($(lab_count wire "$1 and greater 1220") - before)) = 2 ]
}

# Packets of the IPComp SA inwards, at east.
counted() {
	pluto_whack east --status >"$LAB_DIR/status.log" 2>&1
	sed -n 's/.*IPCOMP in 0x[0-9a-f]*: *\([0-9]*\) packets.*/\1/p' "$LAB_DIR/status.log"
}

C='--encrypt --compress'
initiate "compressed ESP tunnel" "$C" "$C"
lab_check "what was agreed is told" eval 'pluto_whack east --status | grep -q "deflate"'
lab_check "1300 octets of text are less than 200 on the wire" pings 'esp and less 200' ehost 10.0.2.9 "${TEXT[@]}"
lab_check "the answers are counted as IPComp" [ "$(counted)" = 3 ]
lab_check "noise passes, and no smaller" noise esp ehost 10.0.2.9
lab_check "small pings pass" pings 'esp and less 200' ehost 10.0.2.9 -s 8
lab_check "neither is counted as IPComp" [ "$(counted)" = 3 ]
lab_check "8000 octets in fragments pass" lab_in ehost ping -n -q -M dont -c 2 -i 0.2 -W 1 -s 8000 -p 61626364 10.0.2.9
lab_check "rekeyed it goes on" pluto_whack east --name secret --initiate
lab_check "and still compresses" pings 'esp and less 200' whost 10.0.1.9 "${TEXT[@]}"

initiate "with PFS, policy of 1999" "$C --pfs --policy freeswan" "$C --pfs --policy freeswan"
lab_check "it compresses" pings 'esp and less 200' ehost 10.0.2.9 "${TEXT[@]}"
initiate "AH around ESP around IPComp" "$C --authenticate" "$C --authenticate"
lab_check "it compresses" pings 'ah and ip[20] = 50 and less 220' ehost 10.0.2.9 "${TEXT[@]}"
initiate "AH around IPComp" "--authenticate --compress" "--authenticate --compress"
lab_check "it compresses" pings 'ah and ip[20] = 108 and less 200' ehost 10.0.2.9 "${TEXT[@]}"
lab_check "noise passes" noise 'ah and ip[20] = 4' ehost 10.0.2.9
initiate "transport mode" "$C" "$C" "$PLUTO_HOSTS"
lab_check "it compresses" pings 'esp and less 200' east 192.0.2.2 "${TEXT[@]}"
lab_check "noise passes" noise esp east 192.0.2.2

initiate "a responder that does not compress" "$C" --encrypt
lab_check "takes the other proposal" pings 'esp and greater 1300' ehost 10.0.2.9 "${TEXT[@]}"
initiate "an initiator that does not compress" --encrypt "$C"
lab_check "finds a peer that can do without" pings 'esp and greater 1300' ehost 10.0.2.9 "${TEXT[@]}"

# shellcheck disable=SC2086 # the words of one command line
pluto_whack east --delete $PLUTO_HOSTS --compress >"$LAB_DIR/alone.log" 2>&1
lab_check "compression alone is refused" [ $? != 0 ]
lab_check "and the reason is told" grep -q 'compress means nothing without --encrypt or --authenticate' "$LAB_DIR/alone.log"
lab_check "nothing passed in clear" [ "$(lab_count wire 'not udp port 500 and not esp and not ah')" = 0 ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
