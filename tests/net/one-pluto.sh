#!/bin/bash
# One pluto for each control base: a second one ends with status 10 and says who is there; what a dead one left does not hinder;
# the exit statuses and the daemon fork are as the manual has them.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "one pluto for each control base"
PLUTO_KERNEL=none
pluto_need
lab_host one
pluto_start first one
pid=${LAB_PID[first]}
lab_check "the lock file holds the pid" [ "$(cat "$LAB_DIR/first/pluto.pid")" = "$pid" ]
lab_in one "$PLUTO" --nofork --stderrlog --noklips --ctlbase "$LAB_DIR/first/pluto" --secretsfile "$LAB_DIR/first/secrets" \
	>"$LAB_DIR/second.log" 2>&1
lab_check "a second pluto ends with status 10" [ $? = 10 ]
lab_check "and names the lock file" grep -q "pluto.pid" "$LAB_DIR/second.log"
lab_check "the first one does not mind" pluto_whack first --status

lab_stop first KILL
lab_check "killed, it leaves its lock file" [ -e "$LAB_DIR/first/pluto.pid" ]
pluto_start first one
lab_ok "which does not hinder the next one"
pluto_stop first
lab_check "ended in order, it leaves neither lock file nor socket" eval \
	'[ ! -e "$LAB_DIR/first/pluto.pid" ] && [ ! -e "$LAB_DIR/first/pluto.ctl" ]'

lab_in one "$PLUTO" --noklips --stderrlog --ctlbase "$LAB_DIR/first/pluto" --secretsfile "$LAB_DIR/first/secrets" \
	>"$LAB_DIR/fork.log" 2>&1
lab_check "with the daemon fork the parent ends with status 0" [ $? = 0 ]
lab_check "and by then pluto answers" pluto_whack first --status
daemon=$(cat "$LAB_DIR/first/pluto.pid")
lab_check "by the pid in the lock file" kill -0 "$daemon"
lab_check "it shuts down" pluto_whack first --shutdown
lab_wait 5 "end of the daemon" eval '! kill -0 "$daemon"'
lab_ok "and ends"

lab_in one "$PLUTO" --nofork --stderrlog --no-such-option >"$LAB_DIR/option.log" 2>&1
lab_check "an unknown option: status 1" [ $? = 1 ]
lab_check "and the message names it" grep -q "no-such-option" "$LAB_DIR/option.log"
pluto_whack first --status >"$LAB_DIR/whack.log" 2>&1
lab_check "whack without a pluto: status 1" [ $? = 1 ]
lab_check "and it names the socket" grep -q "pluto.ctl" "$LAB_DIR/whack.log"
lab_end
