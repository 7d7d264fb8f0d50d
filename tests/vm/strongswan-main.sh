#!/bin/sh
# pluto's klips against strongSwan on a kernel that has ESP: the same test as tests/interop/strongswan-main.sh, with pings.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
exec "$here/run" -t 300 -- env top_builddir="$top_builddir" bash "$here/../interop/strongswan-main.sh"
