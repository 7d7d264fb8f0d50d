#!/bin/bash
# pluto and strongSwan: Aggressive Mode, with preshared secrets found by name and with RSA signatures, each end initiating once;
# and a secret that is another. On a kernel with ESP pings must go through the tunnels.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/strongswan.sh"
: "${RSASIGKEY:=$top_builddir/src/rsasigkey}"

lab_begin "pluto with strongSwan, Aggressive Mode" tcpdump ping cc openssl
swan_need
swan_kernel || PLUTO_KERNEL=none
pluto_need
[ -x "$RSASIGKEY" ] || lab_skip "$RSASIGKEY is not built"

swan_write() {	# AUTH SECRET [LINE...]: LINEs go into the connection
	local auth=$1 secret=$2 own='' theirs='' line
	shift 2
	[ "$auth" != pubkey ] || { own='pubkeys = west.pem'; theirs='pubkeys = east.pem'; }
	{
		echo 'connections { net { version = 1; aggressive = yes'
		echo 'local_addrs = 192.0.2.2; remote_addrs = 192.0.2.1; proposals = aes128-sha256-modp2048'
		for line; do echo "$line"; done
		printf 'local { auth = %s\nid = @west.example\n%s\n}\n' "$auth" "$own"
		printf 'remote { auth = %s\nid = @east.example\n%s\n}\n' "$auth" "$theirs"
		echo 'children { net { local_ts = 10.0.2.0/24; remote_ts = 10.0.1.0/24; esp_proposals = aes128-sha256 } } } }'
		printf 'secrets { ike-net { id-1 = @east.example\nsecret = "%s"\n} }\n' "$secret"
	} | sed 's/; /\n/g' >"$LAB_DIR/west/swanctl/swanctl.conf"
	SWANCTL_DIR=$LAB_DIR/west/swanctl swan_load west
}
describe() {
	pluto_whack east --delete --name net --id @east.example --host 192.0.2.1 --client 10.0.1.0/24 --to --id @west.example \
		--host 192.0.2.2 --client 10.0.2.0/24 --encrypt --aggressive --ike aes128-sha256-modp2048 --esp aes128-sha256 \
		--keyingtries 1 --sends 2 --sendinterval 1000 "$@"
}
both_have() {	# TEXT
	lab_wait 10 "IPsec SA at strongSwan ($1)" swan_has west ESTABLISHED INSTALLED
	lab_wait 10 "IPsec SA at pluto ($1)" eval 'pluto_whack east --status | grep -q "#[0-9]* IPsec SA"'
	! swan_kernel || lab_check "$1: pings go through" lab_ping ehost 10.0.2.9 3
	lab_ok "$1: established"
}
each_initiates() {	# TEXT
	lab_check "$1: pluto initiates" timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name net --initiate
	both_have "$1, pluto initiated"
	lab_check "$1: by Aggressive Mode" grep -q "AGGR_I2" "$LAB_DIR/east.log"
	lab_check "$1: terminated" pluto_whack east --name net --terminate
	lab_wait 10 "end of the SAs at strongSwan" eval '! swan_has west ESTABLISHED'
	lab_check "$1: strongSwan initiates" swan_initiate west net 30
	both_have "$1, strongSwan initiated"
	lab_check "$1: answered in Aggressive Mode" grep -q "AGGR_R2" "$LAB_DIR/east.log"
	swan_terminate west net
	lab_wait 10 "end of the SAs at pluto" eval '! pluto_whack east --status | grep -q "#[0-9]* ISAKMP SA with"'
}

lab_gateways
folder=$LAB_DIR/west/swanctl
mkdir -p "$folder/pubkey" "$folder/private" "$LAB_DIR/east"
(umask 077
"$RSASIGKEY" --bits 2048 >"$LAB_DIR/east/key"
echo '@east.example @west.example : PSK "known by name"' >"$LAB_DIR/east/secrets"
cat "$LAB_DIR/east/key" >>"$LAB_DIR/east/secrets")
openssl genrsa -out "$folder/private/west.pem" 2048 2>/dev/null
openssl rsa -in "$folder/private/west.pem" -pubout -out "$folder/pubkey/west.pem" 2>/dev/null
swan_key "$LAB_DIR/east/key" "$folder/pubkey/east.pem" || lab_fail "pluto's key cannot be written as strongSwan reads it"
lab_capture wire wire br0 udp port 500
pluto_listening east east
swan_start west west
lab_check "pluto knows strongSwan's key" pluto_whack east --keyid @west.example \
	--pubkeyrsa "$(swan_public "$folder/private/west.pem")"

swan_write psk "known by name"
lab_check "pluto takes the connection" describe --psk
each_initiates "a preshared secret"

swan_write psk "another secret"
pluto_whack east --name net --initiate >"$LAB_DIR/wrong.log" 2>&1 && lab_fail "the secrets differ and nobody notices"
lab_check "pluto says which secret differs" grep -q "preshared secrets differ.*east/secrets:1" "$LAB_DIR/wrong.log"

swan_write pubkey "of no use"
lab_check "pluto takes signatures" describe --rsasig
each_initiates "RSA signatures"
pluto_stop east
lab_ok "pluto ends"
lab_end
