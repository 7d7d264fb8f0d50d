#!/bin/bash
# Would anybody notice if the checks of src/engine were wrong? Each of these changes breaks one of them; the simulation is built with
# it and must fail. A change that no test notices is a check that no test makes.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${top_builddir:=$(pwd)}"
unset CDPATH
top_srcdir=$(cd -- "$top_srcdir" && pwd) || exit 1
cd -- "$top_builddir" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; exit 1; }

# The compiler and the libraries are those of this build. This make is no part of the one that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL
show() { printf 'include Makefile\nshow: ; @echo $(%s)\n' "$1" | make -s --no-print-directory -f - show 2>/dev/null | tail -n 1; }
CC=$(show CC)
[ -n "$CC" ] && [ -e libengine.a ] || { echo "SKIP: there is no build in $top_builddir"; exit 77; }
FLAGS="-D_GNU_SOURCE -Isrc -I$top_srcdir/src $(show GCRYPT_CFLAGS) $(show AM_CFLAGS) $(show CFLAGS) -w"
case $FLAGS in *-fsanitize=*) echo "SKIP: a build without sanitizers makes this test"; exit 77 ;; esac
WRAPS=$(show tests_sim_check_sim_LDFLAGS)
LIBS="$(show AM_LDFLAGS) $(show PARTS) $(show PART_LIBS)"
compile() { $CC $FLAGS -c "$1" -o "$2" 2>"$2.cc" || { tail -n 5 "$2.cc"; return 1; }; }
link() { $CC $FLAGS -o "$1" "${@:2}" $LIBS 2>"$1.cc" || { tail -n 5 "$1.cc"; fail "$1 cannot be linked"; }; }

# All but the engine is as it was built.
SECURITY=$(show tests_sim_check_security_OBJECTS)
SIM=$(show tests_sim_check_sim_OBJECTS)
for object in $SECURITY $SIM; do
	[ -e "$object" ] || { echo "SKIP: $object is not built"; exit 77; }
done

# passes NAME [OBJECT...]: true when the tests pass with these objects before the libraries; what they said is in NAME.log.
passes() {
	local name=$work/$1
	shift
	link "$name.security" $SECURITY "$@"
	timeout 120 "$name.security" --until-one >"$name.log" 2>&1 || return 1
	link "$name.sim" $WRAPS $SIM "$@"
	timeout 120 "$name.sim" --runs 20 negotiate wrong-secret bits garbage matrix terminate aggr-forged frag-hostile >"$name.log" 2>&1
}

passes unchanged || { tail -n 10 "$work/unchanged.log"; fail "the tests fail without any change"; }

# try NAME FILE WHAT SED-EXPRESSION: false if nobody notices.
try() {
	local name=$1 file=$2 what=$3
	sed -E "$4" "$top_srcdir/src/engine/$file.c" >"$work/$name.c"
	cmp -s "$work/$name.c" "$top_srcdir/src/engine/$file.c" && fail "nothing to change in $file.c for: $what"
	compile "$work/$name.c" "$work/$name.o" || fail "$what: does not compile"
	passes "$name" "$work/$name.o" && fail "no test notices: $what ($file.c)"
	echo "noticed: $what ($(grep -m1 -E '^(FAILED|[a-z0-9_-]+: )' "$work/$name.log" | cut -c1-90))"
	rm -f "$work/$name".*
}

mutants=0
processors=$(nproc)
# mutant FILE WHAT SED-EXPRESSION: tried beside others.
mutant() {
	mutants=$((mutants + 1))
	[ "$(jobs -rp | wc -l)" -lt "$processors" ] || wait -n
	(try "mutant_$mutants" "$@") >"$work/said.$mutants" 2>&1 || touch "$work/failed" &
}

mutant verify "the comparison is turned round" 's/!ct_equal\(want/ct_equal(want/'
mutant verify "every hash is right" 's/!ct_equal\(want, payload_body\(p\)\)/false/'
mutant verify "only the first octets are compared" 's/ct_equal\(want, payload_body\(p\)\)/(payload_body(p).n > 0 \&\& want.p[0] == payload_body(p).p[0])/'
mutant verify "the beginning of the hash is enough" 's/ct_equal\(want, payload_body\(p\)\)/ct_equal(span_sub(want, 0, payload_body(p).n), payload_body(p))/'
mutant verify "a missing key is no reason" 's/return refuse_keys_missing\(.*/continue;/'
mutant verify "no slot has a hash" 's/s->hash == KEY_NONE/s->hash != KEY_NONE/'
mutant verify "the hash is over nothing" 's/end > from \? end - from : 0/0 * end/'
mutant verify "the hash is over the padding too" 's/m->bytes\.n - m->padding/m->bytes.n/'
mutant transition "a wrong hash is no refusal" 's/why = verify_hashes\(e, x, row->recv, m\)/why = NULL/'
mutant transition "what a refused message has changed stays" 's/values_undo\(&x->values\)/values_keep(\&x->values)/'
mutant receive "a wrong hash of a one-way message is no refusal" 's/why = verify_hashes\(e, &one, row->recv, &e->message\);/why = NULL;/'
mutant receive "message IDs may be used again" 's/if \(is_used\(root, h->msgid\)\)/if (false)/'
mutant receive "message IDs of one-way messages may be used again" 's/encrypted && is_used\(root, h->msgid\)/false/'
mutant receive "clear where encryption is due" 's/recv->protection == PROTECTION_ENCRYPTED \&\& !encrypted/false/'
mutant receive "any address may speak" 's/!may_come\(exchange_root\(x\), &e->message, in\)/false/'
mutant receive "any address may speak under an ISAKMP SA" 's/!may_come\(root, &e->message, in\)/false/'
mutant receive "phase 2 before phase 1" 's/!exchange_final\(root\) \|\| root->machine->phase != 1/false/'
mutant receive "no cookie is needed" 's/return repeated\(e, x, in, &v\) \? v :/return existing(e, x, machine, in);/; s/^[[:space:]]*drop\(e, x, refuse_cookie_missing.*//'
mutant receive "garbage is always answered" 's/root->garbled == LIMIT_GARBLED_ANSWERS/false/'
mutant send "answers may be longer than questions" 's/bytes\.n > e->question/false/'
mutant send "copies are answered for ever" 's/x->resends < LIMIT_RESENDS/true/'
mutant receive "the IV moves before the message is accepted" 's/^\tstep\.row = match_row\(e, s->rows.*/if (in->encrypted) { memcpy(x->iv, in->iv_after, sizeof(x->iv)); x->iv_set = true; }\n&/'
mutant msgids "the set forgets" 's/^\t\*slot = id;//'
wait
for ((i = 1; i <= mutants; i++)); do cat "$work/said.$i"; done
[ ! -e "$work/failed" ] || exit 1
[ "$(cat "$work"/said.* | grep -c '^noticed: ')" = "$mutants" ] || fail "not every change was tried"
echo "PASS: mutations of the checks, $mutants checks"
