#!/bin/bash
# What pluto leaves open on its host: nothing to other users, no descriptor to a child, no library it does not need; what strangers send
# reaches the log as printable characters only, and a flood of it fills neither log nor memory.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/control.sh"
control_begin "the host is safe" python3 ldd

# F14: no library but these
allowed='linux-vdso|ld-linux.*|libc|libm|libgcrypt|libgpg-error|libgmp|libuv|libjansson|libcap-ng|libseccomp|libmnl|libpthread|libdl|librt|libasan|libubsan|libgcc_s|libstdc\+\+|libresolv|libz|libunbound|libevent.*|libssl|libcrypto|libhogweed|libnettle|libnghttp2|libprotobuf-c'
for program in "$PLUTO" "$WHACK" "${PLUTO%/*}/klips" "${PLUTO%/*}/rsasigkey"; do
	[ -x "$program" ] || continue
	other=$(ldd "$program" | awk '{ print $1 }' | sed 's/.*\///; s/\.so.*//' | grep -vxE "$allowed")
	[ -z "$other" ] || fail "$program needs $other"
done
if command -v readelf >/dev/null; then
	for program in "$PLUTO" "$WHACK" "${PLUTO%/*}/klips"; do
		readelf -dW "$program" | grep -q BIND_NOW || fail "$program binds symbols late: vector registers, with keys, go to its stack"
	done
fi
ok "pluto, whack, klips and rsasigkey need only the libraries they should"

# F6, F4, F8: modes of what pluto makes
umask 000
mkdir -m 700 "$DIR/keys"
control_start --debug-all --record "$DIR/rec" --wireshark-keys "$DIR/keys"
umask 077
for file in "$DIR/pluto.ctl" "$DIR/rec" "$DIR"/keys/*; do
	[ "$(stat -c %a "$file")" = 600 ] || fail "$file has mode $(stat -c %a "$file")"
done
ok "what pluto makes is for its owner alone, whatever the umask"

# F2, D11
for fd in /proc/"$PID"/fd/*; do
	number=${fd##*/}
	# What we ourselves have open was inherited; before a script is run that is closed, too (klips-updown.sh).
	[ "$number" -gt 2 ] && [ ! -e "/proc/$$/fd/$number" ] || continue
	flags=$(sed -n 's/^flags:[[:space:]]*//p' "/proc/$PID/fdinfo/$number" 2>/dev/null) || continue
	[ -z "$flags" ] || [ $((0$flags & 02000000)) != 0 ] || fail "descriptor $number ($(readlink "$fd")) goes to children"
done
ok "no descriptor goes to a child"
check "no core file is written" grep -Eq 'Max core file size +0 +0' "/proc/$PID/limits"
control_end_pluto
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$DIR"
	mkdir -m 700 "$DIR/user"
	(umask 077; echo ': PSK "of no consequence"' >"$DIR/user/secrets")
	chown -R 65534 "$DIR/user"
	if setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$PLUTO"; then
		setpriv --reuid 65534 --regid 65534 --clear-groups "$PLUTO" --noklips --stderrlog --nofork --ikeport "$PORT" --listen 127.0.0.1 \
			--ctlbase "$DIR/user/pluto" --secretsfile "$DIR/user/secrets" >"$DIR/user.log" 2>&1 </dev/null &
		PID=$!
		for ((i = 0; i < 50; i++)); do
			[ ! -S "$DIR/user/pluto.ctl" ] || break
			sleep 0.1
		done
		[ -S "$DIR/user/pluto.ctl" ] || { cat "$DIR/user.log"; fail "pluto of a user does not start"; }
		[ "$(stat -c %u "/proc/$PID/mem")" = 0 ] || fail "its memory may be read by its user"
		setpriv --reuid 65534 --regid 65534 --clear-groups cat "/proc/$PID/environ" >"$DIR/out" 2>&1 && fail "its environment may be read by its user"
		kill "$PID"
		wait "$PID"
		PID=
		ok "other processes of the same user cannot look into it"
	fi
fi

