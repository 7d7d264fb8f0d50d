#!/bin/sh
# The same test as tests/interop/strongswan-self.sh, on a kernel that has ESP: so the machine and the peer are shown to work.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/run" -t 120 -- bash "$here/../interop/strongswan-self.sh"
