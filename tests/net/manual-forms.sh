#!/bin/bash
# The forms of whack as the manual has them: every option, the forms of identities and subnets, exit statuses, debugging.
# shellcheck disable=SC2119 # control_start takes options of pluto, not ours
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "the forms of whack"
getent hosts localhost >/dev/null || skip "localhost does not resolve"
control_start

told() { # TEXT PATTERN: the status of everything has a line like that
	whack --status >"$DIR/out" 2>&1
	grep -Eq -e "$2" "$DIR/out" || fail "$1"
	ok "$1"
}
untold() {
	whack --status >"$DIR/out" 2>&1
	! grep -Eq -e "$2" "$DIR/out" || fail "$1"
	ok "$1"
}
described() { says 0 "004 \"$2\": connection described" whack --name "$2" "${@:3}"; told "$1" "\"$2\" "; }

# Help
says 0 "connection -- describe a connection" whack --help
says 0 "whack " whack --version
says 0 "--ikelifetime" whack --help

# Before listening
described "a connection before pluto listens" early --host 127.0.0.1 --to --host 192.0.2.2 --encrypt --psk
says 24 "024 pluto is not listening" whack --initiate --name early
says 22 "022 \"early\" is not oriented yet" whack --route --name early
says 0 "004 listening for IKE messages" whack --listen
told "it has an orientation by listening" '"early" down: 127\.0\.0\.1\.\.\.192\.0\.2\.2'
says 0 "004 no longer listening" whack --unlisten
says 24 "024 pluto is not listening" whack --initiate --name early
says 0 "004 listening for IKE messages" whack --listen

# Options of all forms
printf -- '--name nested\n--optionsfrom %s\n--encrypt --psk\n' "$DIR/inner" >"$DIR/outer"
printf -- '--host 127.0.0.1 --to\n--host 192.0.2.3\n' >"$DIR/inner"
says 0 '004 "nested": connection described' whack --optionsfrom "$DIR/outer"
told "option files nest, their words stand in place of the option" '"nested" down: 127\.0\.0\.1\.\.\.192\.0\.2\.3$'
echo "--ctlbase $DIR/pluto" >"$DIR/options"
says 0 "listening" "$WHACK" --status --optionsfrom "$DIR/options"
says 1 "gate: whack: cannot reach pluto" "$WHACK" --ctlbase "$DIR/nobody" --status --label gate:
says 21 "021 no connection is named \"nobody\"" whack --label gate: --delete --name nobody
grep -q "gate:" "$DIR/out" && fail "the label stands before a line of pluto"
ok "a label stands before the messages of whack itself, not before those of pluto"

# Names
says 20 '020 there is a connection named "nested" already' whack --optionsfrom "$DIR/outer"
says 0 '004 "nested": described like this already, its SAs stay' whack --delete --optionsfrom "$DIR/outer"
says 0 '004 "nested": connection described' whack --delete --optionsfrom "$DIR/outer" --ikelifetime 1800
says 0 '004 "fresh": connection described' whack --delete --name fresh --host 127.0.0.1 --to --host 192.0.2.9
[ "$(wc -l <"$DIR/out")" = 1 ] || fail "--delete of nothing is not silent"
ok "--delete in the connection form says nothing when there was none"
says 0 "004 connection deleted" whack --delete --name fresh
says 21 "021 no connection is named \"fresh\"" whack --delete --name fresh
for form in "--initiate" "--terminate" "--route" "--unroute" "--delete" "--status" "--debug-none"; do
	says 21 "021 no connection is named \"fresh\"" whack "$form" --name fresh
done
says 1 "is no name of a connection" whack --name "a';reboot" --host 127.0.0.1 --to --host 192.0.2.9

# Ends: the flags before --to are of the left one, those after it of the right one, and either may be ours
described "the right end is ours" right --host 192.0.2.4 --to --host 127.0.0.1 --encrypt
told "its end is shown first" '"right" down: 127\.0\.0\.1\.\.\.192\.0\.2\.4$'
described "neither end" neither --host 192.0.2.5 --to --host 192.0.2.6 --encrypt
says 22 "neither 192.0.2.5 nor 192.0.2.6 is an address of this host" whack --initiate --name neither
described "both ends" both --host 127.0.0.1 --to --host 127.0.0.1 --encrypt
says 22 "both 127.0.0.1 and 127.0.0.1 are addresses of this host" whack --initiate --name both
says 34 "034 " whack --name none --to --encrypt

