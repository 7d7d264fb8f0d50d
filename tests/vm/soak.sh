#!/bin/sh
# The short form of tests/interop/soak: two plutos, a minute, every twentieth packet lost.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../interop/soak" --minutes 1 --loss 5
