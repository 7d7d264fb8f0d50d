#!/bin/bash
# The rules that hold the tree together: every source is built or shipped, the parts depend on each other in one direction
# only, files stay readable, and nothing generated is kept.
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
cd "$top_srcdir" || exit 1
bad=0 checks=0
complain() { echo "FAIL: $*"; bad=1; }

# Files of ours: what git knows or would take, else (in a tarball) all there is.
files() {
	if [ -d .git ]; then
		git ls-files --cached --others --exclude-standard -- "$@"
	else
		find "$@" -type f ! -path 'src/generated/*' ! -name '*.pyc' | sort
	fi
}

folders=$(sed -n 's/^DATA_FOLDERS = //p' Makefile.am)
checks=$((checks + 1))
for file in $(files src whack codegen spec tests bench docs); do
	[ -e "$file" ] || continue
	for folder in $folders; do
		case $file in "$folder"/*) continue 2 ;; esac
	done
	grep -qF "$file" Makefile.am || complain "$file is not in Makefile.am: list it where it is built, or in EXTRA_DIST"
done

checks=$((checks + 1))
for file in $(sed -n '/^RING_[A-Z]* =/,/[^\\]$/p' Makefile.am | grep -o 'tests/[a-z/-]*\.sh'); do
	[ -x "$file" ] || complain "$file is a test that cannot be run: chmod +x $file"
done

# Who may include what: a part knows itself and those named after it.
checks=$((checks + 1))
allowed() {
	case $1 in
	base) echo base generated ;;
	crypto) echo base generated crypto ;;
	engine) echo base generated crypto engine ;;
	ike) echo base generated crypto engine ike ;;
	secrets) echo base generated crypto ike secrets ;;
	kernel) echo base generated crypto ike kernel ;;
	daemon) echo base generated crypto engine ike secrets kernel daemon ;;
	esac
}
for part in base crypto engine ike secrets kernel daemon; do
	for file in $(files "src/$part"); do
		for used in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file" | sort -u); do
			case " $(allowed $part) " in
			*" $used "*) ;;
			*) complain "$file includes $used/: src/$part may include only $(allowed $part)" ;;
			esac
		done
	done
done
for file in $(files src whack); do
	case $file in
	src/crypto/*) ;;
	*) grep -nE '^#include <(gcrypt|gmp)' "$file" && complain "$file: only src/crypto knows the libraries of cryptography" ;;
	esac
	grep -nE '^#include ".*\.c"' "$file" | grep -v '_lex\.c"' && complain "$file includes a .c file"
done

checks=$((checks + 1))
for file in $(files src whack codegen tests bench); do
	case $file in
	*.c | *.h | *.re | *.py | *.sh)
		[ -e "$file" ] || continue
		lines=$(wc -l <"$file")
		[ "$lines" -le 600 ] || complain "$file has $lines lines: 600 are enough for one purpose"
		;;
	esac
done

checks=$((checks + 1))
if [ -d .git ]; then
	for file in $(git ls-files src/generated); do
		complain "$file is generated and kept in git: git rm --cached $file"
	done
fi

# The Makefile names exactly what the compiler of the spec writes.
if command -v python3 >/dev/null && [ -d .git ]; then
	checks=$((checks + 1))
	for file in $(python3 -B codegen/specc generate --list spec/*.spec 2>/dev/null); do
		grep -qF "src/generated/${file##*/}" Makefile.am ||
			complain "src/generated/${file##*/} is not in Makefile.am: add it to GENERATED or GENERATED_TEXT"
	done
fi

[ "$bad" = 0 ] || exit 1
echo "PASS: the house rules, $checks checks"
