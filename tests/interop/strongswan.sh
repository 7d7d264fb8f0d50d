# shellcheck shell=bash disable=SC2034
# strongSwan as a peer: source it after tests/net/lab.sh. Each peer has a folder $LAB_DIR/ID with its own configuration,
# socket and log, and runs in the foreground in one host of the laboratory.
#
#   swan_need                       or exit 77, saying what is missing
#   swan_scene [OPTION...]          the usual scene: pluto at east with these options, listening, and charon at west
#   swan_start ID HOST              charon, until it answers
#   swan_connection ID NAME LOCAL LOCAL_NET REMOTE REMOTE_NET IKE ESP SECRET [LINE...]
#                                   LINEs go into the connection; a LINE beginning with "child " goes into its child
#   swan_load ID                    tells charon of all connections written so far
#   swan_initiate ID NAME [SECONDS] swan_terminate ID NAME
#   swan_has ID WORD...             whether the list of SAs has all these words (ESTABLISHED, INSTALLED, DES_CBC...)
#   swan_bytes ID in|out [CHILD]    octets the kernel counts for the newest child SA (of that name)
#   swan_key SECRETS PEM            pluto's public key of a secrets file in the form that strongSwan reads
#   swan_public PEM                 strongSwan's key, whose exponent is 65537, in the form of --pubkeyrsa
#   swan_kernel                     whether charon can install an SA in this kernel; where it cannot, paper_kernel.c is put
#                                   before it and the SAs it would have installed are written to $LAB_DIR/ID.sas
# With SWAN_LIBIPSEC=1 charon does ESP by itself, always in UDP; SWAN_ID and SWAN_PEER_ID are identities for swan_connection
# that are not the addresses.

SWAN_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SWAN_CHARON=/usr/lib/ipsec/charon
SWAN_PACKAGES='strongswan-charon strongswan-swanctl libcharon-extra-plugins libstrongswan-extra-plugins libstrongswan-standard-plugins'

swan_need() {
	[ -x "$SWAN_CHARON" ] && command -v swanctl >/dev/null ||
		lab_skip "strongSwan is not installed: apt-get install --no-install-recommends $SWAN_PACKAGES"
}

swan_scene() {
	swan_need
	swan_kernel || PLUTO_KERNEL=none
	pluto_need
	lab_gateways
	pluto_secret east "of no consequence"
	pluto_listening east east "$@"
	swan_start west west
}

# A kernel without ESP refuses the type of SA; nothing is left behind either way.
swan_kernel() {
	[ -z "${SWAN_KERNEL:-}" ] || return "$SWAN_KERNEL"
	local host=swankernel
	ip netns add "$LAB_PREFIX-$host" || return 1
	ip -n "$LAB_PREFIX-$host" xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x100 mode tunnel \
		enc 'cbc(aes)' 0x000102030405060708090a0b0c0d0e0f 2>/dev/null
	SWAN_KERNEL=$?
	ip netns del "$LAB_PREFIX-$host"
	return "$SWAN_KERNEL"
}

swan_start() {
	local id=$1 host=$2 run=$LAB_DIR/$1
	mkdir -p "$run/swanctl/conf.d"
	cat >"$run/strongswan.conf" <<-END
		charon {
			load_modular = no
			load = random nonce aes sha1 sha2 md5 hmac gmp openssl gcrypt curve25519 pem pkcs1 pkcs8 pubkey dnskey constraints kdf ctr gcm ${SWAN_LIBIPSEC:+kernel-libipsec} kernel-netlink socket-default vici ${SWAN_PLUGINS:-}
			i_dont_care_about_security_and_use_aggressive_mode_psk = yes
			install_virtual_ip = no
			install_routes = yes
			filelog {
				main {
					path = $run.charon.log
					flush_line = yes
					default = 1
					ike = ${SWAN_LOG_IKE:-2}
					knl = 1
					enc = 1
				}
			}
			plugins {
				vici {
					socket = unix://$run/vici
				}
			}
			${SWAN_CHARON_CONF:-}
		}
		swanctl {
			load = pem pkcs1 pkcs8 pubkey random sha1 sha2 openssl
		}
	END
	: >"$run/swanctl/swanctl.conf"
	# swanctl asks and commands without any plugins but this; with all that are installed it is slow to start.
	printf 'swanctl {\n\tload = random\n}\n' >"$run/asking.conf"
	local shim=
	if [ -z "${SWAN_LIBIPSEC:-}" ] && ! swan_kernel; then
		[ -e "$LAB_DIR/paper_kernel.so" ] || cc -O2 -shared -fPIC -o "$LAB_DIR/paper_kernel.so" \
			"$SWAN_HERE/paper_kernel.c" || lab_fail "paper_kernel.c does not compile"
		shim="LD_PRELOAD='$LAB_DIR/paper_kernel.so' PAPER_SAS='$run.sas'"
	fi
	# charon's pid file has a fixed place: each gets a /run of its own. lab_start's mounts are seen by nobody else.
	lab_start "$id" "$host" sh -c "mount -t tmpfs tmpfs /run && $shim STRONGSWAN_CONF='$run/strongswan.conf' exec '$SWAN_CHARON'"
	lab_wait 20 "answer of strongSwan $id" swan_ctl "$id" --stats
}

