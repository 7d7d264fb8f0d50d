#!/bin/bash
# The manual pages are without a fault that mandoc knows, each names every option of its program, and the completions of the shell
# offer what fits.
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
: "${top_builddir:=$(pwd)}"
bad=0 checks=0
fail() { echo "FAIL: $*"; bad=1; }
ok() { checks=$((checks + 1)); echo "ok $checks - $*"; }
page() { [ -e "$top_builddir/docs/$1" ] && echo "$top_builddir/docs/$1" || echo "$top_srcdir/docs/$1"; }

command -v mandoc >/dev/null || { echo "SKIP: mandoc is not installed"; exit 77; }
[ -e "$(page whack.8)" ] || { echo "SKIP: the manual pages are not built: make all"; exit 77; }
for name in pluto.8 whack.8 rsasigkey.8 _updown.8 ipsec.8 ipsec.secrets.5; do
	# Whether other pages are installed here says nothing about this one, nor how long the lines of its source are.
	said=$(mandoc -T lint "$(page "$name")" 2>&1 | grep -v -e 'outdated mandoc.db' -e 'input text line longer than 80' -e 'referenced manual not found')
	[ -z "$said" ] && ok "$name is clean" || { echo "$said"; fail "$name"; }
	[ "$(mandoc -T utf8 "$(page "$name")" | wc -l)" -gt 20 ] || fail "$name shows next to nothing"
done

# Every option that --help tells of is in the page.
for program in src/pluto whack/whack src/rsasigkey; do
	name=${program##*/}
	text=$(mandoc -T ascii "$(page "$name.8")" | sed 's/.\x08//g')
	for option in $("$top_builddir/$program" --help | grep -o '^  --[a-z-]*'); do
		grep -q -e "$option\b" <<<"$text" || fail "$name.8 does not tell of $option"
	done
	ok "$name.8 tells of every option"
done

# offers WORD... : the completions of the last word, after the others.
offers() {
	local f
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	f=$(complete -p "$1" | sed 's/.*-F \([^ ]*\) .*/\1/')
	"$f"
	echo "${COMPREPLY[*]}"
}
offered() { # WANTED WORD...
	local wanted=$1 got
	shift
	got=$(offers "$@")
	[ "$got" = "$wanted" ] && ok "$*: $wanted" || fail "$*: offered '$got', not '$wanted'"
}
for name in pluto whack rsasigkey; do
	file=src/generated/$name-completion.bash
	[ -e "$top_builddir/$file" ] && file=$top_builddir/$file || file=$top_srcdir/$file
	# shellcheck source=/dev/null
	. "$file" || fail "$file"
done
offered "--route" whack --ro
offered "--asynchronous" whack --initiate --as
offered "clear hold restart" whack --name x --dpdaction ""
offered "hold" whack --name x --dpdaction h
offered "unlisten unroute up" whack u
offered "--name" whack up --n
offered "connection" whack --help co
offered "/etc/hostname" whack --optionsfrom /etc/hostn
offered "" whack --initiate --host
offered "klips" pluto --kernel k
offered "parsing private" pluto --debug p
offered "raw,crypt" whack --debug raw,cr
offered "--bits" rsasigkey --b
[ "$bad" = 0 ] || exit 1
echo "PASS: manual pages and completions, $checks checks"
