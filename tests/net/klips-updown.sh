#!/bin/bash
# shellcheck disable=SC2016
# Updown scripts as the klips backend runs them: what they see, what becomes of their output, and that they end. And the default
# script: the routes it makes.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/klips.sh"
: "${top_srcdir:=$here/../..}"
UPDOWN=$(realpath "$top_srcdir/src/kernel/_updown")

lab_begin "updown scripts" ping
klips_need
klips_gateways
exec 9<"$here/lab.sh"	# a file that must not reach the script

cat >"$LAB_DIR/look" <<'EOS'
#!/bin/sh
echo "arguments: $#: $*"
echo "directory: $(pwd)"
echo "environment: $(env | grep -v -E '^(PWD|_|SHLVL|OLDPWD)=' | sort | tr '\n' ' ')"
echo "files: $(ls /proc/self/fd | tr '\n' ' ')"
echo "stdin: $(readlink /proc/self/fd/0)"
blocked=$(sed -n 's/^SigBlk:[[:space:]]*//p' /proc/self/status) ignored=$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status)
echo "signals: $((0x$blocked)) $((0x$ignored & ~0x180000000))"	# 32 and 33 are the C library's own: make has it ignore them
ps -o sid=,pid= -p $$ | awk '{ print "session leader: " ($1 == $2 ? "yes" : "no") }'
printf 'an escape: \033[31m and a backslash: \\\n' >&2
head -c 3000 /dev/zero | tr '\0' x
echo
printf 'no newline at the end'
EOS
chmod +x "$LAB_DIR/look"
klips_say east updown 10 "$LAB_DIR/look" '$(touch' "$LAB_DIR/marker);" '`id`' 'PLUTO_CONNECTION=$(touch' PATH=/usr/bin:/bin
log=$LAB_DIR/east.log
said() { grep -q -F -e "log look: $1" "$log" || { grep '^log look' "$log"; lab_fail "the script did not say: $1"; }; }
said "arguments: 3: \$(touch $LAB_DIR/marker); \`id\`"
said "directory: /"
said 'environment: PATH=/usr/bin:/bin PLUTO_CONNECTION=$(touch '
said "files: 0 1 2 3 "	# 3 is ls's own
said "stdin: /dev/null"
said "signals: 0 0"	# blocked, ignored
said "session leader: yes"
said 'an escape: \x1b[31m and a backslash: \x5c'
said "no newline at the end"
[ ! -e "$LAB_DIR/marker" ] || lab_fail "something was evaluated"
[ "$(awk '{ if (length > n) n = length } END { print n }' "$log")" -lt 1000 ] || lab_fail "a long line was not cut"
lab_ok "a script gets its arguments, its environment, and nothing else; its output is escaped and cut"

klips_refuse east updown 10 /bin/sh -c false
case $KLIPS_ANSWER in *"exit status 1"*) ;; *) lab_fail "$KLIPS_ANSWER" ;; esac
klips_refuse east updown 10 /nonexistent/script
case $KLIPS_ANSWER in *"no such file"*) ;; *) lab_fail "$KLIPS_ANSWER" ;; esac
klips_refuse east updown 10 "$LAB_DIR"
lab_ok "failures are told"

cat >"$LAB_DIR/hang" <<EOS
#!/bin/sh
trap '' TERM
sleep 1000 &
echo \$! >$LAB_DIR/child
wait
EOS
chmod +x "$LAB_DIR/hang"
began=$SECONDS
klips_refuse east updown 1 "$LAB_DIR/hang" PATH=/usr/bin:/bin
[ $((SECONDS - began)) -le 4 ] || lab_fail "the timeout took $((SECONDS - began)) s"
case $KLIPS_ANSWER in *"longer than 1 s"*) ;; *) lab_fail "$KLIPS_ANSWER" ;; esac
lab_wait 3 "end of the script's child" sh -c "! kill -0 $(cat "$LAB_DIR/child")"
lab_ok "a script that hangs is killed with all it started"

