#!/bin/bash
# The rings that need no root once more, built by clang (where there is one) with AddressSanitizer, UndefinedBehaviorSanitizer
# and warnings as errors.
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
: "${top_builddir:=$(pwd)}"
# This make is no part of the one that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL
cc=$(command -v clang || command -v gcc) || { echo "SKIP: neither clang nor gcc is here"; exit 77; }
mkdir -p "$top_builddir/sanitized" && cd "$top_builddir/sanitized" || exit 1
if [ ! -e config.status ] || [ "$top_srcdir/configure" -nt config.status ]; then
	"$top_srcdir/configure" CC="$cc" CFLAGS=-O1 --enable-sanitizers --enable-werror >configure.log 2>&1 ||
		{ tail -n 20 configure.log; exit 1; }
fi
{ make -k -j"$(nproc)" all && make -k -j"$(nproc)" build-tests; } >make.log 2>&1 || { grep -B2 -A6 -m3 'error:' make.log; exit 1; }
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
# All rings at once, the longest first: no processor waits for the last test of each. The mutants are built anew by their own
# test: once is enough.
tests=$(for ring in sim unit vectors fuzz; do make -s "list-$ring" SIM_RUNS=; done) || exit 1
make -k -j"$(nproc)" check-TESTS TESTS="$(echo $tests)" TEST_SUITE_LOG=tests/ring-sanitized.log >tests.log 2>&1 ||
	{ grep -E '^(FAIL|ERROR)' tests.log; cat tests/*/*.log | tail -n 40; exit 1; }
checks=$(cat tests/*/*.log | sed -n 's/^[0-9]*%: Checks: \([0-9]*\),.*/\1/p' | awk '{ n += $1 } END { print n + 0 }')
echo "PASS: with sanitizers, $checks checks"
