#!/bin/sh
# tests/interop/libreswan-main.sh on a kernel that has ESP. There is no network in there, so libreswan is fetched before.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
"$here/../interop/libreswan-fetch" "$top_builddir/libreswan" || exit
exec "$here/run" -t 300 -- env top_builddir="$top_builddir" bash "$here/../interop/libreswan-main.sh"
