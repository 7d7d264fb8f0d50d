#!/bin/bash
# pluto and strongSwan: Main Mode with RSA signatures, each end initiating once, with addresses and with names as
# identities, keys of several sizes; and a key that is not the one.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/strongswan.sh"
: "${RSASIGKEY:=$top_builddir/src/rsasigkey}"

lab_begin "pluto with strongSwan, RSA signatures" ping cc openssl
swan_need
swan_kernel || PLUTO_KERNEL=none
pluto_need
[ -x "$RSASIGKEY" ] || lab_skip "$RSASIGKEY is not built"

swan_rsa() {	# LOCAL_ID REMOTE_ID KEY_OF_PLUTO [LINE-ABOUT-ITS-OWN]
	cat >"$LAB_DIR/west/swanctl/swanctl.conf" <<-END
		connections { net {
			version = 1
			local_addrs = 192.0.2.2
			remote_addrs = 192.0.2.1
			proposals = aes128-sha256-modp2048
			send_cert = always
			local { auth = pubkey
				id = $1
				${4:-pubkeys = west.pem}
			}
			remote { auth = pubkey
				id = $2
				pubkeys = $3
			}
			children { net {
				local_ts = 10.0.2.0/24
				remote_ts = 10.0.1.0/24
				esp_proposals = aes128-sha256
			} }
		} }
	END
	SWANCTL_DIR=$LAB_DIR/west/swanctl swan_load west
}

lab_gateways
folder=$LAB_DIR/west/swanctl
mkdir -p "$folder/pubkey" "$folder/private" "$folder/x509" "$LAB_DIR/east" "$LAB_DIR/other"
(umask 077
"$RSASIGKEY" --bits 3072 >"$LAB_DIR/east/secrets"
"$RSASIGKEY" --bits 2048 >"$LAB_DIR/other/secrets")
openssl genrsa -out "$folder/private/west.pem" 4096 2>/dev/null
openssl rsa -in "$folder/private/west.pem" -pubout -out "$folder/pubkey/west.pem" 2>/dev/null
lab_check "strongSwan's form of pluto's key" swan_key "$LAB_DIR/east/secrets" "$folder/pubkey/east.pem"
lab_check "and of another" swan_key "$LAB_DIR/other/secrets" "$folder/pubkey/other.pem"
swan=$(swan_public "$folder/private/west.pem")
pluto_listening east east
swan_start west west

both_have() {	# TEXT
	lab_wait 5 "IPsec SA at strongSwan ($1)" swan_has west ESTABLISHED INSTALLED
	if swan_kernel; then
		lab_check "$1: pings go through" lab_ping ehost 10.0.2.9 3
	else
		lab_wait 5 "IPsec SA at pluto ($1)" eval 'pluto_whack east --status | grep -q "#[0-9]* IPsec SA"'
	fi
	lab_ok "$1: established"
}
describe() {	# LOCAL_ID REMOTE_ID
	pluto_whack east --delete --name net --id "$1" --host 192.0.2.1 --client 10.0.1.0/24 --to --id "$2" \
		--host 192.0.2.2 --client 10.0.2.0/24 --encrypt --rsasig --ike aes128-sha256-modp2048 --esp aes128-sha256
}

while read -r east west; do
	swan_rsa "$west" "$east" east.pem
	lab_check "$east: pluto knows strongSwan's key" pluto_whack east --keyid "$west" --pubkeyrsa "$swan"
	lab_check "$east: pluto takes the connection" describe "$east" "$west"
	lab_check "$east: pluto initiates" timeout 30 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name net --initiate
	both_have "$east, pluto initiated"
	lab_check "$east: terminated" pluto_whack east --name net --terminate
	lab_wait 5 "end of the SAs at strongSwan" eval '! swan_has west ESTABLISHED'
	lab_check "$east: strongSwan initiates" swan_initiate west net
	both_have "$east, strongSwan initiated"
	swan_terminate west net
	lab_wait 5 "end of the SAs at pluto" eval '! pluto_whack east --status | grep -q "#[0-9]* ISAKMP SA with"'
done <<-'END'
	192.0.2.1 192.0.2.2
	@east.example @west.example
	east@example.org west@example.org
END

# A certificate is none of pluto's business: it knows the key that is in it.
openssl req -new -x509 -key "$folder/private/west.pem" -subj /CN=west.example -addext subjectAltName=DNS:west.example \
	-days 30 -out "$folder/x509/west.pem" 2>/dev/null || lab_fail "openssl makes no certificate"
swan_rsa @west.example @east.example east.pem "certs = west.pem"
lab_check "described with names once more" describe @east.example @west.example
lab_check "strongSwan initiates and sends a certificate" swan_initiate west net
both_have "with a certificate"
lab_check "pluto says that it ignores certificates" grep -q "certificates of the peer are ignored (1)" "$LAB_DIR/east.log"
swan_terminate west net
lab_wait 5 "end of the SAs at pluto" eval '! pluto_whack east --status | grep -q "#[0-9]* ISAKMP SA with"'

# strongSwan expects another key of pluto.
swan_rsa @west.example @east.example other.pem
lab_check "described with names again" describe @east.example @west.example
lab_check "strongSwan refuses another key" eval '! swan_initiate west net 5'
lab_check "and says that it is not the key it wants" grep -q "constraint check failed\|signature validation failed\|no trusted RSA public key" "$LAB_DIR/west.charon.log"
swan_terminate west net
# pluto expects another key of strongSwan.
swan_rsa @other.example @east.example east.pem
lab_check "pluto has another key for the name" pluto_whack east --keyid @other.example \
	--pubkeyrsa "$("$RSASIGKEY" --pubkey "$LAB_DIR/other/secrets" | sed -n '/^0s/p')"
lab_check "described with the name" describe @east.example @other.example
swan_initiate west net 1 && lab_fail "pluto believes another key"
print=$(sed -n 's/.*fingerprint //p' "$LAB_DIR/other/secrets")
lab_wait 10 "refusal" grep -q "does not fit any key known for @other.example (tried $print)" "$LAB_DIR/east.log"
lab_ok "pluto refuses, and names the key that it tried"
lab_check "no SA is left" eval '! pluto_whack east --status | grep -q "#[0-9]* ISAKMP SA with"'
pluto_stop east
lab_ok "pluto ends"
lab_end
