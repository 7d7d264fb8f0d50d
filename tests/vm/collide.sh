#!/bin/sh
# tests/interop/collide.sh on a kernel that has ESP.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
"$here/../interop/libreswan-fetch" "$top_builddir/libreswan" || exit
exec "$here/run" -t 400 -- env top_builddir="$top_builddir" bash "$here/../interop/collide.sh" "$@"