swan_ctl() {
	local id=$1
	shift
	STRONGSWAN_CONF=$LAB_DIR/$id/asking.conf swanctl "$@" --uri "unix://$LAB_DIR/$id/vici"
}

swan_connection() {
	local id=$1 name=$2 local=$3 local_net=$4 remote=$5 remote_net=$6 ike=$7 esp=$8 secret=$9 line child=
	shift 9
	{
		echo "connections { $name {"
		echo "  version = 1"
		echo "  local_addrs = $local"
		echo "  remote_addrs = $remote"
		echo "  proposals = $ike"
		for line; do
			case $line in
			'child '*) child+="    ${line#child }"$'\n' ;;
			*) echo "  $line" ;;
			esac
		done
		echo "  local { auth = psk"
		echo "    id = ${SWAN_ID:-$local}"
		echo "  }"
		echo "  remote { auth = psk"
		echo "    id = ${SWAN_PEER_ID:-$remote}"
		echo "  }"
		echo "  children { $name {"
		echo "    local_ts = $local_net"
		echo "    remote_ts = $remote_net"
		echo "    esp_proposals = $esp"
		printf '%s' "$child"
		echo "  } }"
		echo "} }"
		echo "secrets { ike-$name { id-1 = ${SWAN_PEER_ID:-$remote}"
		echo "  secret = \"$secret\""
		echo "} }"
	} >>"$LAB_DIR/$id/swanctl/swanctl.conf"
}

swan_load() {
	STRONGSWAN_CONF=$LAB_DIR/$1/strongswan.conf swanctl --load-all --noprompt --file "$LAB_DIR/$1/swanctl/swanctl.conf" \
		--uri "unix://$LAB_DIR/$1/vici" >"$LAB_DIR/$1/load" 2>&1 && return
	cat "$LAB_DIR/$1/load"
	lab_fail "strongSwan $1 refuses its configuration"
}

swan_initiate() {
	swan_ctl "$1" --initiate --child "$2" --timeout "${3:-10}" >"$LAB_DIR/$1.initiate.log" 2>&1
}

swan_terminate() {
	swan_ctl "$1" --terminate --ike "$2" --timeout 10 >"$LAB_DIR/$1.terminate.log" 2>&1
}

swan_sas() { swan_ctl "$1" --list-sas; }

swan_has() {
	local id=$1 word list
	list=$(swan_sas "$id")
	shift
	for word; do
		case $list in *"$word"*) ;; *) return 1 ;; esac
	done
}

# Its modulus and exponent as ASN.1.
swan_key() {
	{
		printf 'asn1=SEQUENCE:key\n[key]\n'
		sed -n 's/.*Modulus: /n=INTEGER:/p; s/.*PublicExponent: /e=INTEGER:/p' "$1"
	} >"$2.asn1"
	openssl asn1parse -genconf "$2.asn1" -noout -out "$2.der" &&
		openssl rsa -RSAPublicKey_in -inform DER -in "$2.der" -pubout -out "$2" 2>/dev/null
}

swan_public() { echo "0x03010001$(openssl rsa -in "$1" -noout -modulus | sed 's/.*=//')"; }

swan_bytes() {
	swan_sas "$1" | awk -v way="$2" -v child="${3:-}" '
		/^ *[^ ]+: #[0-9]+,/ { name = $1 }
		$1 == way && (child == "" || name == child ":") { for (i = 2; i < NF; i++) if ($(i + 1) ~ /^bytes/) n = $i }
		END { print n }'
}
