#!/bin/bash
# The main job, shown on one screen: two gateways, a host behind each, a tunnel between them. Exits 0 only if all of it held.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

bold='' dim='' green='' off=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' off=$'\e[0m'
fi
step=0
title() { step=$((step + 1)); printf '%s%d. %-12s%s %s\n' "$bold" "$step" "$1" "$off" "$2"; }
detail() { printf '                %s%s%s\n' "$dim" "$1" "$off"; }
held() { printf '                %s%s%s\n' "$green" "$1" "$off"; }
# whack's lines, its status numbers in front, cut to the width of a screen.
told() { sed -n "1,${2:-99}p" "$1" | cut -c1-104 | while IFS= read -r line; do detail "$line"; done; }

lab_begin "the demonstration" tcpdump ping
pluto_need
began=$EPOCHREALTIME
echo "   10.0.1.9 ehost -- ${bold}east${off} 192.0.2.1 ====== wire ====== 192.0.2.2 ${bold}west${off} -- whost 10.0.2.9"
pluto_secret east "a secret that both know"
pluto_secret west "a secret that both know"
lab_gateways
lab_capture wire wire br0 ip

title "Before" "ping from ehost to whost"
lab_ping ehost 10.0.2.9 2 >/dev/null 2>&1 && lab_fail "a ping passed before there was a tunnel"
held "no answer, as it should be"

title "Described" "to both, in the words of the manual of 1999"
detail "whack --name secret --host 192.0.2.1 --client 10.0.1.0/24 \\"
detail "      --to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk"
for id in east west; do
	pluto_start "$id" "$id"
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack "$id" $PLUTO_SECRET >"$LAB_DIR/$id.add.log" 2>&1 || lab_fail "pluto $id refuses the connection"
	pluto_whack "$id" --listen >"$LAB_DIR/$id.listen.log" 2>&1 || lab_fail "pluto $id does not listen"
done

title "Negotiated" "whack --name secret --initiate"
pluto_whack east --name secret --initiate >"$LAB_DIR/initiate.log" 2>&1 || lab_fail "the negotiation failed"
told "$LAB_DIR/initiate.log" 9

title "Through" "ping from ehost to whost"
lab_ping ehost 10.0.2.9 5 >"$LAB_DIR/ping.log" 2>&1 || lab_fail "no ping passes the tunnel"
held "$(sed -n '/transmitted/s/, time.*//p' "$LAB_DIR/ping.log"), $(sed -n 's/^rtt.*= [^/]*\/\([^/]*\).*/\1 ms each/p' "$LAB_DIR/ping.log")"

title "On the wire" "tcpdump between the gateways"
sleep 0.3
ike=$(lab_count wire udp port 500)
esp=$(lab_count wire esp)
other=$(lab_count wire 'not udp port 500 and not esp')
[ "$ike" -ge 9 ] && [ "$esp" = 10 ] && [ "$other" = 0 ] ||
	lab_fail "the wire carried $ike IKE and $esp ESP packets (10 expected) and $other others"
held "$ike IKE messages, $esp ESP packets, nothing else"

title "Taken down" "whack --name secret --terminate; ping again"
pluto_whack east --name secret --terminate >"$LAB_DIR/terminate.log" 2>&1 || lab_fail "the connection does not end"
lab_ping ehost 10.0.2.9 2 >/dev/null 2>&1 && lab_fail "a ping passed without an SA"
[ "$(lab_count wire icmp)" = 0 ] || lab_fail "a ping was on the wire in clear"
pluto_stop east
pluto_stop west
held "no answer, and nothing in clear; both daemons ended"
printf '%sThe tunnel held: all %d steps as described, in %.1f s.%s\n' "$bold$green" "$step" \
	"$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')" "$off"
