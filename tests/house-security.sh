#!/bin/bash
# Every case of docs/security-coverage.md has a test that exists, or says that there is none; and what no file may do: compare secrets in a
# time that depends on them, call functions that cannot be called safely, do I/O where packets are dealt with.
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
cd "$top_srcdir" || exit 1
page=docs/security-coverage.md
bad=0 checks=0 rows=0 named=0 without=0 line=0
complain() { echo "FAIL: $*"; bad=1; }

exists() { # FILE TEXT
	named=$((named + 1))
	if [ ! -f "tests/$1" ]; then
		complain "$page:$line: there is no tests/$1"
	elif ! grep -qF -e "$2" "tests/$1"; then
		complain "$page:$line: tests/$1 has nothing that is called: $2"
	elif ! grep -qE "tests/${1%.c}([^a-z0-9_-]|\$)" Makefile.am; then
		complain "$page:$line: tests/$1 is not run by make check"
	fi
}

# One row for each case, in order.
expected=$(for group in A:14 B:18 C:10 D:17 E:9 F:14; do seq -f "${group%:*}%g" "${group#*:}"; done)
found=$(sed -n 's/^| \([A-F][0-9]*\) .*/\1/p' $page)
[ "$found" = "$expected" ] || complain "$page does not have each case once, in order"
pattern='`([^`]+)` "([^"]+)"(.*)'
while IFS= read -r text; do
	line=$((line + 1))
	[[ $text =~ ^\|\ [A-F][0-9]+\  ]] || continue
	rows=$((rows + 1))
	before=$named
	rest=$text
	while [[ $rest =~ $pattern ]]; do
		rest=${BASH_REMATCH[3]}
		exists "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	done
	[ "$named" = "$before" ] || continue
	without=$((without + 1))
	[[ $text =~ (Not applicable until|[Nn]ot yet) ]] || complain "$page:$line: no test, and no word about it"
done <$page
checks=$((checks + 2))

# What is compared otherwise, and why that is harmless: cookies, addresses, names, verbs, descriptions, SPIs and public keys are public; the search for
# secrets that are too much alike runs when the file is read.
harmless='src/crypto/mpi.c: a\.p, b\.p, a\.n
src/crypto/rsa.c: a->parts\.n, b->parts\.n
src/engine/fragment.c: (f->data|cookie)
src/engine/table.c: cookies
src/ike/auth.c: c->xauth_name
src/ike/connection.c: (real|virtual_)
src/ike/describe.c: old->said
src/ike/dnskeys.c: s->said
src/ike/identity.c: a->name
src/ike/(informational|contact|dpd|phase1).c: .*(spi|cookie)
src/ike/quick_mode.c: in->Nr->data, action_value\(a, KEY_NI_B
src/ike/handshake.c: nonce, action_value\(a, KEY_NI_B
src/ike/routes.c: interface
src/ike/updown.c: verb
src/secrets/secrets_check.c: sx\.p, sy\.p'
while IFS= read -r found; do
	[ -n "$found" ] || continue
	ok=
	while IFS=': ' read -r file what; do
		[[ ${found%%:*} =~ ^$file$ && ${found#*:} =~ $what ]] && ok=1
	done <<<"$harmless"
	[ -n "$ok" ] || complain "$found: compare secrets with ct_equal(), or say in $0 why this is public"
done <<<"$(grep -rnE '\b(memcmp|bcmp|span_eq|strcmp|strncmp)\(' src/crypto src/engine src/ike src/secrets | sed 's/^\([^:]*\):\([0-9]*\):/\1:\2: /')"
checks=$((checks + 1))

# functions that no file of ours may call
found=$(grep -rnE '\b(strcpy|strcat|sprintf|vsprintf|gets|system|popen|mktemp|tmpnam|tempnam|tmpfile|alloca|strtok|rand|srand|wordexp)\(' \
	--include='*.c' --include='*.h' --include='*.re' src whack)
[ -z "$found" ] || complain "unsafe, or predictable: $found"
checks=$((checks + 1))

# One source of random numbers; klips and whack, which have no crypto/, ask the system.
found=$(grep -rnE '\b(gcry_(randomize|random_bytes(_secure)?|create_nonce)|getrandom|getentropy|arc4random|[dlm]rand48)\(|\brandom\(\)|/dev/u?random' \
	--include='*.c' --include='*.h' src whack | grep -vE '^(src/crypto/hash\.c|src/kernel/klips_main\.c|whack/whack\.c|src/generated/[^:]*):')
[ -z "$found" ] || complain "random octets come from crypto_random(): $found"
checks=$((checks + 1))

# Where packets and keys are dealt with there are no files, sockets and programs.
found=$(grep -rnE '#include <(sys/socket|sys/un|sys/wait|unistd|fcntl|netdb|spawn|uv)' src/crypto src/engine src/ike src/secrets | grep -v '^src/secrets/secrets_load.c')
[ -z "$found" ] || complain "only src/daemon and src/kernel do I/O: $found"
checks=$((checks + 1))

# Generated files do not depend on chance.
if command -v python3 >/dev/null && [ -f codegen/specc ]; then
	work=$(mktemp -d) || exit 1
	trap 'rm -rf "$work"' EXIT
	for seed in 1 2; do
		PYTHONHASHSEED=$seed python3 -B codegen/specc generate -o "$work/$seed" spec/*.spec >"$work/log" 2>&1 || { cat "$work/log"; complain "specc fails"; }
	done
	found=$(diff -rq "$work/1" "$work/2")
	[ -z "$found" ] || complain "what is generated differently each time: $found"
	checks=$((checks + 1))
fi

[ "$bad" = 0 ] || exit 1
echo "PASS: $rows cases, $named tests named, $without rows without one, $checks checks"
