#!/bin/bash
# Every suite of ESP and AH between two klips: pings of all sizes pass, the wire shows nothing else, and tshark, which knows
# nothing of this code, decrypts what is there.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/klips.sh"

lab_begin "klips in tunnel mode" tcpdump tshark ping python3
klips_need
klips_gateways

lab_in ehost ping -n -q -c 1 -W 1 10.0.2.9 >/dev/null && lab_fail "a ping passed without an eroute"
lab_ok "without an eroute nothing passes"

shark_cipher() {
	case $1 in
	*gcm_8) echo "AES-GCM with 8 octet ICV [RFC4106]" ;;
	*gcm_12) echo "AES-GCM with 12 octet ICV [RFC4106]" ;;
	*gcm_16) echo "AES-GCM with 16 octet ICV [RFC4106]" ;;
	aes*_cbc) echo "AES-CBC [RFC3602]" ;;
	3des_cbc) echo "TripleDES-CBC [RFC2451]" ;;
	null) echo "NULL" ;;
	esac
}

shark_mac() {
	case $1 in
	hmac_md5_96) echo "HMAC-MD5-96 [RFC2403]" ;;
	hmac_sha1_96) echo "HMAC-SHA-1-96 [RFC2404]" ;;
	hmac_sha2_256_128) echo "HMAC-SHA-256-128 [RFC4868]" ;;
	hmac_sha2_384_192) echo "HMAC-SHA-384-192 [RFC4868]" ;;
	hmac_sha2_512_256) echo "HMAC-SHA-512-256 [RFC4868]" ;;
	-) echo "NULL" ;;
	esac
}

key_for_shark() { if [ "$1" = - ]; then echo; else echo "0x$1"; fi; }

# Echo requests that tshark finds inside the ESP of one direction, its ICV checked.
shark_requests() {
	local home=$LAB_DIR/shark
	mkdir -p "$home"
	printf '"IPv4","192.0.2.1","192.0.2.2","0x%08x","%s","%s","%s","%s"\n' "$1" "$(shark_cipher "$2")" \
		"$(key_for_shark "$CIPHER_KEY")" "$(shark_mac "$3")" "$(key_for_shark "$MAC_KEY")" >"$home/esp_sa"
	WIRESHARK_CONFIG_DIR=$home tshark -r "$LAB_DIR/$4.pcap" -o esp.enable_encryption_decode:TRUE \
		-o esp.enable_authentication_check:TRUE -Y "esp.spi == $1 && icmp.type == 8 && esp.icv_good == 1" 2>/dev/null | wc -l
}

# AH packets of one SA whose ICV is what Python's hmac makes of RFC 4302; anything else is an error.
cat >"$LAB_DIR/ah.py" <<'PY'
import hmac, struct, sys
data, spi, hash_, key = open(sys.argv[1], 'rb').read(), int(sys.argv[2]), sys.argv[3], bytes.fromhex(sys.argv[4])
at, good = 24, 0
while at + 16 <= len(data):
	n = struct.unpack('<I', data[at + 8:at + 12])[0]
	ip = bytearray(data[at + 16 + 14:at + 16 + n])
	at += 16 + n
	if len(ip) < 32 or ip[9] != 51 or struct.unpack('>I', ip[24:28])[0] != spi or ip[6] & 0x20 or (ip[6] & 0x1f) + ip[7]:
		continue
	ip = ip[:struct.unpack('>H', ip[2:4])[0]]
	end = 20 + (ip[21] + 2) * 4
	icv = bytes(ip[32:end])
	ip[1] = ip[6] = ip[7] = ip[8] = ip[10] = ip[11] = 0
	ip[32:end] = bytes(end - 32)
	if hmac.new(key, ip, hash_).digest()[:end - 32] != icv:
		sys.exit('an ICV is wrong')
	good += 1
print(good)
PY

spi=4096
for suite in aes128_cbc:hmac_sha1_96 aes192_cbc:hmac_sha2_256_128 aes256_cbc:hmac_sha2_512_256 \
	aes128_cbc:hmac_sha2_384_192 3des_cbc:hmac_md5_96 null:hmac_sha2_256_128 \
	aes128_gcm_16:- aes256_gcm_16:- aes128_gcm_12:- aes128_gcm_8:- -:hmac_sha1_96 -:hmac_sha2_512_256; do
	cipher=${suite%:*} mac=${suite#*:}
	klips_tunnel $spi "$cipher" "$mac"
	lab_capture "wire$spi" wire br0
	for size in 0 1 56 1300 1368 1369 1400 1472; do
		lab_in ehost ping -n -q -M dont -c 1 -W 2 -s $size 10.0.2.9 >/dev/null || lab_fail "$suite: no answer to a ping of $size octets"
	done
	lab_in whost ping -n -q -c 3 -i 0.2 -W 2 10.0.1.9 >/dev/null || lab_fail "$suite: no answer in the other direction"
	lab_in ehost ping -n -q -M dont -c 1 -W 2 -s 8000 10.0.2.9 >/dev/null || lab_fail "$suite: no answer to a ping of 8000 octets"
	sleep 0.3
	lab_stop "wire$spi" INT
	[ "$(lab_count "wire$spi" 'not arp and not esp and not ah')" = 0 ] || lab_fail "$suite: something left in clear"
	klips_say east read "$([ "$cipher" = - ] && echo ah || echo esp)" 192.0.2.2 $spi
	[ "$(klips_value packets)" -ge 18 ] || lab_fail "$suite: the packets were not counted: $KLIPS_ANSWER"
	if [ "$cipher" != - ]; then
		found=$(shark_requests $spi "$cipher" "$mac" "wire$spi")
		[ "$found" -ge 8 ] || lab_fail "$suite: tshark decrypts only $found echo requests"
		lab_ok "$suite: pings pass, only ESP on the wire, tshark decrypts $found of them"
	else
		case $mac in *sha1*) hash=sha1 ;; *sha2_512*) hash=sha512 ;; esac
		found=$(python3 "$LAB_DIR/ah.py" "$LAB_DIR/wire$spi.pcap" $spi "$hash" "$MAC_KEY") || lab_fail "$suite: $found"
		[ "$found" -ge 8 ] || lab_fail "$suite: only $found AH packets to check"
		lab_ok "$suite: pings pass, only AH on the wire, and the ICV of $found is right"
	fi
	spi=$((spi + 16))
done

# The old SAs are still there, the eroute names the newest: the others do not count any more.
klips_say east read esp 192.0.2.2 4096
before=$(klips_value packets)
lab_ping ehost 10.0.2.9 3 >/dev/null || lab_fail "no answer at last"
klips_say east read esp 192.0.2.2 4096
[ "$(klips_value packets)" = "$before" ] || lab_fail "a superseded SA was used"
lab_ok "a replaced eroute moves all traffic to the new SA"

# The peer may still send by the first SA.
klips_say east read esp 192.0.2.1 4097
before=$(klips_value packets)
klips_say west eroute 10.0.2.0/24 10.0.1.0/24 sa esp 192.0.2.1 4097
lab_ping ehost 10.0.2.9 3 >/dev/null || lab_fail "what comes by a superseded SA is not taken"
klips_say east read esp 192.0.2.1 4097
[ $(($(klips_value packets) - before)) = 3 ] || lab_fail "the answers came by another SA: $KLIPS_ANSWER"
lab_ok "what comes by a superseded SA is still taken"
lab_end