# Identities
described "an address" id1 --host 127.0.0.1 --id 203.0.113.1 --to --host 192.0.2.2
told "is shown" '"id1" down: 127\.0\.0\.1\[203\.0\.113\.1\]\.\.\.192\.0\.2\.2$'
described "a domain name" id2 --host 127.0.0.1 --id localhost --to --host 192.0.2.2
told "is resolved at once" '"id2" down: 127\.0\.0\.1\[127\.0\.0\.1\]\.\.\.'
says 0 '002 "id2": --id localhost was resolved just now: the identity is 127.0.0.1, and stays so when the name gets another address; write @localhost for the name itself, or the address' \
	whack --delete --name id2 --host 127.0.0.1 --to --host 192.0.2.2 --id localhost
says 0 '004 "id2": described like this already, its SAs stay' whack --delete --name id2 --host 127.0.0.1 --to --host 192.0.2.2 --id 127.0.0.1
for id in 127.0.0.1 0x7f000001 %any @localhost me@localhost '@[localhost]'; do
	whack --delete --name id2 --host 127.0.0.1 --to --host 192.0.2.2 --id "$id" >"$DIR/out" 2>&1 || fail "--id $id is refused"
	grep -q "resolved" "$DIR/out" && fail "--id $id is warned of as if it were resolved"
	ok "--id $id is not warned of"
done
described "@FQDN" id3 --host 127.0.0.1 --id @gw.example.invalid --to --host 192.0.2.2
told "is not resolved" '"id3" down: 127\.0\.0\.1\[@gw\.example\.invalid\]\.\.\.'
described "user@FQDN" id4 --host 127.0.0.1 --id me@example.invalid --to --host 192.0.2.2
told "is not resolved either" '"id4" down: 127\.0\.0\.1\[me@example\.invalid\]\.\.\.'
described "the name of a group" id5 --host 127.0.0.1 --id '@[sales]' --to --host 192.0.2.2 --id @#00ff
told "is shown as text, or in hexadecimal" '"id5" down: 127\.0\.0\.1\[@\[sales\]\]\.\.\.192\.0\.2\.2\[@#00ff\]$'
says 34 'a ] is missing behind @[' whack --name id6 --host 127.0.0.1 --id '@[sales' --to --host 192.0.2.2

# Hosts, ports, next hops, updown
described "a host by name" host1 --host localhost --to --host 192.0.2.2
told "is its address" '"host1" down: 127\.0\.0\.1\.\.\.192\.0\.2\.2'
described "a host by 0x" host2 --host 127.0.0.1 --to --host 0xc0000202
told "is its address" '"host2" down: 127\.0\.0\.1\.\.\.192\.0\.2\.2'
described "0.0.0.0" road1 --host 127.0.0.1 --to --host 0.0.0.0 --encrypt --psk
described "%any" road2 --host 127.0.0.1 --to --host %any --encrypt --psk
described "no host" road3 --host 127.0.0.1 --to --encrypt --psk
for i in 1 2 3; do told "a peer from anywhere" "\"road$i\" template: 127\.0\.0\.1\.\.\.%any$"; done
says 29 "029 the address of the peer of \"road1\" is not known" whack --initiate --name road1
described "a port of the peer" port --host 127.0.0.1 --to --host 192.0.2.2 --ikeport 4500
told "is shown" '"port" down: 127\.0\.0\.1\.\.\.192\.0\.2\.2:4500$'
for option in --nattport --natt-port; do
	described "$option" natt --delete --host 127.0.0.1 --to --host 192.0.2.2 "$option" 4600
	whack --status --json >"$DIR/out" 2>&1
	grep -q '"nattport":4600' "$DIR/out" || fail "$option is not shown"
	ok "$option is shown"
	whack --delete --name natt >"$DIR/out" 2>&1 || fail "not deleted"
done
described "any port of a Road Warrior" l2tp --host 127.0.0.1 --clientproto udp --clientport 1701 --to --host %any --clientproto udp \
	--clientport %any --encrypt --psk
told "is shown without a port" '"l2tp" template: 127\.0\.0\.1/32 udp:1701===127\.0\.0\.1\.\.\.%any===the host udp$'
described "a next hop" hop1 --host 127.0.0.1 --nexthop 127.0.0.9 --to --host 192.0.2.2 --encrypt
described "%direct" hop2 --host 127.0.0.1 --nexthop %direct --to --host 192.0.2.2 --encrypt
described "an updown command with words of its own" updown --host 127.0.0.1 --updown "/bin/echo one two" --to --host 192.0.2.2
whack --status --json >"$DIR/out" 2>&1
grep -q '"updown":"/bin/echo one two"' "$DIR/out" || fail "the updown command is not shown"
ok "the updown command is kept as it is"

