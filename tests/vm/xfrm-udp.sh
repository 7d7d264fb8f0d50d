#!/bin/sh
# ESP in UDP by the kernel's own IPsec, on a kernel that has it: xfrm-udp-inside.sh says what is tried; and the tests of tests/net with
# a NAT, by this kernel. Two SAs first, for which it loads its modules: else each of the tests waits for all of them at once.
here=$(cd "$(dirname "$0")" && pwd)
: "${top_builddir:=$(pwd)}"
# shellcheck disable=SC2016 # for the machine's shell
exec "$here/run" -t 600 -- env top_builddir="$top_builddir" PLUTO_KERNEL=xfrm sh -c '
	key=0x000102030405060708090a0b0c0d0e0f
	sa="ip xfrm state add src 127.0.0.1 dst 127.0.0.1 proto esp"
	$sa spi 0x100 mode tunnel enc "cbc(aes)" $key auth-trunc "hmac(sha256)" $key${key#0x} 128
	$sa spi 0x101 mode tunnel aead "rfc4106(gcm(aes))" ${key}${key#0x}01234567 128
	ip xfrm state deleteall
	modprobe -a iptable_nat xt_nat nf_conntrack_netlink
	exec bash "$@"' modules \
	"$here/side-by-side.sh" "$here/xfrm-udp-inside.sh" "$here/../net/nat-one.sh" "$here/../net/nat-two.sh"
