#!/bin/sh
# tests/interop/strongswan-xauth.sh on a kernel that has ESP: the address that strongSwan gives carries pings.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
exec "$here/run" -t 400 -- env top_builddir="$top_builddir" bash "$here/../interop/strongswan-xauth.sh"
