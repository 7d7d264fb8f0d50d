#!/bin/bash
# The examples of the manual page, as they stand there: a pluto without privileges, and the connections "silly" and "secret".
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "the examples of the manual" setpriv
PLUTO_KERNEL=none
pluto_need
lab_host one
mkdir "$LAB_DIR/user"
(umask 077; echo ': PSK "of no consequence"' >"$LAB_DIR/user/ipsec.secrets")
chown -R 65534:65534 "$LAB_DIR/user"
chmod 755 "$LAB_DIR"
setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$PLUTO" || lab_skip "$PLUTO may be run by root only"
whack_user() { (cd "$LAB_DIR/user" && "$WHACK" --ctlbase pluto.base "$@"); }

# pluto --secretsfile ipsec.secrets --ctlbase pluto.base --ikeport 8500 --nofork --noklips --stderrlog
lab_start user one sh -c "cd '$LAB_DIR/user' && exec setpriv --reuid 65534 --regid 65534 --clear-groups '$PLUTO' \
	--secretsfile ipsec.secrets --ctlbase pluto.base --ikeport 8500 --nofork --noklips --stderrlog"
lab_wait 10 "answer of pluto" whack_user --status
lab_ok "pluto runs without the superuser account"
lab_check "the first example, with lifetimes shorter than the margin" \
	eval 'whack_user --name silly --host 127.0.0.1 --to --host 127.0.0.2 --ikelifetime 900 --ipseclifetime 800 --keyingtries 3 \
		>"$LAB_DIR/silly.log" 2>&1'
lab_check "with a warning, as rekeying may then begin at half of them" grep -q 'rekeying may begin at half the lifetime' "$LAB_DIR/silly.log"
lab_check "the second example" whack_user --name secret --host 10.0.0.1 --client 10.0.1.0/24 \
	--to --host 10.0.0.2 --client 10.0.2.0/24 --encrypt
whack_user --status >"$LAB_DIR/status.log" 2>&1
lab_check "both are there" eval 'grep -q silly "$LAB_DIR/status.log" && grep -q secret "$LAB_DIR/status.log"'
whack_user --name secret --host 10.0.0.1 --to --host 10.0.0.2 --encrypt >"$LAB_DIR/duplicate.log" 2>&1
lab_check "the name is taken: status 20" [ $? = 20 ]
lab_check "a positional word is the name" whack_user --delete silly
whack_user --delete --name silly >"$LAB_DIR/unknown.log" 2>&1
lab_check "a name that is unknown: status 21" [ $? = 21 ]
whack_user --listen >"$LAB_DIR/listen.log" 2>&1
whack_user --initiate --name secret >"$LAB_DIR/initiate.log" 2>&1
lab_check "neither end is this host: status 22" [ $? = 22 ]
lab_check "options from a file" eval 'echo "--name third --host 127.0.0.1 --to --host 127.0.0.2 --encrypt" \
	>"$LAB_DIR/options" && whack_user --optionsfrom "$LAB_DIR/options"'
lab_check "shut down" whack_user --shutdown
lab_end
