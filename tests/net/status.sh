#!/bin/bash
# What whack --status tells of connections in every condition, as lines, in brief, and as JSON that its schema allows.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "whack --status" ping python3
python3 -c 'import jsonschema' 2>/dev/null || lab_skip "python3-jsonschema is not installed"
pluto_need
schema=$here/../../docs/status.schema.json
status() { pluto_whack east --status "$@" >"$LAB_DIR/status.log" 2>&1; }
tells() { # TEXT PATTERN
	lab_check "$1" grep -Eq -e "$2" "$LAB_DIR/status.log"
}
json() { # TEXT EXPRESSION...
	local text=$1
	shift
	pluto_whack east --status --json >"$LAB_DIR/status.json" 2>"$LAB_DIR/status.log" || lab_fail "whack --status --json"
	lab_check "$text" sh -c 'schema=$1; json=$2; shift 2; python3 "$0" "$schema" "$@" <"$json"' \
		"$here/status_check.py" "$schema" "$LAB_DIR/status.json" "$@"
}

pluto_secret east "of no consequence"
pluto_secret west "of no consequence"
lab_gateways
for id in east west; do
	pluto_start "$id" "$id"
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack "$id" $PLUTO_SECRET >"$LAB_DIR/$id.add.log" 2>&1 || lab_fail "pluto $id refuses the connection"
done

status
tells "not listening is told, with what to do" 'NOT LISTENING \(whack --listen\)'
lab_check "and nothing is counted" eval '! grep -q "refused\|WEAK\b.*up" "$LAB_DIR/status.log"'
tells "and that a connection is not usable yet" '"secret" unoriented: 10\.0\.1\.0/24===192\.0\.2\.1\.\.\.192\.0\.2\.2===10\.0\.2\.0/24$'
json "before listening the JSON is as its schema" 'not status["listening"]' \
	'connection["secret"]["not_oriented"]["reason"] == "not_oriented_yet"' 'connection["secret"]["ours"] == "none"' \
	'status["totals"]["refusals"] == {}' 'status["totals"]["weak_sas"] == 0'
for id in east west; do
	pluto_whack "$id" --listen >"$LAB_DIR/$id.listen.log" 2>&1 || lab_fail "pluto $id does not listen"
done

add() { pluto_whack east "$@" >"$LAB_DIR/add.log" 2>&1 || lab_fail "whack $*"; }
add --name weak --host 192.0.2.1 --to --host 192.0.2.2 --client 10.9.0.0/24 --ike 3des-sha1-modp1024 --esp 3des-md5 --encrypt --pfs
lab_check "weak algorithms are told when they are described" grep -q '^002 "weak": sha1, 3des_cbc, hmac_md5_96, modp1024 may be agreed on, which is weak; ' "$LAB_DIR/add.log"
add --name lost --host 192.0.2.77 --to --host 192.0.2.78 --encrypt
add --name road --host 192.0.2.1 --to --id @road --host %any --encrypt
add --name nobody --host 192.0.2.1 --to --host 192.0.2.99 --nexthop 192.0.2.2 --encrypt --rekeymargin 10 --keyingtries 7
add --name held --host 192.0.2.1 --to --host 192.0.2.98 --ikeport 4711 --encrypt --authenticate
add --route held
add --initiate --asynchronous nobody
add --initiate secret
lab_check "pings go through" lab_ping ehost 10.0.2.9 3

status
tells "the head: version, kernel, how many are up" '^000 pluto [0-9.]+, kernel klips; listening; 6 connections, 1 up$'
tells "the interface" '^000   interface ipsec[01]/wan 192\.0\.2\.1$'
tells "up: what carries the traffic" 'routed on ipsec[01] via 192\.0\.2\.2: traffic goes through #[0-9]+$'
tells "an ISAKMP SA: seconds left, when it is replaced, algorithms, method, role, last message" \
	'^000     #[0-9]+ ISAKMP SA with 192\.0\.2\.2:500: 3[56][0-9]{2} s left, rekeyed in [0-9]+ s; aes256-sha256-modp2048, PRESHARED_KEY, initiator; peer heard [0-9]+ s ago; NAT traversal by RFC 3947: no NAT found, our port 500$'
tells "an IPsec SA: its parent, what it does, seconds left" \
	'^000     #[0-9]+ IPsec SA under #[0-9]+, carries the traffic: 28[78][0-9]{2} s left, rekeyed in [0-9]+ s; aes256gcm16, tunnel, initiator$'
tells "its SPIs and traffic" \
	'^000        ESP in 0x[0-9a-f]{8}: 3 packets, 252 octets, last [0-9]+ s ago; out 0x[0-9a-f]{8}: 3 packets, 252 octets, last [0-9]+ s ago$'
