#!/bin/sh
# What begins and ends by itself with the kernel's own IPsec, on a kernel that has it: xfrm-life-inside.sh says what is tried.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
exec "$here/run" -t 600 -- env top_builddir="$top_builddir" bash "$here/xfrm-life-inside.sh"
