#!/bin/bash
# whack waits for the work that it asked for: when it returns, SAs, eroutes, routes and the updown command are done, and its exit
# status says whether they went well. Unless it was told not to wait, or only so long.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "whack waits for the kernel and the updown command"
pluto_need
pluto_secret east "of no consequence"
pluto_secret west "of no consequence"
pluto_gateways
chmod 755 "$LAB_DIR"
# The script takes as long as the file "slow" says, fails at the verb in the file "fails", and notes what it has done.
cat >"$LAB_DIR/updown" <<SCRIPT
#!/bin/sh
sleep "\$(cat '$LAB_DIR/slow')"
echo "\$PLUTO_VERB" >>'$LAB_DIR/done'
[ "\$PLUTO_VERB" != "\$(cat '$LAB_DIR/fails')" ] || { echo "this is how it fails"; exit 3; }
SCRIPT
chmod 755 "$LAB_DIR/updown"
slow() { echo "$1" >"$LAB_DIR/slow"; }
fails() { echo "$1" >"$LAB_DIR/fails"; }
fresh() {
	: >"$LAB_DIR/done"
	chmod 666 "$LAB_DIR/done"
}
slow 0
fails nothing
fresh
done_is() { [ "$(tail -n 1 "$LAB_DIR/done")" = "$1" ]; }
# asks STATUS ARGUMENT...: whack's exit status; what it printed is in $LAB_DIR/said.
asks() {
	local wanted=$1 status
	shift
	pluto_whack east "$@" >"$LAB_DIR/said" 2>&1
	status=$?
	[ $status = "$wanted" ] && return
	cat "$LAB_DIR/said"
	lab_fail "whack $*: status $status, not $wanted"
}
said() { lab_check "$1" grep -q "$2" "$LAB_DIR/said"; }
sas() { [ "$(pluto_whack east --status | grep -c 'IPsec SA under')" = "$1" ]; }
describe() {
	# shellcheck disable=SC2086 # the words of one command line
	asks 0 --delete --updown "$LAB_DIR/updown" $PLUTO_SECRET
}

describe
slow 0.5
asks 0 --route secret
lab_check "route: the script has run" done_is route-client
asks 0 --unroute secret
lab_check "unroute: the script has run" done_is unroute-client
asks 0 --initiate secret
lab_check "initiate: the script has run" done_is up-client
lab_check "and there is an IPsec SA" sas 1
asks 0 --terminate secret
lab_check "terminate: the script has run" done_is down-client
lab_check "and the SAs are gone" sas 0
slow 0
asks 0 --initiate secret
slow 0.5
fresh
asks 0 --delete --name secret
lab_check "delete: the script has run to its last verb" done_is unroute-client
lab_check "after down" grep -qx down-client "$LAB_DIR/done"
lab_check "delete: no SA of any kind is left" eval '! pluto_whack east --status | grep -q "#[0-9]"'

fails unroute-client
slow 0
describe
asks 0 --route secret
asks 37 --unroute secret
said "unroute: what failed is told" '^037 .*failed at unroute.*exit status 3'
said "with a remedy" '^000 remedy: what it printed is in the log'
said "and that all else is done" '^000 "secret": unrouted, but for what is said above'
lab_check "what the script printed is in the log" grep -q 'this is how it fails' "$LAB_DIR/east.log"
fails down-client
asks 0 --initiate secret
asks 37 --terminate secret
said "terminate: what failed is told" '^037 .*failed at down.*exit status 3'
lab_check "its SAs are gone all the same" sas 0
asks 0 --initiate secret
asks 37 --delete --name secret
said "delete: what failed is told" '^037 .*failed at down.*exit status 3'
asks 21 --delete --name secret
fails nothing

describe
fresh
slow 2
asks 0 --route --asynchronous secret
lab_check "--asynchronous: whack is back before the script is" [ ! -s "$LAB_DIR/done" ]
lab_wait 30 "route in the end" done_is route-client
slow 0
asks 0 --initiate secret
fresh
slow 2
asks 0 --terminate --asynchronous secret
lab_check "terminate, too" [ ! -s "$LAB_DIR/done" ]
asks 0 --terminate secret
lab_check "terminate once more waits for what is under way" done_is down-client
slow 0
asks 0 --initiate secret
fresh
slow 2.5
asks 1 --timeout 1 --terminate secret
said "--timeout: whack says what it does not know" 'not finished after 1 seconds; pluto goes on alone'
lab_check "the script was still running" [ ! -s "$LAB_DIR/done" ]
lab_check "others are served meanwhile" pluto_whack east --timeout 3 --status --brief
lab_wait 30 "down in the end" done_is down-client

slow 0
asks 0 --initiate secret
fresh
slow 0.5
fails down-client
asks 37 --shutdown
said "shutdown: the script's failure is told and is the exit status" '^037 .*failed at down.*exit status 3'
lab_check "the script has run to its last verb" done_is unroute-client
lab_wait 10 "end of pluto" eval '! lab_alive east'
wait "${LAB_PID[east]}"
lab_check "pluto has ended well" [ $? = 0 ]
unset "LAB_PID[east]"
pluto_stop west
lab_end
