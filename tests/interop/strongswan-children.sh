#!/bin/bash
# pluto and strongSwan with several subnets, protocols and ports, each a CHILD_SA of its own there and a pair of clients here, and
# with the lifetimes that strongSwan proposes: none, longer than ours, in octets.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/strongswan.sh"

lab_begin "pluto with strongSwan: several children, lifetimes" tcpdump ping cc python3
swan_scene
whack_east() { timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" "$@" >"$LAB_DIR/command.log" 2>&1; }
said() { grep -qF -- "$1" "$LAB_DIR/command.log"; }
installed() { [ "$(swan_sas west | grep -c INSTALLED)" = "$1" ]; }
# expires_in and kilobytes of each IPsec SA
limits() { pluto_whack east --status --json | python3 -c '
import json, sys
for c in json.load(sys.stdin)["connections"]:
	for sa in c["sas"]:
		if sa["kind"] == sys.argv[1]:
			print(sa["expires_in"], sa.get("kilobytes"))' "$1"; }
lives() { # KIND MOST KILOBYTES: an SA that lives at most so many seconds, and nearly as long
	local seconds kilobytes
	read -r seconds kilobytes < <(limits "$1")
	[ "$seconds" -le "$2" ] && [ "$seconds" -gt $(($2 - 120)) ] && [ "$kilobytes" = "$3" ] || { limits "$1"; return 1; }
}
ends() {
	whack_east --terminate "$1" || lab_fail "terminate"
	lab_wait 10 "end of the SAs at strongSwan" eval '! swan_has west ESTABLISHED'
}

# ---- several children: the first child of swan_connection, and those added here
swan_connection west nets 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 aes128-sha256-modp2048 aes128-sha256 "of no consequence"
sed -i 's|^  children { nets {|  children {\n  nets {|' "$LAB_DIR/west/swanctl/swanctl.conf"
child() { # NAME LOCAL REMOTE: before the first one
	sed -i "s|^  nets {|  $1 {\n    local_ts = $2\n    remote_ts = $3\n    esp_proposals = aes128-sha256\n  }\n&|" \
		"$LAB_DIR/west/swanctl/swanctl.conf"
}
child second 10.0.21.0/24 10.0.1.0/24
child third 10.0.2.0/24 10.0.11.0/24
child fourth 10.0.21.0/24 10.0.11.0/24
child web '10.0.2.9/32[tcp/443]' '10.0.1.0/24[tcp]'
swan_load west
algorithms="--encrypt --psk --ike aes128-sha256-modp2048 --esp aes128-sha256"
# shellcheck disable=SC2086 # the words of one command line
lab_check "two clients at each end" pluto_whack east --name nets --host 192.0.2.1 --client 10.0.1.0/24,10.0.11.0/24 --to \
	--host 192.0.2.2 --client 10.0.2.0/24,10.0.21.0/24 $algorithms
lab_check "pluto initiates all pairs" whack_east --initiate nets
lab_check "they are all up" said '"nets": all 4 pairs of clients are up'
lab_wait 10 "four CHILD_SAs" installed 4
lab_ok "strongSwan has a CHILD_SA for each"
if swan_kernel; then
	lab_check "pings go through" lab_ping ehost 10.0.2.9 3
fi
ends nets
# shellcheck disable=SC2086
lab_check "a TCP port" pluto_whack east --name web --host 192.0.2.1 --client 10.0.1.0/24 --clientproto tcp --to \
	--host 192.0.2.2 --client 10.0.2.9/32 --clientproto tcp --clientport 443 $algorithms
lab_check "pluto initiates it" whack_east --initiate web
lab_wait 10 "the CHILD_SA of the port" swan_has west INSTALLED '10.0.2.9/32[tcp/https]' '10.0.1.0/24[tcp]'
lab_ok "strongSwan has its CHILD_SA"
ends web
for name in nets second third fourth web; do
	lab_check "strongSwan initiates $name" swan_initiate west "$name"
done
lab_wait 10 "five CHILD_SAs" installed 5
lab_check "pluto has chosen the pair by the identities of each" eval \
	'[ "$(pluto_whack east --status --brief | awk "\$2 == \"up\" { print \$3 }" | sort | tr "\n" " ")" = "\"nets/1x1\" \"nets/1x2\" \"nets/2x1\" \"nets/2x2\" \"web\" " ]'
swan_terminate west nets
for name in nets web; do pluto_whack east --delete --name $name; done >"$LAB_DIR/delete.log" 2>&1

# ---- lifetimes: what strongSwan proposes, what is agreed
lifetimes() { # TEXT SECONDS KILOBYTES LINE...
	local text=$1 seconds=$2 kilobytes=$3
	shift 3
	: >"$LAB_DIR/west/swanctl/swanctl.conf"
	swan_connection west net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 aes128-sha256-modp2048 aes128-sha256 "of no consequence" "$@"
	swan_load west
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack east --delete $PLUTO_SECRET $algorithms --ikelifetime 3000 --ipseclifetime 2000 >"$LAB_DIR/add.log" 2>&1 || lab_fail "$text"
	lab_check "$text: strongSwan initiates" swan_initiate west net
	lab_wait 10 "SA at pluto" eval 'pluto_whack east --status --brief | grep -q " up "'
	lab_check "$text: at most $seconds s, kilobytes $kilobytes" lives ipsec "$seconds" "$kilobytes"
	lab_check "$text: the ISAKMP SA, too" eval 'read -r n _ < <(limits isakmp); [ "$n" -le 3000 ]'
	swan_terminate west net
	lab_wait 10 "end of the SAs at pluto" eval '! pluto_whack east --status --brief | grep -q " up "'
}
lifetimes "no rekeying at strongSwan" 2000 None "rekey_time = 0" "over_time = 0" "child rekey_time = 0" "child life_time = 0"
lab_check "pluto tells its own lifetime" grep -qF 'N((24576))' "$LAB_DIR/west.charon.log"
lifetimes "a longer lifetime" 2000 None "child rekey_time = 3h" "child life_time = 4h"
lifetimes "a shorter lifetime" 1200 None "child rekey_time = 900" "child life_time = 1200"
lifetimes "a limit in octets" 2000 512000 "child life_bytes = 512000000" "child rekey_bytes = 400000000"
# shellcheck disable=SC2086
lab_check "kilobytes of ours" pluto_whack east --delete $PLUTO_SECRET $algorithms --ipseckilobytes 1000000
lab_check "are proposed to strongSwan, and accepted" whack_east --initiate secret
lab_check "both limits count" lives ipsec 28800 1000000
ends secret
pluto_stop east
lab_ok "pluto ends"
lab_end
