#!/bin/sh
# pluto's klips against strongSwan on a kernel that has ESP, negotiated in Aggressive Mode, with pings.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
exec "$here/run" -t 400 -- env top_builddir="$top_builddir" bash "$here/../interop/strongswan-aggressive.sh"