# Subnets
subnet() {
	described "--client $1" "net$3" --host 127.0.0.1 --to --host 192.0.2.2 --client "$1" --encrypt --psk
	told "is $2" "\"net$3\" down: 127\.0\.0\.1\.\.\.192\.0\.2\.2===$2$"
}
subnet 10.0.0.0/8 10.0.0.0/8 1
subnet 10.0.0.0/255.0.0.0 10.0.0.0/8 2
subnet 10.1.2.3 10.1.2.3/32 3
subnet 0x0a000000/8 10.0.0.0/8 4
subnet localhost 127.0.0.1/32 5
subnet localhost/255.255.255.255 127.0.0.1/32 6
subnet %default 0.0.0.0/0 7
says 1 "bits are set beyond the mask" whack --name net8 --host 127.0.0.1 --to --host 192.0.2.2 --client 10.0.0.1/8

# Policy
described "--psk and --rsasig together" policy1 --host 127.0.0.1 --to --host 192.0.2.2 --psk --rsasig --encrypt --authenticate --pfs --tunnel
told "are shown with the others" 'policy PSK RSASIG ENCRYPT AUTHENTICATE TUNNEL PFS;'
says 34 "034 " whack --name policy2 --host 127.0.0.1 --to --host 192.0.2.2 --tunnel
says 1 "--ikelifetime 28801 is not a number from 1 to 28800" whack --name policy2 --to --ikelifetime 28801
says 1 "--ipseclifetime 86401 is not a number from 1 to 86400" whack --name policy2 --to --ipseclifetime 86401
whack --delete --name policy2 --host 127.0.0.1 --to --host 192.0.2.2 --encrypt >"$DIR/out" 2>&1
told "the defaults of lifetimes, margin, fuzz and tries" \
	'ikelifetime 3600 s, ipseclifetime 28800 s, rekeymargin 540 s, rekeyfuzz 100%, keyingtries 3$'
described "the largest lifetimes, a fuzz above 100, tries without end" policy3 --host 127.0.0.1 --to --host 192.0.2.2 \
	--ikelifetime 28800 --ipseclifetime 86400 --rekeymargin 60 --rekeyfuzz 250 --keyingtries 0
told "are taken as they are" 'ikelifetime 28800 s, ipseclifetime 86400 s, rekeymargin 60 s, rekeyfuzz 250%, keyingtries 0$'
described "the policy of 1999" policy4 --host 127.0.0.1 --to --host 192.0.2.2 --encrypt --policy freeswan
told "is 3DES, MD5 or SHA1, and the groups MODP768 and MODP1024, and called weak" \
	'WEAK: md5, sha1, 3des_cbc, hmac_md5_96, hmac_sha1_96, modp768, modp1024 '
described "no ESP, no AH, no PFS: an ISAKMP SA alone" policy5 --host 127.0.0.1 --to --host 192.0.2.2 --psk

# Public keys
key=0x03010001$(printf '%0254d' 0 | tr 0 9)b1
check "a public key in the form of RFC 2537" whack --keyid @peer.example.invalid --pubkeyrsa "$key"
told "a public key is kept with its identity" 'RSA public key of @peer\.example\.invalid: 1024 bits'
says 1 "--pubkeyrsa: not a hexadecimal digit" whack --keyid @peer --pubkeyrsa 0xzz
says 1 "--pubkeyrsa" whack --keyid @peer --pubkeyrsa 0s!!

# Initiate and terminate without an answer: progress, then a status; asynchronous at once
described "a peer that is not there" gone --host 127.0.0.1 --to --host 127.0.0.77 --encrypt --psk --keyingtries 1
began=$SECONDS
check "--asynchronous" whack --initiate --name gone --asynchronous
[ ! -s "$DIR/out" ] && [ $((SECONDS - began)) -le 2 ] || fail "--asynchronous waits, or tells"
ok "--asynchronous returns at once and tells nothing"
check "an ICMP error is logged with what it says" grep -Eq 'message to 127\.0\.0\.77:500 was not delivered: Connection refused \(ICMP type 3 code 3' "$DIR/log"
told "the negotiation goes on without whack" '#[0-9]+ negotiating with 127\.0\.0\.77'
says 0 '004 "gone": its SAs are deleted' whack --terminate --name gone
untold "terminated, the negotiation is over" '#[0-9]+ negotiating with 127\.0\.0\.77'
whack --initiate --name gone >"$DIR/stdout" 2>"$DIR/initiate" &
waiting=$!
for ((i = 0; i < 50; i++)); do
	grep -q '^102 ' "$DIR/initiate" && break
	sleep 0.1
