#!/bin/sh
# The pairwise part of tests/interop/matrix; each kind of thing with each other, once at least.
here=$(cd "$(dirname "$0")" && pwd)
exec python3 -B "$here/../interop/matrix"
