#!/bin/bash
# What whack says of a command that is wrong: one line, with the place and what to write instead, and status 1.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "wrong commands"

wrong() { says 1 "$@"; }
one_line() { [ "$(wc -l <"$DIR/out")" = 1 ] || fail "more than one line"; }

wrong "nothing to do: give one of --to" whack
wrong "argument 5: unknown option --hots; did you mean --host?" whack --name x --hots 192.0.2.1 --to
one_line
wrong "argument 5: unknown option --frobnicate; whack --help shows all options" whack --name x --frobnicate
wrong "argument 3: --name needs a value; write --name NAME" whack --name
wrong "argument 3: --name needs a value; write --name NAME" whack --name --to
wrong "argument 3: --to takes no value" whack --to=x
wrong "argument 5: --ikeport 70000 is not a number from 1 to 65535" whack --name x --ikeport 70000 --to
wrong "--ikelifetime 28801 is not a number from 1 to 28800, in seconds" whack --name x --to --ikelifetime 28801
wrong "--keyingtries -1 is not a number" whack --name x --to --keyingtries -1
wrong "--dpdaction die is not one of clear hold restart" whack --name x --to --dpdaction die
wrong "--host 192.0.2.300: a part of a dotted address is at most 255 (column 9)" whack --name x --host 192.0.2.300 --to
wrong "--client 10.0.0.1/24: bits are set beyond the mask" whack --name x --client 10.0.0.1/24 --to
wrong "--host no-such-host.invalid: the name does not resolve" whack --name x --host no-such-host.invalid --to
wrong "--id @: this is no identity; write an address, @FQDN, USER@FQDN, @[TEXT] or @#HEX" whack --name x --id @ --to
wrong "is no name of a connection; use at most 64 letters, digits and . _ + -" whack --name 'a;b' --to
wrong "argument 7: --host is given twice, first as argument 5 for the same end" \
	whack --name x --host 192.0.2.1 --host 192.0.2.2 --to
wrong "--to is given twice" whack --name x --to --to
wrong "--route and --initiate are two requests; use two commands" whack --route --initiate --name x
wrong "--route and --unroute are two requests" whack --route --unroute --name x
wrong "argument 6: --host does not go with --initiate; leave it out, or see whack --help initiate" \
	whack --initiate --name x --host 192.0.2.1
wrong "--initiate needs --name NAME as well" whack --initiate
wrong "b stands alone, and so does a" whack --route a b
wrong "-n is not an option; options begin with --" whack -n
wrong "--pubkeyrsa: not a hexadecimal digit" whack --keyid 192.0.2.1 --pubkeyrsa 0xzz
wrong "it: whack: argument 5: --name needs a value" whack --label it: --name
wrong "--name \\x1b[31m is no name" whack --route $'\e[31m'
wrong "cannot reach pluto at $DIR/pluto.ctl: No such file or directory; no pluto is running there" whack --status

# The option that chooses a form, without its dashes
wrong "--initiate needs --name NAME as well" whack up
wrong "cannot reach pluto at $DIR/pluto.ctl" whack up net
wrong "cannot reach pluto at $DIR/pluto.ctl" whack down net
wrong "cannot reach pluto at $DIR/pluto.ctl" whack status
wrong "--route and --initiate are two requests" whack up --route net
wrong "up stands alone, and so does net" whack net up

# A secret that cannot be guessed: 256 random bits, in the form of ipsec.secrets
says 0 "0s" whack --genpsk
secret=$(cat "$DIR/out")
[[ $secret =~ ^0s[A-Za-z0-9+/]{43}=$ ]] || fail "no secret of 32 octets: $secret"
says 0 "0s" whack --genpsk
[ "$(cat "$DIR/out")" != "$secret" ] || fail "twice the same secret"
ok "--genpsk makes a secret of 256 bits, another one each time"

# --optionsfrom
printf -- '# a comment\n--name x\n\n--hots 192.0.2.1\n' >"$DIR/options"
wrong "$DIR/options:4: unknown option --hots" whack --optionsfrom "$DIR/options"
printf -- '--name "x\n' >"$DIR/options"
wrong "$DIR/options:1: a quote that is not closed on its line" whack --optionsfrom "$DIR/options"
echo "--optionsfrom $DIR/options" >"$DIR/again"
echo "--optionsfrom $DIR/again" >"$DIR/options"
wrong "$DIR/again:1: option file $DIR/options reads itself" whack --optionsfrom "$DIR/options"
for i in 1 2 3 4 5 6 7 8 9; do
	echo "--optionsfrom $DIR/deep$((i + 1))" >"$DIR/deep$i"
done
wrong "$DIR/deep8:1: more than 8 option files name each other" whack --optionsfrom "$DIR/deep1"
wrong "cannot read option file $DIR/none: No such file or directory" whack --optionsfrom "$DIR/none"
wrong "cannot read option file $DIR: it is not a file of text" whack --optionsfrom "$DIR"
wrong "cannot read option file /dev/zero: it is longer than" whack --optionsfrom /dev/zero
printf -- "--label 'a b'\"c d\"\\\\ e #not\n\"--route\"" >"$DIR/options"
wrong "a bc d e whack: --route needs --name" whack --optionsfrom "$DIR/options"

# Help
says 0 "connection -- describe a connection" whack --help
says 0 "key -- give the RSA public key" whack --help=key
says 0 "key -- give the RSA public key" whack help key
wrong "there is no form of that name" whack --help=keys
says 0 "--ikelifetime SECONDS" whack --help connection
wrong "there is no form of that name" whack --help nothing
says 0 "whack " whack --version
control_end