# F7: every octet that a stranger may send, in each payload that is shown
control_start --debug-all
whack --name peer --host 127.0.0.1 --ikeport "$PORT" --to --host 127.0.0.9 --ikeport $((PORT + 9)) --psk >"$DIR/out" 2>&1 || fail "the connection"
whack --listen >"$DIR/out" 2>&1 || fail "whack --listen"
cat >"$DIR/attack" <<'PY'
import os, random, socket, struct, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.9', port + 9))
random.seed(4)
nasty = bytes(range(256)) + '\u202e\u2066'.encode() + b'\x1b[31m\x1b]0;owned\x07\r\n"\\#9 FAKE: established\n%s%n%x'
def payload(np, body):
	return struct.pack('>BBH', np, 0, len(body) + 4) + body
def message(xchg, first, body):
	return os.urandom(8) + bytes(8) + struct.pack('>BBBBII', first, 0x10, xchg, 0, 0 if xchg == 2 else 7, 28 + len(body)) + body
def sa():
	t = struct.pack('>BBHBBH', 0, 0, 8 + 20, 1, 1, 0) + bytes.fromhex('80010007800e0080800200048003000180040013')
	return struct.pack('>II', 1, 1) + struct.pack('>BBHBBBB', 0, 0, 8 + len(t), 1, 1, 0, 1) + t
sent = 0
while sent < count:
	for m in (
		message(2, 1, payload(13, sa()) + payload(0, nasty)),				# a vendor ID
		message(5, 11, payload(0, struct.pack('>IBBH', 1, 1, 0, 14) + nasty)),		# data of a notification
		message(5, 11, payload(0, struct.pack('>IBBH', 1, 1, 16, 65000) + nasty)),
		message(2, 5, payload(0, b'\x02\0\0\0' + nasty)),				# an identity
		message(2, 7, payload(0, b'\x04' + nasty)),
		message(32, 8, payload(0, nasty)),
		message(random.randrange(256), random.randrange(256), os.urandom(random.randrange(400))),
		os.urandom(random.randrange(60)),
	):
		s.sendto(m, ('127.0.0.1', port))
		sent += 1
PY
python3 -B "$DIR/attack" "$PORT" 80 || fail "the attack"
sleep 0.5
whack --status >"$DIR/status" 2>&1
lines=$(wc -l <"$DIR/log")
[ "$lines" -gt 200 ] || fail "only $lines lines: nothing was shown"
for file in log status; do
	LC_ALL=C grep -naP '[^\x20-\x7e\t]' "$DIR/$file" | head -n 3 | cat -v | grep . && fail "$file has characters that are not printable"
done
grep -q '^#9 FAKE' "$DIR/log" && fail "a stranger can write lines of his own"
ok "whatever strangers send, log and status are printable, line by line"
for name in $'\e[31mx' $'a\nb' 'a;b' '$(x)' '`x`' 'a b' '-x' '../x' 'x"y' "$(printf '\342\200\256x')"; do
	whack --name "$name" --host 127.0.0.1 --to --host 127.0.0.8 --psk >"$DIR/out" 2>&1 && fail "a connection may be named $name"
	LC_ALL=C grep -qaP '[^\x20-\x7e\t]' "$DIR/out" && fail "whack repeats a name that is not printable"
done
ok "names of connections that could do harm are refused"
control_end_pluto

# C4: a flood
control_start
whack --name peer --host 127.0.0.1 --ikeport "$PORT" --to --host 127.0.0.9 --ikeport $((PORT + 9)) --psk >"$DIR/out" 2>&1
whack --listen >"$DIR/out" 2>&1 || fail "whack --listen"
before=$(awk '/VmRSS/ { print $2 }' "/proc/$PID/status")
lines=$(wc -l <"$DIR/log")
start=$SECONDS
python3 -B "$DIR/attack" "$PORT" 40000 || fail "the attack"
check "pluto answers during a flood" timeout 5 "$WHACK" --ctlbase "$DIR/pluto" --status
took=$((SECONDS - start + 2))
lines=$(($(wc -l <"$DIR/log") - lines))
[ "$lines" -lt $((took * 400)) ] || fail "$lines lines in $took seconds"
grep -q "left out" "$DIR/log" || fail "the log does not say that lines are left out"
ok "40000 datagrams of strangers make $lines lines in $took seconds"
after=$(awk '/VmRSS/ { print $2 }' "/proc/$PID/status")
[ $((after - before)) -lt 20000 ] || fail "memory grew from $before to $after kB"
ok "and cost $((after - before)) kB"
control_end_pluto
control_end
