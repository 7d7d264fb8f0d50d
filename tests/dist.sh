#!/bin/bash
# The tarball builds, installs and cleans up from a read-only source folder, without Python and re2c. Its tests are those of
# the checkout, so only the rings that need no root and little time are run again.
: "${top_builddir:=$(pwd)}"
# This make is no part of the one that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL
no=$(command -v false)
make -C "$top_builddir" distcheck TESTS="${DIST_TESTS-tests/house.sh}" \
	DISTCHECK_CONFIGURE_FLAGS="PYTHON3=$no RE2C=$no" || exit 1
echo "PASS: the tarball, 1 checks"