done
check "the state reached is told with its number" grep -q '^102 "gone" #[0-9]*: MAIN_I1' "$DIR/initiate"
kill -0 "$waiting" || fail "whack does not wait"
whack --delete --name gone >"$DIR/out" 2>&1 || fail "whack --delete"
wait "$waiting"
[ $? = 38 ] || fail "the waiting whack does not end with the number of the last line"
ok "delete ends the negotiation; the exit status of the waiting whack is the number of its last line"
check "which is neither a comment nor a log line" grep -q '^038 ' "$DIR/initiate"
[ ! -s "$DIR/stdout" ] || fail "there is something on standard output, too"
ok "all of it went to standard error"
says 28 "028 " sh -c '"$0" --ctlbase "$1/pluto" --name nokey --host 127.0.0.1 --to --host 127.0.0.78 --rsasig --encrypt >/dev/null 2>&1
	exec "$0" --ctlbase "$1/pluto" --initiate nokey' "$WHACK" "$DIR"

# Debugging
debug_lines() { grep -c '| ' "$DIR/log"; }
before=$(debug_lines)
[ "$before" = 0 ] || fail "debugging output that nobody asked for"
says 0 "004 debugging output selected" whack --debug-raw --debug-emitting --debug-control --debug-parsing
whack --name talk --host 127.0.0.1 --to --host 127.0.0.79 --encrypt --psk >"$DIR/out" 2>&1
whack --initiate --asynchronous talk >"$DIR/out" 2>&1
sleep 0.3
[ "$(debug_lines)" -gt 3 ] || fail "no debugging output"
ok "debugging output is chosen on the fly, and begins with '| '"
check "the structure of what is emitted" grep -Eq '\| .*(SA|proposal|transform)' "$DIR/log"
whack --terminate talk >"$DIR/out" 2>&1
says 0 "004 debugging output selected" whack --debug-none
before=$(debug_lines)
whack --initiate --asynchronous talk >"$DIR/out" 2>&1
sleep 0.3
[ "$(debug_lines)" = "$before" ] || fail "debugging output after --debug-none"
ok "--debug-none silences it"
whack --terminate talk >"$DIR/out" 2>&1
says 0 "004 debugging output selected" whack --name talk --debug-raw --debug-emitting
whack --initiate --asynchronous early >"$DIR/out" 2>&1
sleep 0.3
[ "$(debug_lines)" = "$before" ] || fail "the flags of one connection work for another"
whack --initiate --asynchronous talk >"$DIR/out" 2>&1
sleep 0.3
[ "$(debug_lines)" -gt "$before" ] || fail "the flags of a connection do nothing"
ok "flags of a connection work while it is dealt with, and for no other"

says 0 "004 pluto is shutting down" whack --shutdown
wait "$PID" || fail "pluto ended with status $?"
PID=
[ ! -e "$DIR/pluto.pid" ] || fail "the lock file is left behind"
ok "shutdown ends pluto and frees the lock"

# --debug-* on the command line of pluto
control_start --debug-parsing --debug-emitting
whack --listen >"$DIR/out" 2>&1
whack --name talk --host 127.0.0.1 --to --host 127.0.0.79 --encrypt --psk >"$DIR/out" 2>&1
whack --initiate --asynchronous talk >"$DIR/out" 2>&1
sleep 0.3
[ "$(debug_lines)" -gt 3 ] || fail "pluto --debug-emitting shows nothing"
ok "pluto --debug-parsing --debug-emitting"
check "shows the structure of what is sent" grep -q '| .*sending MI1, [0-9]* octets' "$DIR/log"
check "and of its payloads" grep -q '| .*SA, Security Association: [0-9]* octets' "$DIR/log"
says 0 "004 debugging output selected" whack --debug-raw
whack --terminate talk >"$DIR/out" 2>&1
from=$(($(wc -l <"$DIR/log") + 1))
whack --initiate --asynchronous talk >"$DIR/out" 2>&1
sleep 0.3
tail -n "+$from" "$DIR/log" >"$DIR/out"
grep -q '| .*sent to 127\.0\.0\.79:500, [0-9]* octets: [0-9a-f]' "$DIR/out" || fail "--debug-raw shows no octets"
! grep -q '| .*\(sending MI1\|Security Association\)' "$DIR/out" || fail "what was selected before is shown still"
ok "later whack --debug-raw: raw octets alone"
control_end_pluto
control_end
