#!/bin/bash
# Every test that docs/manual-coverage.md names exists and has the check that it names; every statement of the manual has a verdict.
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
cd "$top_srcdir" || exit 1
page=docs/manual-coverage.md
bad=0 rows=0 shown=0 differs=0 ground=0 not_yet=0 named=0
complain() { echo "FAIL: $page:$line: $*"; bad=1; }

# The check of a shell test may be a command as well as its name; a kind of simulation, a unit test: its name.
named() { # FILE TEXT
	named=$((named + 1))
	if [ ! -f "tests/$1" ]; then
		complain "there is no tests/$1"
	elif ! grep -qF -e "$2" "tests/$1"; then
		complain "tests/$1 has nothing that is called: $2"
	elif ! grep -qE "tests/${1%.c}([^a-z0-9_-]|\$)" Makefile.am; then
		complain "tests/$1 is not run by make check"
	fi
}

line=0
pattern='`([^`]+)` "([^"]+)"(.*)'
while IFS= read -r text; do
	line=$((line + 1))
	[[ $text =~ ^\|\ [0-9]+[a-z]?\ \| ]] || continue
	rows=$((rows + 1))
	verdict=${text%% |}
	verdict=${verdict%|}
	verdict=${verdict##*"| "}
	case $verdict in
	ground*) ground=$((ground + 1)); continue ;;
	*'not yet'*) not_yet=$((not_yet + 1)) ;;
	*differs*) differs=$((differs + 1)) ;;
	*'`'*) shown=$((shown + 1)) ;;
	*) complain "no verdict: name a check, or write: ground, not yet, differs" ;;
	esac
	rest=$(sed -E 's/`[^`]+` "[^"]+"//g' <<<"$verdict")
	[[ $rest != *'`'* ]] || complain "a test without the name of a check in quotes: $verdict"
	while [[ $verdict =~ $pattern ]]; do
		verdict=${BASH_REMATCH[3]}
		named "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	done
done <"$page"

[ "$rows" -gt 200 ] || { line=0; complain "only $rows statements"; }
[ "$bad" = 0 ] || exit 1
echo "PASS: the manual, $rows statements: $shown shown, $differs differ, $ground ground, $not_yet not yet; $named checks named"
