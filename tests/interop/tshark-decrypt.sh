#!/bin/bash
# tshark as an independent reader: with the keys that pluto --wireshark-keys wrote, it must decrypt a whole session.
#   tshark-decrypt.sh CAPTURE KEYS     KEYS: a folder with ikev1_decryption_table and, for ESP, esp_sa
# Succeeds if Main Mode's last two messages and every Quick Mode message show well-formed payloads, and every ESP packet
# decrypts and has a good ICV. Without arguments it reads a session of other implementations, to show that it reads at all.
here=$(cd "$(dirname "$0")" && pwd)
command -v tshark >/dev/null || { echo "SKIP: tshark is not installed"; exit 77; }

# Lines "number;exchange;encrypted;payloads;malformed", one for each IKE message.
messages() {
	WIRESHARK_CONFIG_DIR=$2 tshark -r "$1" -Y isakmp -T fields -E separator=';' -e frame.number -e isakmp.exchangetype \
		-e isakmp.flag_e -e isakmp.typepayload -e _ws.malformed 2>/dev/null
}

# Lines "number;good ICV;inner protocol numbers", one for each ESP packet.
packets() {
	WIRESHARK_CONFIG_DIR=$2 tshark -r "$1" -o esp.enable_encryption_decode:TRUE -o esp.enable_authentication_check:TRUE \
		-Y esp -T fields -E separator=';' -e frame.number -e esp.icv_good -e esp.protocol -e ip.proto 2>/dev/null
}

decrypt() {
	local capture=$1 keys=$2
	messages "$capture" "$keys" | awk -F';' '
		# A message that is sent again is decrypted with the wrong IV by tshark: only the first of its kind counts.
		$3 != 1 { next }
		$2 == 2 && $4 ~ /^5(,|$)/ && $5 == "" { main++; next }
		$2 == 32 && $4 ~ /^8(,|$)/ && $5 == "" { quick++; next }
		$2 == 5 { informational++; next }
		{ bad++; print "message " $1 " does not decrypt" }
		END {
			printf "Main Mode %d, Quick Mode %d messages decrypted\n", main, quick
			exit !(main >= 2 && quick >= 3 && bad <= '"${3:-0}"')
		}' || return 1
	[ -e "$keys/esp_sa" ] || return 0
	packets "$capture" "$keys" | awk -F';' '
		$2 == 1 && $4 ~ /^50,/ { good++; next }
		{ bad++; print "ESP packet " $1 " does not decrypt" }
		END { printf "ESP %d packets decrypted, ICV good\n", good; exit !(good > 0 && bad == 0) }'
}

if [ $# = 2 ]; then
	decrypt "$1" "$2"
	exit
fi
keys=$(mktemp -d) || exit 1
trap 'rm -rf "$keys"' EXIT
echo 'fafaeb49382a763c,735be0cb62f82675c4f7bf8fbab9b56834ba76d6ab4fa240' >"$keys/ikev1_decryption_table"
# One message of that session was sent twice.
decrypt "$here/../captures/ikev1-certs.pcap" "$keys" 1 || exit 1
echo 'fafaeb49382a763c,000000000000000000000000000000000000000000000000' >"$keys/ikev1_decryption_table"
if decrypt "$here/../captures/ikev1-certs.pcap" "$keys" 1 >/dev/null; then
	echo "FAIL: a wrong key decrypts it, too"
	exit 1
fi
echo "PASS: a wrong key does not"
