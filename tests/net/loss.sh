#!/bin/bash
# Every third IKE message is lost, in both directions: the negotiation succeeds all the same, and there is one pair of SAs.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "a network that loses messages" tcpdump ping nft
pluto_need
pluto_secret east "of no consequence"
pluto_secret west "of no consequence"
pluto_gateways
lab_capture wire wire br0 ip
for id in east west; do
	# shellcheck disable=SC2086 # the words of one command line
	lab_check "$id: sends often, soon" pluto_whack "$id" --delete $PLUTO_SECRET --sends 12 --sendinterval 100
	lab_in "$id" nft -f - <<-'END' || lab_skip "this kernel has no nftables"
		table ip loss {
			chain in {
				type filter hook input priority 0;
				udp dport 500 numgen inc mod 3 == 1 drop
			}
		}
	END
done
lab_check "negotiated" timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name secret --initiate
lab_in east nft delete table ip loss
lab_in west nft delete table ip loss
lab_wait 10 "ping through the tunnel" lab_ping ehost 10.0.2.9
lab_check "pings go through" lab_ping ehost 10.0.2.9 5
sleep 0.2
lab_check "messages were sent again" [ "$(lab_count wire udp port 500)" -gt 9 ]
lab_check "one SA in each direction carries them" [ "$(tcpdump -n -r "$LAB_DIR/wire.pcap" esp 2>/dev/null |
	sed -n 's/.*spi=\(0x[0-9a-f]*\).*/\1/p' | sort -u | wc -l)" = 2 ]
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
