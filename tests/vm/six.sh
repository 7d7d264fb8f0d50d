#!/bin/sh
# IPv6 with the kernel's own IPsec, and with strongSwan on it: six-inside.sh says what is tried.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
exec "$here/run" -t 600 -- env top_builddir="$top_builddir" bash "$here/six-inside.sh"