tells "why the peer is thought alive" '^000     peer thought alive by: packet through an IPsec SA [0-9]+ s ago, message of IKE [0-9]+ s ago$'
tells "weak algorithms of a connection" 'WEAK: sha1, 3des_cbc, hmac_md5_96, modp1024 may be agreed on'
tells "its own algorithms as --ike and --esp take them" '--ike 3des-sha1-modp1024$'
tells "why a connection is not oriented" 'not usable: .*neither 192\.0\.2\.77 nor 192\.0\.2\.78 is an address of this host'
tells "and the remedy" 'remedy: .*whack --listen'
tells "a negotiation: state, repetitions, next step" \
	'#[0-9]+ negotiating with 192\.0\.2\.99:500 as initiator, try 1: MAIN_I1, .*; sent 1 time; next step in [0-9]+ s$'
tells "a trap" '"held" trapped: 192\.0\.2\.1\.\.\.192\.0\.2\.98:4711$'
tells "a template" '"road" template: 192\.0\.2\.1\.\.\.%any\[@road\]$'
tells "margins and tries as described" 'rekeymargin 10 s, rekeyfuzz 100%, keyingtries 7$'
status secret
lab_check "of one connection only that" eval '! grep -q "held\|interface ipsec" "$LAB_DIR/status.log"'
tells "with the policy spelled out" '--ike aes256-sha256-modp2048,.* \(policy modern\)$'
status --brief
lab_check "in brief one line for each connection" [ "$(wc -l <"$LAB_DIR/status.log")" = 6 ]
tells "with condition, ends, seconds left" '^000 up +"secret" 10\.0\.1\.0/24===192\.0\.2\.1\.\.\.192\.0\.2\.2===10\.0\.2\.0/24 #[0-9]+ 28[0-9]{3} s left$'

json "the JSON is as its schema, and says the same" 'status["totals"]["connections"] == 6' \
	'status["totals"]["connections_up"] == 1' 'status["totals"]["sas"] == 3' \
	'{n: c["condition"] for n, c in connection.items()} == {"secret": "up", "weak": "down", "lost": "unoriented", "road": "template", "nobody": "negotiating", "held": "trapped"}' \
	'connection["secret"]["sas"][1]["protocols"][0]["in"]["packets"] == 3' \
	'connection["secret"]["sas"][1]["serial"] == connection["secret"]["newest_ipsec_sa"]' \
	'connection["secret"]["sas"][1]["parent"] == connection["secret"]["sas"][0]["serial"]' \
	'connection["weak"]["policy"]["weak"] == "sha1, 3des_cbc, hmac_md5_96, modp1024"' \
	'connection["weak"]["policy"]["ike"] == {"algorithms": "3des-sha1-modp1024", "policy": None}' \
	'connection["nobody"]["right"]["nexthop"] == "192.0.2.2"' 'connection["held"]["right"]["ikeport"] == 4711' \
	'connection["secret"]["alive"]["by"] == "traffic" and connection["secret"]["alive"]["traffic"] <= connection["secret"]["alive"]["ike"] + 1' \
	'connection["secret"]["alive"]["asked"] is None' 'connection["held"]["alive"] is None' \
	'connection["nobody"]["sas"][0]["state"] == "MAIN_I1"'
pluto_whack east --status --json nobody-knows >"$LAB_DIR/status.json" 2>"$LAB_DIR/status.log"
lab_check "an unknown name: status 21" [ $? = 21 ]
lab_check "and nothing that could be taken for JSON" [ ! -s "$LAB_DIR/status.json" ]

# klips stopped: the traffic is not known, and the answer comes all the same.
klips=$(pgrep -P "${LAB_PID[east]}" -x klips) || lab_fail "pluto has no klips"
for pid in $klips; do kill -STOP "$pid"; done
status
for pid in $klips; do kill -CONT "$pid"; done
tells "a kernel that does not answer does not stop it" 'ESP in 0x[0-9a-f]{8}: \(traffic not known\); out'
lab_check "afterwards it is known again" sh -c '"$0" --ctlbase "$1" --status | grep -q ": 3 packets, 252 octets"' \
	"$WHACK" "$LAB_DIR/east/pluto"
add --terminate nobody
add --initiate secret
status secret
tells "a superseded SA still receives" 'superseded, still receives: [0-9]+ s left; aes256gcm16'
# What was refused, and what is weak, in numbers.
for id in east west; do
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack "$id" --delete $PLUTO_SECRET --ike 3des-sha1-modp1024 --esp 3des-sha1 >"$LAB_DIR/add.log" 2>&1 || lab_fail "weak algorithms for $id"
done
add --initiate secret
status
tells "two weak SAs" '^000 2 SAs up are WEAK$'
for i in 1 2 3; do pluto_whack east --initiate lost >"$LAB_DIR/lost.log" 2>&1 && lab_fail "try $i: what is not oriented is initiated"; done
status
tells "with what was refused" '^000 2 SAs up are WEAK; refused: neither_end 3$'
status secret
lab_check "of one connection: no totals" eval '! grep -q "SAs up are" "$LAB_DIR/status.log"'
json "the same in JSON" 'status["totals"]["weak_sas"] == 2' 'status["totals"]["refusals"] == {"neither_end": 3}'
pluto_stop east
pluto_stop west
lab_ok "both end"
lab_end
