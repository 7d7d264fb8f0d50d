#!/bin/bash
# pluto as the client of a gateway, which strongSwan plays: XAUTH and Mode Config after Main Mode and Aggressive Mode, with a preshared secret, that of
# a group too, and with RSA; the address asked for (pull) and given unasked (push); all that a wrong description of either can lead to.
# On a kernel with ESP the address carries pings through the tunnel.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
. "$here/strongswan.sh"
: "${RSASIGKEY:=$top_builddir/src/rsasigkey}"

lab_begin "pluto as the client of strongSwan (XAUTH, Mode Config)" ping cc openssl
swan_need
[ -e /usr/lib/ipsec/plugins/libstrongswan-xauth-generic.so ] ||
	lab_skip "strongSwan has no xauth-generic: apt-get install --no-install-recommends libcharon-extauth-plugins"
pluto_need
[ -x "$RSASIGKEY" ] || lab_skip "$RSASIGKEY is not built"
lab_gateways
SWAN_PLUGINS="xauth-generic attr"
folder=$LAB_DIR/west/swanctl
mkdir -p "$LAB_DIR/east" "$folder/pubkey" "$folder/private"
cat >"$LAB_DIR/updown" <<END
#!/bin/sh
echo "\$PLUTO_VERB source=\${PLUTO_MY_SOURCEIP:-none} client=\$PLUTO_MY_CLIENT dns=\${PLUTO_DNS_SERVERS:-none} split=\${PLUTO_SPLIT_INCLUDE:-none} domain=\${PLUTO_DOMAIN:-none} banner=\${PLUTO_BANNER:-none}" >>$LAB_DIR/verbs
exec $IPSEC_EXECDIR/_updown
END
chmod 755 "$LAB_DIR/updown"
umask 077
"$RSASIGKEY" --bits 2048 >"$LAB_DIR/east/rsa"
openssl genrsa -out "$folder/private/west.pem" 2048 2>/dev/null
openssl rsa -in "$folder/private/west.pem" -pubout -out "$folder/pubkey/west.pem" 2>/dev/null
swan_key "$LAB_DIR/east/rsa" "$folder/pubkey/east.pem" || lab_fail "pluto's key in strongSwan's form"

secrets() {	# LINE...
	{
		cat "$LAB_DIR/east/rsa"
		echo '192.0.2.1 192.0.2.2 : PSK "of no consequence"'
		printf '%s\n' "$@"
	} >"$LAB_DIR/east/secrets"
}
gateway() {	# auth LINES-OF-THE-CONNECTION ADDRESSES
	local ours="auth = $1" theirs="auth = $1"
	[ "$1" = psk ] || { ours+=$'\n pubkeys = west.pem' theirs+=$'\n pubkeys = east.pem'; }
	cat >"$folder/swanctl.conf" <<-END
		connections { rw {
			version = 1
			local_addrs = 192.0.2.2
			remote_addrs = 192.0.2.1
			proposals = aes128-sha256-modp2048
			pools = home
			$2
			local { $ours
				id = 192.0.2.2
			}
			remote { $theirs
				id = "${GROUP:-192.0.2.1}"
			}
			remote-user { auth = ${XAUTH:-xauth}
			}
			children { net {
				local_ts = 10.0.2.0/24
				esp_proposals = aes128-sha256
			}
			further {
				local_ts = 10.0.4.0/24
				esp_proposals = aes128-sha256
			} }
		} }
		pools { home { addrs = $3
			dns = 10.0.2.53, 10.0.2.54
			split_include = ${NETS:-10.0.2.0/24}
			28672 = "Welcome; \$(reboot)"
			28674 = "corp.example"
		} }
		secrets {
			ike-east { id = "${GROUP:-192.0.2.1}"
				secret = "of no consequence"
			}
			xauth-alice { id = alice
				secret = "open sesame"
			}
		}
	END
	SWANCTL_DIR=$folder swan_load west
	swan_ctl west --load-pools --file "$folder/swanctl.conf" >"$LAB_DIR/pools.log" 2>&1 || lab_fail "strongSwan refuses its pool"
}
# shellcheck disable=SC2086 # words
describe() {	# OPTION...: OURS are those of our end
	pluto_whack east --delete --name net --host 192.0.2.1 ${OURS:-} --updown "$LAB_DIR/updown" --to --host 192.0.2.2 \
		${FAR:---client 10.0.2.0/24} --encrypt --ike aes128-sha256-modp2048 --esp aes128-sha256 "$@"
}
initiate() { timeout 60 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name net --initiate >"$LAB_DIR/initiate.log" 2>&1; }
has_address() { lab_in east ip -o addr show | grep -q "inet $1/32"; }
up() {	# TEXT ADDRESS
	lab_check "$1: pluto initiates" initiate
	lab_check "$1: whack was shown the address before the success" \
		eval 'sed -n "/the gateway gives us address '"$2"'/,\$p" "$LAB_DIR/initiate.log" | grep -q "^004.*IPsec SA established"'
	lab_wait 10 "IPsec SA at strongSwan" swan_has west ESTABLISHED INSTALLED "$2/32"
	lab_check "$1: the address is there" has_address "$2"
	if swan_kernel; then
		lab_wait 10 "pings through the tunnel ($1)" lab_in east ping -n -q -c 3 -i 0.2 -W 2 10.0.2.9
		lab_check "$1: strongSwan's kernel counted them" [ "$(swan_bytes west in net)" -ge 252 ]
	fi
}
down() {	# TEXT ADDRESS
	lab_check "$1: terminated" pluto_whack east --name net --terminate
	lab_wait 10 "end of the SAs at strongSwan" eval '! swan_has west ESTABLISHED'
	lab_wait 10 "end of the address" eval '! has_address '"$2"
	lab_check "$1: nor is there a route any more" eval '[ -z "$(lab_in east ip route show 10.0.2.0/24)" ]'
}
fails() {	# TEXT STATUS PATTERN...
	local text=$1 status=$2 pattern
	shift 2
	initiate
	lab_check "$text: whack ends with $status" [ $? = "$status" ]
	for pattern; do
		lab_check "$text: it says \"$pattern\"" grep -q -- "$pattern" "$LAB_DIR/initiate.log"
	done
	lab_wait 10 "end of the ISAKMP SA" eval '! pluto_whack east --status | grep -q "#[0-9]* ISAKMP SA with"'
}

