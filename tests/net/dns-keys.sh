#!/bin/bash
# Public keys from the DNS, by a real name server with zones that are signed, not signed, and signed wrongly: what is proved works, the
# rest is refused unless --insecure-dnskeys; a name server that never answers holds up nobody else.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
: "${RSASIGKEY:=$top_builddir/src/rsasigkey}"
PATH=$PATH:/usr/sbin

lab_begin "keys from the DNS" ping nsd ldns-keygen ldns-signzone ldns-key2ds python3
pluto_need
[ -x "$RSASIGKEY" ] || lab_skip "$RSASIGKEY is not built"
"$PLUTO" --version | grep -q 'without libunbound' && lab_skip "this pluto was built without libunbound"
PLUTO_DNS=
server=192.0.2.53@5353
hole=192.0.2.53@5354
clients='--client 10.0.1.0/24 --to'

# ---- keys and zones
for id in east west wrong; do
	mkdir -p "$LAB_DIR/$id"
	(umask 077; "$RSASIGKEY" --bits 2048 >"$LAB_DIR/$id/secrets") || lab_fail "no key could be made"
done
key_of() { "$RSASIGKEY" --pubkey "$LAB_DIR/$1/secrets" | sed -n 's/^0s//p'; }
print_of() { sed -n 's/.*fingerprint //p' "$LAB_DIR/$1/secrets"; }
east=$(key_of east) west=$(key_of west) wrong=$(key_of wrong)
[ -n "$east" ] && [ -n "$west" ] || lab_fail "no public keys"

zone() {	# NAME RECORD...
	local name=$1
	shift
	printf '%s\n' "\$ORIGIN $name." '$TTL 300' '@ SOA ns hostmaster 1 3600 600 86400 60' '@ NS ns' 'ns A 192.0.2.53' "$@" \
		>"$LAB_DIR/dns/$name"
}
sign() {	# NAME: with a new key, whose DS is a trust anchor
	local key
	(cd "$LAB_DIR/dns" && key=$(ldns-keygen -a ECDSAP256SHA256 -k "$1" 2>/dev/null) && ldns-key2ds -n -2 "$key.key" >>anchors &&
		ldns-signzone -n "$1" "$key") || lab_fail "the zone $1 is not signed"
}
mkdir -p "$LAB_DIR/dns"
# KEY with the flags of a host's key, IPSECKEY with each kind of gateway; what must not be used stands among them.
zone example "east KEY 16896 4 1 $east" "west KEY 16896 4 5 $west" "west KEY 49664 4 5 $wrong" "west KEY 16896 3 5 $wrong" \
	"named IPSECKEY 10 3 2 gw.example. $west" "text TXT \"X-IPsec-Server(10)=192.0.2.2 ${west:0:200}\"" "other KEY 16896 4 3 $west" \
	"two IPSECKEY 10 0 2 . $west" "two IPSECKEY 5 2 2 2001:db8::1 $wrong" "bad KEY 16896 4 1 AQPA/+4="
zone 2.0.192.in-addr.arpa "1 IPSECKEY 10 1 2 192.0.2.1 $east" "2 IPSECKEY 10 0 2 . $west"
zone forged "west KEY 16896 4 1 $west"
zone plain "east KEY 512 255 1 $east" "west KEY 512 255 1 $west"
for name in example 2.0.192.in-addr.arpa forged; do
	sign "$name"
done
# The signatures stay, the key is another one.
sed -i "/^west\.forged\..*[[:space:]]KEY[[:space:]]/s|4 1 .*|4 1 $wrong|" "$LAB_DIR/dns/forged.signed"
cat >"$LAB_DIR/dns/nsd.conf" <<EOF
server:
	ip-address: $server
	username: ""
	chroot: ""
	zonesdir: "$LAB_DIR/dns"
	database: ""
	zonelistfile: "$LAB_DIR/dns/zone.list"
	xfrdfile: "$LAB_DIR/dns/xfrd.state"
	pidfile: "$LAB_DIR/dns/nsd.pid"
	server-count: 1
remote-control:
	control-enable: no
$(for name in example.signed 2.0.192.in-addr.arpa.signed forged.signed plain; do
	printf 'zone:\n\tname: "%s"\n\tzonefile: "%s"\n' "${name%.signed}" "$name"
done)
EOF

lab_gateways
ip -n "$LAB_PREFIX-wire" addr add 192.0.2.53/24 dev br0
lab_start nsd wire nsd -d -c "$LAB_DIR/dns/nsd.conf"
lab_wait 10 "name server" grep -q 'nsd started' "$LAB_DIR/nsd.log"
lab_start hole wire python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.53", 5354))
time.sleep(600)'

begin() {	# ID OPTION...
	local id=$1
	shift
	pluto_start "$id" "$id" --dns-anchor "$LAB_DIR/dns/anchors" "$@"
	pluto_whack "$id" --listen >"$LAB_DIR/$id.listen.log" 2>&1 || lab_fail "pluto $id does not listen"
}
both() { pluto_whack east "$@" && pluto_whack west "$@"; }
describe() {	# NAME EAST-ID WEST-ID OPTION...
	local name=$1 e=$2 w=$3
	shift 3
	# shellcheck disable=SC2086 # words
	lab_check "$name described: $e, $w" both --delete --name "$name" --id "$e" --host 192.0.2.1 $clients --id "$w" --host 192.0.2.2 \
		--client 10.0.2.0/24 --encrypt "$@"
}
looked_up() {	# STATUS ID PATTERN
	local status
	pluto_whack east --keyid "$2" >"$LAB_DIR/lookup.log" 2>&1
	status=$?
	[ $status = "$1" ] || lab_fail "--keyid $2: status $status, not $1"
	grep -q -- "$3" "$LAB_DIR/lookup.log" || lab_fail "--keyid $2: not '$3'"
	lab_ok "--keyid $2: $3"
}