cat >"$LAB_DIR/daemon" <<EOS
#!/bin/sh
sleep 3 &
echo started
EOS
chmod +x "$LAB_DIR/daemon"
began=$SECONDS
klips_say east updown 10 "$LAB_DIR/daemon" PATH=/usr/bin:/bin
[ $((SECONDS - began)) -le 2 ] || lab_fail "a child left behind holds up the answer"
lab_ok "a child left behind does not hold up the answer"

cat >"$LAB_DIR/flood" <<EOS
#!/bin/sh
seq 100000
EOS
chmod +x "$LAB_DIR/flood"
klips_say east updown 10 "$LAB_DIR/flood" PATH=/usr/bin:/bin
[ "$(grep -c '^log flood' "$log")" -lt 300 ] || lab_fail "the log is flooded"
grep -q '^log flood: 99.* more lines' "$log" || lab_fail "what was left out is not told"
lab_ok "output is bounded"

# The default script.
ip -n "$LAB_PREFIX-east" route del 10.0.2.0/24
updown() {
	klips_say east updown 10 "$UPDOWN" PLUTO_VERSION=1.0 "PLUTO_VERB=$1" PLUTO_CONNECTION=secret PLUTO_NEXT_HOP=192.0.2.2 \
		PLUTO_INTERFACE=ipsec0 PLUTO_ME=192.0.2.1 "PLUTO_MY_CLIENT=${3:-10.0.1.0/24}" PLUTO_PEER=192.0.2.2 \
		"PLUTO_PEER_CLIENT=$2" PATH=/usr/sbin:/usr/bin:/sbin:/bin
}
routes() { ip -n "$LAB_PREFIX-east" -o route show dev ipsec0; }
klips_tunnel 4096 aes128_cbc hmac_sha1_96
for verb in prepare-client route-client up-client; do updown $verb 10.0.2.0/24; done
routes | grep -q '^10.0.2.0/24 .*src 10.0.1.1' || { routes; lab_fail "no route, or not from our client"; }
lab_ping ehost 10.0.2.9 2 >/dev/null || lab_fail "no answer over the script's route"
lab_ping east 10.0.2.9 2 >/dev/null || lab_fail "the gateway itself does not reach the peer's client"
updown route-client 10.0.2.0/24
[ "$(routes | grep -c '^10.0.2.0/24')" = 1 ] || lab_fail "routed twice"
updown down-client 10.0.2.0/24
updown unroute-client 10.0.2.0/24
[ -z "$(routes)" ] || { routes; lab_fail "the route stays"; }
updown unroute-client 10.0.2.0/24
lab_ok "_updown: prepare, route, up, down, unroute of a client"

updown route-host 192.0.2.2/32 192.0.2.1/32
routes | grep -q '^192.0.2.2 .*src 192.0.2.1' || { routes; lab_fail "no route to the peer"; }
updown unroute-host 192.0.2.2/32 192.0.2.1/32
[ -z "$(routes)" ] || { routes; lab_fail "the route stays"; }
updown route-client 0.0.0.0/0
[ "$(routes | grep -c -E '^(0.0.0.0|128.0.0.0)/1')" = 2 ] || { routes; lab_fail "no default route"; }
updown prepare-client 0.0.0.0/0
updown unroute-client 0.0.0.0/0
[ -z "$(routes)" ] || { routes; lab_fail "the default route stays"; }
lab_ok "_updown: a host, and everything"

klips_refuse east updown 10 "$UPDOWN" PLUTO_VERSION=1.0 PLUTO_VERB=route-client PLUTO_CONNECTION=secret PLUTO_INTERFACE=ipsec7 \
	PLUTO_ME=192.0.2.1 PLUTO_MY_CLIENT=10.0.1.0/24 PLUTO_PEER=192.0.2.2 PLUTO_PEER_CLIENT=10.0.2.0/24 PATH=/usr/sbin:/usr/bin:/sbin:/bin
grep -q 'there is no device ipsec7' "$log" || lab_fail "the missing device is not told"
klips_refuse east updown 10 "$UPDOWN" PLUTO_VERSION=1.0 PLUTO_VERB=explode PATH=/usr/bin:/bin
klips_refuse east updown 10 "$UPDOWN" PATH=/usr/bin:/bin
lab_ok "_updown: says what it cannot do"
lab_end
