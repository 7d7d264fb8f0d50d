#!/bin/bash
# The command `ipsec` of the manual: ipsec pluto, ipsec whack, ipsec _updown.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "the command ipsec"
ipsec=$top_builddir/src/ipsec
[ -x "$ipsec" ] || skip "$ipsec is not built"
IPSEC_EXECDIR=$top_builddir/src
IPSEC_SBINDIR=$top_builddir/whack
export IPSEC_EXECDIR IPSEC_SBINDIR

says 0 "_updown" "$ipsec" --help
says 0 "whack" "$ipsec" --help
says 0 "ipsec (pluto) " "$ipsec" --version
says 0 "$IPSEC_EXECDIR" "$ipsec" --directory
says 1 "which command?; see ipsec --help" "$ipsec"
says 1 "unknown option --nothing" "$ipsec" --nothing
says 1 "there is no command nothing in" "$ipsec" nothing
says 1 "../klips is no name of a command" "$ipsec" ../klips
says 0 "kernel backends" "$ipsec" pluto --version
says 0 "connection -- describe a connection" "$ipsec" whack --help
says 2 "PLUTO_VERB" "$ipsec" _updown
control_start
WHACK=$ipsec
whack() { "$ipsec" whack --ctlbase "$DIR/pluto" "$@"; }
says 0 "004 \"silly\": connection described" whack --name silly --host 127.0.0.1 --to --host 127.0.0.2 \
	--ikelifetime 900 --ipseclifetime 800 --keyingtries 3
says 1 "argument 4: --name two words is no name of a connection" whack --status --name "two words"
control_end_pluto
ok "ipsec whack --shutdown"
control_end