secrets '192.0.2.2 alice : XAUTH "open sesame"'
pluto_listening east east
lab_check "the password is counted" grep -q "1 password" "$LAB_DIR/east.listen.log"
swan_start west west
user='--xauth --xauthname alice'
once='--keyingtries 1 --sends 2 --sendinterval 500'

gateway psk "" 10.9.0.1-10.9.0.9
# shellcheck disable=SC2086 # words
lab_check "a client is described" describe --psk $user --modecfg pull
up "PSK, XAUTH and pull" 10.9.0.1
lab_check "updown is told of all that the gateway gave" grep -q \
	'^up-client source=10.9.0.1 client=10.9.0.1/32 dns=10.0.2.53 10.0.2.54 split=10.0.2.0/24 domain=corp.example banner=Welcome; \$(reboot)$' "$LAB_DIR/verbs"
lab_check "the log shows the banner" grep -q 'the gateway says: Welcome; \$(reboot)' "$LAB_DIR/east.log"
lab_check "no secret is in the log" eval '! grep -q "sesame" "$LAB_DIR/east.log" "$LAB_DIR/initiate.log"'
pluto_whack east --status >"$LAB_DIR/status.log" 2>&1
lab_check "the status shows user and address" grep -q 'XAUTH as alice.*address 10.9.0.1' "$LAB_DIR/status.log"
down "PSK, XAUTH and pull" 10.9.0.1

gateway psk "pull = no" 10.9.0.1-10.9.0.9
# shellcheck disable=SC2086 # words
lab_check "described for push" describe --psk $user --modecfg push
up "PSK, XAUTH and push" 10.9.0.1
down "PSK, XAUTH and push" 10.9.0.1

gateway psk "aggressive = yes" 10.9.0.1-10.9.0.9
# shellcheck disable=SC2086 # words
lab_check "described for Aggressive Mode" describe --psk --aggressive $user --modecfg pull
up "Aggressive Mode, XAUTH and pull" 10.9.0.1
down "Aggressive Mode, XAUTH and pull" 10.9.0.1