# ---- what DNSSEC proves
begin east --dns-server "$server" --record "$LAB_DIR/east.record"
begin west --dns-server "$server"
looked_up 0 @west.example "from the DNS, proved by DNSSEC.*$(print_of west)"
lab_check "one key only: the others are for something else" eval \
	'pluto_whack east --status | grep -c "RSA public key of @west.example, from the DNS, proved by DNSSEC" | grep -qx 1'
lab_check "in JSON, too" eval 'pluto_whack east --status --json | grep -q "\"source\":\"dns\""'
looked_up 0 @NAMED.example "$(print_of west)"
looked_up 0 @two.example "$(print_of wrong)"
lab_check "all keys, by precedence" eval "tail -n 2 '$LAB_DIR/lookup.log' | tail -n 1 | grep -q '$(print_of west)'"
looked_up 0 192.0.2.2 "RSA public key of 192.0.2.2, from the DNS, proved by DNSSEC"

# ---- what it does not
looked_up 28 @text.example 'IPSECKEY and KEY records: none'
looked_up 28 @nobody.example 'IPSECKEY and KEY records: none'
looked_up 28 @other.example 'of no use: it is not an RSA key'
looked_up 28 @bad.example 'of no use: the modulus has less than 1024 bits'
looked_up 28 @west.plain 'not used, DNSSEC does not prove them: the zone is not signed'
looked_up 28 @west.forged 'the answer is bogus'
looked_up 43 west@example 'only addresses and @FQDN are looked up'
looked_up 43 '@a\\032b.example' 'not the name of a host'

# ---- negotiations that need the keys
describe net @east.example @west.example --rsasig
lab_check "negotiated with keys from the DNS" pluto_whack east --name net --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
lab_check "west has looked for east's key" grep -q 'looking up the RSA public key of @east.example in the DNS: east.example.' "$LAB_DIR/west.log"
lab_check "terminated" pluto_whack east --name net --terminate
describe net 192.0.2.1 192.0.2.2 --rsasig
lab_check "negotiated with keys of the reverse names" pluto_whack west --name net --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
lab_check "west has looked for the address" grep -q 'in the DNS: 1.2.0.192.in-addr.arpa.' "$LAB_DIR/west.log"
lab_check "terminated" pluto_whack west --name net --terminate
describe net @east.plain @west.plain --rsasig
pluto_whack east --name net --initiate >"$LAB_DIR/plain.log" 2>&1 && lab_fail "negotiated with keys that nothing proves"
lab_check "refused before a message is sent" grep -q 'nor was one found in the DNS: .*does not prove them' "$LAB_DIR/plain.log"

# ---- the responder: west takes what is not proved, east does not
pluto_stop west
begin west --dns-server "$server" --insecure-dnskeys
lab_check "west warns" grep -q 'insecure-dnskeys: whoever can forge' "$LAB_DIR/west.log"
describe net @east.plain @west.plain --rsasig
pluto_whack west --name net --initiate --asynchronous >"$LAB_DIR/initiate.log" 2>&1
lab_wait 15 "refusal of east" grep -q 'for @west.plain, the peer of connection "net", nor was one found in the DNS' "$LAB_DIR/east.log"
lab_ok "east, answering, refuses and says why"
pluto_whack west --name net --terminate >"$LAB_DIR/terminate.log" 2>&1
pluto_stop east
lab_check "the recording runs again" "$PLUTO" --replay "$LAB_DIR/east.record"
begin east --dns-server "$server" --insecure-dnskeys
describe net @east.plain @west.plain --rsasig
lab_check "negotiated with keys that nothing proves" pluto_whack west --name net --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
lab_check "the status says so" eval 'pluto_whack east --status | grep -q "RSA public key of @west.plain, from the DNS, NOT PROVED by DNSSEC"'
lab_check "for all keys" eval 'pluto_whack east --status | grep -q "insecure-dnskeys: public keys from the DNS are used"'
looked_up 28 @west.forged 'the answer is bogus'
pluto_stop east
pluto_stop west

# ---- a name server that never answers
begin east --dns-server "$hole"
begin west --dns-server "$hole"
describe net @east.example @west.example --rsasig
lab_check "another connection, by secret" both --name other --host 192.0.2.1 --client 10.0.1.9/32 --to --host 192.0.2.2 \
	--client 10.0.2.9/32 --encrypt --psk
for id in east west; do
	pluto_secret "$id" "not for general consumption"
done
lab_check "secrets read" both --listen
began=$SECONDS
pluto_whack east --name net --initiate >"$LAB_DIR/hole.log" 2>&1 &
waits=$!
lab_wait 5 "question to the name server" grep -q 'looking up the RSA public key of @west.example' "$LAB_DIR/east.log"
lab_check "others are negotiated meanwhile" timeout 5 "$WHACK" --ctlbase "$LAB_DIR/east/pluto" --name other --initiate
lab_check "pings go through" lab_ping ehost 10.0.2.9 3
kill -0 $waits 2>/dev/null || lab_fail "nothing was waited for"
lab_ok "the one that needs the key still waits"
lab_check "the status shows it" eval 'pluto_whack east --status | grep -q "negotiating with 192.0.2.2:500 as initiator, try 1: beginning"'
wait $waits && lab_fail "negotiated without a key"
[ $((SECONDS - began)) -le 15 ] || lab_fail "it took $((SECONDS - began)) s to give up"
lab_check "it ends with a reason" grep -q 'nor was one found in the DNS: no answer within 10 s' "$LAB_DIR/hole.log"
pluto_stop east
pluto_stop west
lab_ok "both end, although the DNS has not answered"
lab_end
