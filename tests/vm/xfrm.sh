#!/bin/sh
# pluto with the kernel's own IPsec, on a kernel that has it: xfrm-inside.sh says what is tried.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
exec "$here/run" -t 600 -- env top_builddir="$top_builddir" bash "$here/xfrm-inside.sh"
