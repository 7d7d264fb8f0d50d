# shellcheck shell=bash disable=SC2034
# A peer of any kind in west, for tests that treat all alike: source it after strongswan.sh and libreswan.sh, and set PEER to
# pluto, strongswan or libreswan. The connection is "net", with a preshared secret; the lifetimes are equal at both ends and
# without fuzz.
#
#   peer start|describe|initiate|terminate|end
#   peer count                      its IPsec SAs
#   peer gone                       no SA and no negotiation is left there
#   peer_describe                   at both ends; peer_our_count and peer_nothing_left: the same of pluto east, and of both
PEER_SECRET="of no consequence"
: "${PEER_LIFE:=9}" "${PEER_IKE_LIFE:=16}" "${PEER_MARGIN:=4}"	# seconds; the margin is before either's end
: "${PEER_OPTIONS:=}"			# of pluto's connections
: "${PEER_LIBRESWAN_OPTIONS:=}"		# of libreswan's
PEER_ENDS='--name net --host 192.0.2.1 --client 10.0.1.0/24 --to --host 192.0.2.2 --client 10.0.2.0/24 --psk --encrypt'

peer() { "peer_$PEER" "$@"; }

# No SA and no negotiation of a pluto.
peer_no_sas() { ! pluto_whack "$1" --status --json | grep -q '"serial"'; }

# shellcheck disable=SC2086 # the words of one command line
peer_describe_pluto() {
	pluto_whack "$1" --delete $PEER_ENDS --ipseclifetime "$PEER_LIFE" --ikelifetime "$PEER_IKE_LIFE" --rekeymargin "$PEER_MARGIN" \
		--rekeyfuzz 0 --ike aes128-sha256-modp2048 --esp aes128-sha256 $PEER_OPTIONS
}

peer_pluto() {
	case $1 in
	start)
		[ -e "$LAB_DIR/pluto/secrets" ] || pluto_secret pluto "$PEER_SECRET"
		pluto_start pluto west
		pluto_whack pluto --listen
		;;
	describe) peer_describe_pluto pluto ;;
	initiate) timeout 60 "$WHACK" --ctlbase "$LAB_DIR/pluto/pluto" --name net --initiate ;;
	terminate) pluto_whack pluto --name net --terminate ;;
	count) pluto_whack pluto --status | grep -c '#[0-9]* IPsec SA' ;;
	gone) peer_no_sas pluto ;;
	end) pluto_stop pluto ;;
	esac
}

peer_strongswan() {
	case $1 in
	start) swan_start strongswan west ;;
	describe)
		: >"$LAB_DIR/strongswan/swanctl/swanctl.conf"
		swan_connection strongswan net 192.0.2.2 10.0.2.0/24 192.0.2.1 10.0.1.0/24 aes128-sha256-modp2048 aes128-sha256 "$PEER_SECRET" \
			"reauth_time = $((PEER_IKE_LIFE - PEER_MARGIN))s" "over_time = ${PEER_MARGIN}s" 'rand_time = 0s' \
			"child rekey_time = $((PEER_LIFE - PEER_MARGIN))s" 'child rand_time = 0s' "child life_time = ${PEER_LIFE}s"
		swan_load strongswan
		;;
	initiate) swan_initiate strongswan net 30 ;;
	terminate) swan_terminate strongswan net ;;
	count) swan_sas strongswan | grep -c 'INSTALLED' ;;
	gone) [ -z "$(swan_sas strongswan)" ] ;;
	end) lab_stop strongswan ;;
	esac
}

peer_libreswan() {
	case $1 in
	start)
		[ -s "$LAB_DIR/libreswan/secrets" ] || libre_secret libreswan "$PEER_SECRET"
		libre_start libreswan west
		;;
	# shellcheck disable=SC2086 # the words of one command line
	describe)
		libre_connection libreswan $PEER_ENDS --tunnel --ike aes128-sha2_256-modp2048 --esp aes128-sha2_256 --rekeyfuzz 0 \
			--ikelifetime "$PEER_IKE_LIFE" --ipseclifetime "$PEER_LIFE" --rekeymargin "$PEER_MARGIN" $PEER_LIBRESWAN_OPTIONS
		;;
	initiate) libre_initiate libreswan net 60 ;;
	terminate) libre_terminate libreswan net ;;
	count) libre_whack libreswan --showstates | grep -c 'IPsec SA established' ;;
	gone) ! libre_whack libreswan --showstates | grep -q '#' ;;
	end) lab_stop libreswan ;;
	esac
}

peer_describe() { peer_describe_pluto east && peer describe; }
peer_our_count() { pluto_whack east --status | grep -c '#[0-9]* IPsec SA'; }
peer_nothing_left() { peer_no_sas east && peer gone; }
