#!/bin/bash
# The laboratory of the matrix, inside of tests/vm/run: all daemons at once, each in a gateway of its own, then matrixlib goes
# through the cases of the file $1 and writes to the file $2.
#
#     klipsh --- klips --+          +-- strongswan --- strongswanh     ours: klips and xfrm, by their kernel
#     xfrmh  --- xfrm  --+-- wire --+-- libreswan  --- libreswanh      a gateway NUMBER has 192.0.2.NUMBER and 10.0.NUMBER.1,
#                                   +-- pluto      --- plutoh          its client 10.0.NUMBER.9
#
# Nothing in clear passes the wire: what is answered has come through IPsec.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../net/lab.sh"
. "$here/../net/pluto.sh"
SWAN_LOG_IKE=1
SWAN_CHARON_CONF='retransmit_tries = 3
			retransmit_timeout = 2.0'
. "$here/strongswan.sh"
. "$here/libreswan.sh"
: "${RSASIGKEY:=$top_builddir/src/rsasigkey}"

lab_begin "the matrix" openssl python3 nft
swan_need
libre_need
pluto_need
"$here/../vm/load-modules" || lab_fail "this kernel has not the algorithms of IPsec"
secret="of no consequence at all"
# Never the same as one's peer: two gateways for ours, one for each of the others.
gateways=(klips xfrm strongswan libreswan pluto)

lab_host wire "${gateways[@]}" "${gateways[@]/%/h}"
ip -n "$LAB_PREFIX-wire" link add br0 type bridge mcast_snooping 0 || lab_skip "this kernel has no bridge"
ip -n "$LAB_PREFIX-wire" link set br0 up
number=0
for gateway in "${gateways[@]}"; do
	number=$((number + 1))
	lab_wire "$gateway" wan "192.0.2.$number/24" wire "$gateway" -
	ip -n "$LAB_PREFIX-wire" link set "$gateway" master br0
	lab_wire "${gateway}h" eth0 "10.0.$number.9/24" "$gateway" lan "10.0.$number.1/24"
	lab_route "${gateway}h" default via "10.0.$number.1"
done
# libreswan needs a route below its policies; strongSwan and pluto make theirs.
lab_route libreswan 10.0.1.0/24 via 192.0.2.1
lab_route libreswan 10.0.2.0/24 via 192.0.2.2
lab_in wire nft -f - <<-'RULES' || lab_skip "nft cannot filter a bridge here"
	table bridge matrix {
		chain forward {
			type filter hook forward priority 0; policy accept;
			ip protocol icmp drop
		}
	}
RULES

mkdir "$LAB_DIR/keys" "$LAB_DIR/libreswan" "$LAB_DIR/strongswan"
# swan_public PEM: in the form of RFC 3110; the exponent is 65537.
rfc3110() { echo "0x03010001$(openssl rsa -pubin -in "$1" -noout -modulus | sed 's/.*=//')"; }
pem() {	# MODULUS EXPONENT FILE
	printf 'asn1=SEQUENCE:key\n[key]\nn=INTEGER:%s\ne=INTEGER:%s\n' "$1" "$2" >"$3.asn1"
	openssl asn1parse -genconf "$3.asn1" -noout -out "$3.der" &&
		openssl rsa -RSAPublicKey_in -inform DER -in "$3.der" -pubout -out "$3" 2>/dev/null
}
declare -A public=()
for gateway in klips xfrm pluto; do
	mkdir -p "$LAB_DIR/$gateway"
	(umask 077; "$RSASIGKEY" --bits 2560 >"$LAB_DIR/$gateway/secrets")
	pem "$(sed -n 's/.*Modulus: //p' "$LAB_DIR/$gateway/secrets")" "$(sed -n 's/.*PublicExponent: //p' "$LAB_DIR/$gateway/secrets")" \
		"$LAB_DIR/keys/$gateway.public.pem" || lab_fail "openssl does not take the key of $gateway"
	public[$gateway]=$(rfc3110 "$LAB_DIR/keys/$gateway.public.pem")
	pluto_secret "$gateway" "$secret"
done
openssl genrsa -traditional -out "$LAB_DIR/keys/strongswan.private.pem" 2560 2>/dev/null &&
	openssl rsa -in "$LAB_DIR/keys/strongswan.private.pem" -pubout -out "$LAB_DIR/keys/strongswan.public.pem" 2>/dev/null ||
	lab_fail "openssl makes no key"
public[strongswan]=$(rfc3110 "$LAB_DIR/keys/strongswan.public.pem")
libre_key libreswan 2560
public[libreswan]=$LIBRE_PUBLIC
libre_secret libreswan "$secret"

swan_start strongswan strongswan
libre_start libreswan libreswan
for gateway in klips xfrm pluto; do
	PLUTO_KERNEL=${gateway/pluto/klips}
	pluto_start "$gateway" "$gateway"
	pluto_whack "$gateway" --listen >"$LAB_DIR/$gateway.listen.log" 2>&1 || lab_fail "pluto $gateway does not listen"
done
number=0
for gateway in "${gateways[@]}"; do
	number=$((number + 1))
	key=(--keyid "192.0.2.$number" --pubkeyrsa "${public[$gateway]}")
	for other in klips xfrm pluto; do
		pluto_whack "$other" "${key[@]}" >>"$LAB_DIR/keys.log" 2>&1 || lab_fail "$other refuses the key of $gateway"
	done
	libre_whack libreswan "${key[@]}" >>"$LAB_DIR/keys.log" 2>&1 || lab_fail "libreswan refuses the key of $gateway"
done

PYTHONPATH=$here python3 -B -m matrixlib.go --folder "$LAB_DIR" --prefix "$LAB_PREFIX" --whack "$WHACK" --libreswan "$LIBRE_EXEC" \
	--secret "$secret" "$1" "$2"
status=$?
for gateway in klips xfrm pluto; do
	pluto_stop "$gateway"
done
[ -z "${OUT:-}" ] || cp "$LAB_DIR"/*.log "$OUT"
exit $status
