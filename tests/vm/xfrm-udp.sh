#!/bin/sh
# ESP in UDP by the kernel's own IPsec, on a kernel that has it: xfrm-udp-inside.sh says what is tried.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
exec "$here/run" -t 300 -- env top_builddir="$top_builddir" bash "$here/xfrm-udp-inside.sh"
