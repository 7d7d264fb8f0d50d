#!/bin/sh
# ESP in UDP by the kernel's own IPsec, on a kernel that has it: xfrm-udp-inside.sh says what is tried; and the tests of tests/net with
# a NAT, by this kernel.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
# shellcheck disable=SC2016 # for the machine's shell
exec "$here/run" -t 600 -- env top_builddir="$top_builddir" PLUTO_KERNEL=xfrm sh -c '
	"$1" || exit
	shift
	modprobe -a iptable_nat ip6table_nat xt_nat nf_conntrack_netlink
	exec bash "$@"' modules "$here/load-modules" \
	"$here/side-by-side.sh" "$here/xfrm-udp-inside.sh" "$here/../net/nat-one.sh" "$here/../net/nat-two.sh" \
	"$here/../net/nat-ipcomp.sh" "$here/../net/nat-six.sh" "$here/../net/nat-l2tp.sh"
