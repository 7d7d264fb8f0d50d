#!/bin/bash
# whack --print-conn: what was described is printed as options that describe the same, every one of them, at either end.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "descriptions printed"
control_start
: >"$DIR/all"

# prints TEXT LINE OPTION...: what these options describe is printed so, and read again it describes the same.
prints() {
	local text=$1 line=$2 got
	shift 2
	whack --delete --name x "$@" >"$DIR/out" 2>&1 || fail "$text: $*"
	got=$(whack --print-conn --name x 2>&1)
	[ "$got" = "--name x $line" ] || fail "$text: $got"
	printf '%s\n' "$got" >>"$DIR/all"
	printf '%s --delete\n' "$got" >"$DIR/batch"
	whack --batch "$DIR/batch" >"$DIR/out" 2>&1 || fail "$text: it cannot be read again"
	grep -q '^004 "x": described like this already' "$DIR/out" || fail "$text: it describes something else"
	eval "whack --delete $got" >"$DIR/out" 2>&1 || fail "$text: a shell cannot read it"
	grep -q '^004 "x": described like this already' "$DIR/out" || fail "$text: to a shell it is something else"
	ok "$text"
}
same() { prints "$1" "${*:2}" "${@:2}"; }

same "two hosts" --host 127.0.0.1 --to --host 127.0.0.2 --psk --encrypt
prints "defaults are left out, the order is that of the manual" "--host 127.0.0.1 --to --host 127.0.0.2 --psk --encrypt --pfs" \
	--keyingtries 3 --pfs --encrypt --host 127.0.0.1 --ikeport 500 --nattport 4500 --to --ikelifetime 3600 --psk --host 127.0.0.2 \
	--encapsulation auto
same "the algorithms and policies" --host 127.0.0.1 --to --host 127.0.0.2 --rsasig --encrypt --authenticate --tunnel --pfs \
	--policy freeswan --ike aes128-sha256-modp2048,aes256-sha256-modp3072 --esp aes256-sha256 --ah sha256 --pfsgroup modp4096
same "every number" --host 127.0.0.1 --to --host 127.0.0.2 --psk --encrypt --ikelifetime 3601 --ipseclifetime 28801 --ipseckilobytes 77 \
	--rekeymargin 541 --rekeyfuzz 0 --keyingtries 0 --sends 4 --sendinterval 4001 --dpddelay 7 --dpdtimeout 121 --fragmentsize 1000
same "every choice" --host 127.0.0.1 --to --host 127.0.0.2 --psk --encrypt --encapsulation yes --aggressive --dpdaction restart \
	--fragmentation force --onconflict reject --ondemand --revive
same "others of them" --host 127.0.0.1 --to --host 127.0.0.2 --psk --encrypt --encapsulation no --dpdaction clear --fragmentation no
same "a user of a gateway" --host 127.0.0.1 --to --host 127.0.0.2 --client 10.0.2.0/24 --psk --encrypt --xauth --xauthname alice \
	--modecfg push
same "networks that it names" --host 127.0.0.1 --to --host 127.0.0.2 --client 0.0.0.0/0 --psk --encrypt --modecfg pull --split
same "everything of an end" --id @left.example --host 127.0.0.1 --ikeport 501 --nattport 4501 --nexthop 127.0.0.9 --client 10.0.1.0/24 \
	--to --id joe@right.example --host 127.0.0.2 --nexthop %direct --client 10.0.2.0/24 --clientproto 6 --clientport 80 --psk --encrypt
same "Road Warriors" --host 127.0.0.1 --clientproto 17 --clientport 1701 --to --host %any --clientproto 17 --psk --encrypt
same "of IPv6" --host ::1 --to --host %any6 --client 2001:db8:2::/64 --psk --encrypt
prints "several clients" "--host 127.0.0.1 --client 10.0.1.0/24 --client 10.0.11.0/24 --clientproto 17 --clientport 53 --to --host 127.0.0.2 \
--client 10.0.2.0/24 --psk --encrypt" \
	--host 127.0.0.1 --client 10.0.1.0/24 --client 10.0.11.0/24 --clientproto udp --clientport 53 \
	--to --host 127.0.0.2 --client 10.0.2.0/24 --psk --encrypt
whack --print-conn --name x/2x1 >"$DIR/pair" 2>&1
check "one pair of them is of the same description" grep -q '^--name x .*10.0.11.0/24' "$DIR/pair"
check "which is printed once" [ "$(whack --print-conn | grep -c '^--name x ')" = 1 ]
# shellcheck disable=SC2016 # not for this shell
prints "quotes" "--id '@[a(b]' --host 127.0.0.1 --updown '/bin/it'\"'\"'s \$HOME \"x\"' --to --id '@#00ff' --host 127.0.0.2 --psk --encrypt" \
	--id '@[a(b]' --host 127.0.0.1 --updown "/bin/it's \$HOME \"x\"" --to --id @#00ff --host 127.0.0.2 --psk --encrypt
same "compression" --host 127.0.0.1 --to --host 127.0.0.2 --psk --encrypt --compress

missing=
for option in $(whack --help connection | sed -n 's/^  --\([a-z0-9-]*\).*/\1/p'); do
	case $option in ctlbase | optionsfrom | label | timeout | delete) continue ;; esac
	grep -q -e "--$option\b" "$DIR/all" || missing+=" $option"
done
[ -z "$missing" ] || fail "options that were not printed:$missing"
ok "every option of the form has been printed"

whack --delete --name x --host 127.0.0.1 --updown "$(printf '/bin/\303\274')" --to --host 127.0.0.2 --psk --encrypt >"$DIR/out" 2>&1
check "what no line can show is not shown as something else" [ "$(whack --print-conn --name x)" = \
	'# "x" has octets that are not printable ASCII: it cannot be written as a line' ]
whack --delete --name a --host 127.0.0.1 --to --host 127.0.0.4 --psk --encrypt >"$DIR/out" 2>&1
whack --print-conn >"$DIR/list" 2>/dev/null
check "without a name all are printed, to standard output" grep -q -x -e '--name a --host 127.0.0.1 --to --host 127.0.0.4 --psk --encrypt' "$DIR/list"
sed 's/$/ --delete/' "$DIR/list" | grep -v '^#' >"$DIR/batch"
check "and are fit for --batch" whack --batch "$DIR/batch"
check "nothing has changed by that" [ "$(whack --print-conn)" = "$(cat "$DIR/list")" ]
says 21 "no connection is named" whack --print-conn nobody

# A user, an address and networks of a gateway, described by halves
user="--name user --host 127.0.0.1 --to --host 127.0.0.2 --psk --encrypt"
# shellcheck disable=SC2086 # the words of one command line
{
	says 34 "--split is for one connection whose gateway names its networks" whack $user --client 10.0.0.0/8 --split
	says 34 "add --modecfg, and leave out all but one --client" whack $user --client 10.0.0.0/8 --client 172.16.0.0/12 --split --modecfg pull
	says 34 "--xauth means nothing without the name of a user" whack $user --xauth
	says 34 "--xauthname means nothing without --xauth" whack $user --xauthname alice
}
control_end_pluto
control_end
