#!/bin/bash
# Two plutos, a tunnel, pings: tshark, given the keys they wrote, decrypts the whole session and finds every ICV good.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"

lab_begin "pluto read by tshark" tcpdump tshark ping
pluto_need
keys=$LAB_DIR/keys
mkdir "$keys"
pluto_secret east "of no consequence"
pluto_secret west "of no consequence"
pluto_gateways --wireshark-keys "$keys"
lab_capture wire wire br0 ip
lab_check "negotiated" pluto_whack east --name secret --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 5
sleep 0.3
lab_stop wire INT
lab_check "ten ESP packets" [ "$(lab_count wire esp)" = 10 ]
lab_check "tshark decrypts all of it" "$here/tshark-decrypt.sh" "$LAB_DIR/wire.pcap" "$keys"
lab_end