GROUP=@#53616c6573 gateway psk "aggressive = yes" 10.9.0.1-10.9.0.9
secrets '@[Sales] 192.0.2.2 : PSK "of no consequence"' 'alice : XAUTH "open sesame"'
pluto_whack east --listen >"$LAB_DIR/listen.log" 2>&1
# shellcheck disable=SC2086 # words
OURS="--id @[Sales]" lab_check "described with the name of a group" describe --psk --aggressive $user --modecfg pull
up "a group of users" 10.9.0.1
lab_check "strongSwan knows us by the group" swan_has west ESTABLISHED Sales
down "a group of users" 10.9.0.1
# shellcheck disable=SC2086 # words
OURS="--id @[sales]" lab_check "described with another case, for one try" describe --psk --aggressive $user --modecfg pull $once
secrets '@[sales] 192.0.2.2 : PSK "of no consequence"' 'alice : XAUTH "open sesame"'
pluto_whack east --listen >"$LAB_DIR/listen.log" 2>&1
fails "which is no name of the group" 32 "the peer says AUTHENTICATION_FAILED"
lab_check "strongSwan looked for it as we write it" grep -q 'configs matching 192.0.2.2...192.0.2.1\[sales\]' "$LAB_DIR/west.charon.log"
lab_check "and found none" grep -q 'no peer config found' "$LAB_DIR/west.charon.log"
secrets '192.0.2.2 alice : XAUTH "open sesame"'
pluto_whack east --listen >"$LAB_DIR/listen.log" 2>&1

# The networks that the gateway names: all within what we describe, then one of them, then none.
NETS="10.0.2.0/24, 10.0.4.0/24" gateway psk "" 10.9.0.1-10.9.0.9
# shellcheck disable=SC2086 # words
FAR="--client 0.0.0.0/0" lab_check "described for what the gateway names" describe --psk $user --modecfg pull --split
up "split" 10.9.0.1
lab_check "whack is told of both networks" grep -q '^004 "net": all 2 pairs of clients are up' "$LAB_DIR/initiate.log"
lab_check "strongSwan has both" swan_has west 10.0.2.0/24 10.0.4.0/24
pluto_whack east --status >"$LAB_DIR/status.log" 2>&1
for net in 10.0.2.0/24 10.0.4.0/24; do
	lab_check "and so has pluto: $net" grep -q "^000 \"net/1x[12]\" up: 10.9.0.1/32===192.0.2.1\.\.\.192.0.2.2===$net" "$LAB_DIR/status.log"
	lab_check "with a route" eval '[ -n "$(lab_in east ip route show '"$net"')" ]'
done
lab_check "and no other" [ "$(grep -c '^000 "net' "$LAB_DIR/status.log")" = 2 ]
down "split" 10.9.0.1
gateway psk "" 10.9.0.1-10.9.0.9
up "split, one network left" 10.9.0.1
lab_check "nothing is left of the other" [ "$(pluto_whack east --status | grep -c '^000 "net')" = 1 ]
down "split, one network left" 10.9.0.1
# shellcheck disable=SC2086 # words
FAR="--client 172.16.0.0/12" lab_check "described for other networks" describe --psk $user --modecfg pull --split $once
fails "what the gateway names is not among them" 32 'names what is behind it: 10.0.2.0/24, and nothing of that is within 172.16.0.0/12' \
	"remedy: give the gateway's end a wider --client"

gateway pubkey "" 10.9.0.1-10.9.0.9
lab_check "strongSwan's public key" pluto_whack east --keyid 192.0.2.2 \
	--pubkeyrsa "$(swan_public "$folder/private/west.pem")"
# shellcheck disable=SC2086 # words
lab_check "described for RSA" describe --rsasig $user --modecfg pull
up "RSA, XAUTH and pull" 10.9.0.1
down "RSA, XAUTH and pull" 10.9.0.1

# shellcheck disable=SC2086 # words
lab_check "described for a preshared secret again" describe --psk $user --modecfg pull
gateway psk "" 10.9.0.1-10.9.0.9
secrets 'alice : XAUTH "close sesame"'
pluto_whack east --listen >"$LAB_DIR/listen.log" 2>&1
fails "a wrong password" 33 "the gateway does not accept user alice with the password in $LAB_DIR/east/secrets:[0-9]*" \
	"remedy: compare --xauthname and the password"
secrets
pluto_whack east --listen >"$LAB_DIR/listen.log" 2>&1
fails "no password" 28 "no password for user alice" 'alice : XAUTH'
secrets '@alice : XAUTH "open sesame"'
pluto_whack east --listen >"$LAB_DIR/listen.log" 2>&1
up "the form @NAME" 10.9.0.1
down "the form @NAME" 10.9.0.1
# shellcheck disable=SC2086 # words
lab_check "described for one try" describe --psk $user --modecfg pull $once
XAUTH=psk gateway psk "" 10.9.0.1-10.9.0.9
fails "a gateway without XAUTH" 30 "no answer"
pluto_stop east
lab_ok "pluto ends"
lab_end
