#!/bin/bash
# Run by soak in its machine: PEER MINUTES LOSS.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
SWAN_CHARON_CONF='retransmit_timeout = 0.5
			retransmit_base = 1.2
			retransmit_tries = 12'
. "$here/strongswan.sh"
. "$here/libreswan.sh"
. "$here/peer.sh"
PEER=$1 minutes=$2 loss=$3
PEER_LIFE=16 PEER_IKE_LIFE=24 PEER_MARGIN=8
PEER_OPTIONS='--sendinterval 500 --sends 6 --keyingtries 0'
PEER_LIBRESWAN_OPTIONS='--retransmit-interval 500 --retransmit-timeout 8 --keyingtries 0'

lab_begin "$minutes min with $PEER, $loss% of loss" ping nft
[ "$PEER" != strongswan ] || swan_need
[ "$PEER" != libreswan ] || libre_need
pluto_need
lab_gateways
[ "$PEER" != libreswan ] || libre_route west 192.0.2.1
lab_in wire nft -f - <<-RULES || lab_skip "nft cannot filter a bridge here"
	table bridge soak {
		chain forward {
			type filter hook forward priority 0; policy accept;
			ip protocol icmp counter drop comment "clear"
			ip protocol esp numgen random mod 100 < $loss counter drop comment "esp"
			ip protocol udp numgen random mod 100 < $loss counter drop comment "ike"
		}
	}
RULES
dropped() { lab_in wire nft list chain bridge soak forward | sed -n "s/.*packets \([0-9]*\) .*comment \"$1\"/\1/p"; }
memory() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/${LAB_PID[east]}/status"; }
established() { grep -c "$1 SA established" "$LAB_DIR/east.log"; }

pluto_secret east "$PEER_SECRET"
pluto_start east east
lab_check "pluto listens" pluto_whack east --listen
peer start >"$LAB_DIR/start.log" 2>&1 || lab_fail "$PEER does not start"
lab_check "described at both ends" peer_describe
lab_check "established" timeout 120 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name net --initiate
lab_wait 20 "first answer" lab_ping ehost 10.0.2.9 1

before=$(dropped esp)
pings=$((300 * minutes))
began=$SECONDS
lab_in ehost ping -n -q -c "$pings" -i 0.2 -W 3 10.0.2.9 >"$LAB_DIR/ping.log" 2>&1 &
ping=$!
grown_from=0 most=0 theirs=0 said=0
while kill -0 "$ping" 2>/dev/null; do
	sleep 5
	# What it needs at all it has by then.
	[ $((SECONDS - began)) -lt 25 ] || [ "$grown_from" != 0 ] || grown_from=$(memory)
	n=$(peer_our_count) m=$(peer count)
	[ "$n" -le "$most" ] || most=$n
	[ "$m" -le "$theirs" ] || theirs=$m
	[ $((SECONDS - began - said)) -ge 30 ] || continue
	said=$((SECONDS - began))
	printf '%4d s: %d IPsec SAs here, %d there; %d and %d ISAKMP SAs so far; dropped %d of ESP, %d of IKE; %d kB\n' \
		"$said" "$n" "$m" "$(established IPsec)" "$(established ISAKMP)" "$(($(dropped esp) - before))" "$(dropped ike)" "$(memory)"
done
sed -n '/transmitted/p' "$LAB_DIR/ping.log"
received=$(sed -n 's/.* transmitted, \([0-9]*\) received.*/\1/p' "$LAB_DIR/ping.log")
lost=$((pings - received))
esp=$(($(dropped esp) - before))
ike=$(dropped ike)
lab_check "$lost pings lost; the link dropped $esp packets of ESP and $ike of IKE" [ "$lost" -le "$esp" ]
lab_check "IPsec SAs were replaced ($(established IPsec) in all)" [ "$(established IPsec)" -ge $((4 * minutes)) ]
lab_check "and ISAKMP SAs ($(established ISAKMP) in all)" [ "$(established ISAKMP)" -ge $((2 * minutes)) ]
lab_check "few IPsec SAs at any time ($most here, $theirs there)" [ "$most" -le 8 -a "$theirs" -le 8 ]
now=$(memory)
lab_check "pluto has not grown (from $grown_from to $now kB)" [ "$now" -le $((grown_from + 512)) ]
lab_check "nothing in clear" [ "$(dropped clear)" = 0 ]

lab_in wire nft flush chain bridge soak forward
lab_check "pluto deletes" pluto_whack east --name net --terminate
# strongSwan finishes what it has begun, and that is then up: it is told again.
told_to_end() { peer_nothing_left || { peer terminate >>"$LAB_DIR/terminate.log" 2>&1; sleep 1; peer_nothing_left; }; }
sleep 1
lab_wait $((PEER_IKE_LIFE + 20)) "end of all SAs" told_to_end
lab_ok "no SA is left at either end"
pluto_stop east
lab_ok "pluto ends"
lab_end
