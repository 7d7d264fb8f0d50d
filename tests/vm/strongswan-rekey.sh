#!/bin/sh
# tests/interop/strongswan-rekey.sh on a kernel that has ESP.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
exec "$here/run" -t 300 -- env top_builddir="$top_builddir" bash "$here/../interop/strongswan-rekey.sh"
