#!/bin/bash
# A NAT between, and ESP without UDP: the NAT drops it, and whoever sees the NAT says so, in the log, to whack and in the
# status, with what to do. That done, nobody says it any more.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"
. "$here/nat.sh"

status() { pluto_whack "$1" --status >"$LAB_DIR/$1.status.log" 2>&1; }
# warned ID PATTERN REMEDY: in the log and in the status.
warned() {
	lab_check "$1 warns in its log" grep -q -e "$2" "$LAB_DIR/$1.log"
	status "$1"
	lab_check "and in its status" grep -q "^000        NAT: .*$2" "$LAB_DIR/$1.status.log"
	lab_check "with what to do" grep -q "^000        remedy: $3" "$LAB_DIR/$1.status.log"
}
# json ID EXPRESSION: w is what its ISAKMP SA is said to lack.
json() {
	pluto_whack "$1" --status --json >"$LAB_DIR/status.json"
	python3 - "$LAB_DIR/status.json" "$2" "$here/../../docs/status.schema.json" <<-'EOF'
		import json, sys
		status = json.load(open(sys.argv[1]))
		w = [s["nat_unserved"] for c in status["connections"] for s in c["sas"] if s["kind"] == "isakmp" and s["status"] == "established"]
		assert w and all(eval(sys.argv[2]) for w in w), w
		try:
		    import jsonschema
		except ImportError:
		    sys.exit(0)
		jsonschema.validate(status, json.load(open(sys.argv[3])))
	EOF
}
# connection ID OPTION...
connection() {
	local id=$1
	shift
	if [ "$id" = west ]; then
		lab_check "west takes anybody: $*" pluto_whack west --delete --name road --host 192.0.2.2 --client 10.0.2.0/24 --to \
			--host %any --id @east --client 10.0.1.0/24 --encrypt --psk "$@"
	else
		lab_check "east knows west: $*" pluto_whack east --delete --name road --host 10.9.0.5 --id @east --client 10.0.1.0/24 \
			--to --host 192.0.2.2 --client 10.0.2.0/24 --encrypt --psk "$@"
	fi
}
initiate() {
	pluto_whack east --initiate --name road >"$LAB_DIR/initiate.log" 2>&1 || lab_fail "east does not negotiate"
}

lab_begin "ESP without UDP where there is a NAT"
nat_need
pluto_need
nat_lab
if nat_by_iptables; then
	lab_in nat iptables-legacy -w -A FORWARD -p esp -j DROP
else
	lab_in nat nft add table ip drops
	lab_in nat nft add chain ip drops forward '{ type filter hook forward priority 0; }'
	lab_in nat nft add rule ip drops forward ip protocol esp drop
fi
nat_pluto east
nat_pluto west
for id in east west; do
	connection "$id" --encapsulation no
done
lab_capture lan nat in
lab_capture wire wire br0
initiate
lab_check "negotiated all the same" grep -q '^004 .*IPsec SA established' "$LAB_DIR/initiate.log"
lab_check "but nothing goes through" eval '! lab_ping ehost 10.0.2.9 2'
lab_check "ESP comes to the NAT" [ "$(lab_count lan esp)" -ge 2 ]
lab_check "and not out of it" [ "$(lab_count wire esp)" = 0 ]
forbidden='and --encapsulation no has ESP go without UDP'
lab_check "whack, which waits, is told" grep -q "^003 \"road\" #1: .*of our address, 10.9.0.5, and the peer's, 192.0.2.2, one is private.*$forbidden" \
	"$LAB_DIR/initiate.log"
lab_check "with what to do" grep -q '^000 remedy: leave --encapsulation no out at both ends' "$LAB_DIR/initiate.log"
warned east "$forbidden" 'leave --encapsulation no out'
warned west "the peer sends from port 2[0-9]*, not 500.*$forbidden" 'leave --encapsulation no out'
lab_check "also in JSON" json west 'w["reason"] == "natt_forbidden" and "leave" in w["remedy"]'

connection east
initiate
warned east 'because the peer does no NAT traversal' 'let both ends do NAT traversal'
lab_check "also in JSON" json east 'w["reason"] == "natt_unused"'

connection west
connection east
initiate
lab_check "without it pings go through" lab_ping ehost 10.0.2.9 3
for id in east west; do
	status "$id"
	lab_check "$id has nothing to say in its status" eval '! grep -q "NAT: " "$LAB_DIR/$id.status.log"'
	lab_check "nor in JSON" json "$id" 'w is None'
done
lab_check "nor has whack" eval '! grep -q "remedy" "$LAB_DIR/initiate.log"'
pluto_stop east
pluto_stop west

nat_pluto east --no-nat-traversal
nat_pluto west
connection east
connection west
initiate
warned east '--no-nat-traversal has ESP go without UDP' 'leave --no-nat-traversal out'
pluto_stop east
pluto_stop west
lab_ok "all end"
lab_end
