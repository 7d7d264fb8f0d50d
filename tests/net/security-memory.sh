#!/bin/bash
# Keys and preshared secrets are gone from the memory of every process once they are not needed: those of an SA when it is deleted,
# the secret when it is no longer in the secrets file. Looked for in the real memory of pluto and of both processes of klips.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/pluto.sh"

lab_begin "nothing is left in memory" python3 pgrep
pluto_need
canary=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
for id in east west; do
	pluto_secret "$id" "$canary"
	mkdir -m 700 "$LAB_DIR/$id/keys"
done
lab_gateways
for id in east west; do
	pluto_start "$id" "$id" --wireshark-keys "$LAB_DIR/$id/keys"
	# shellcheck disable=SC2086 # the words of one command line
	pluto_whack "$id" $PLUTO_SECRET --ike aes256-sha256-modp2048 --esp aes256-sha256 >"$LAB_DIR/$id.add.log" 2>&1 ||
		lab_fail "pluto $id refuses the connection"
	pluto_whack "$id" --listen >"$LAB_DIR/$id.listen.log" 2>&1 || lab_fail "pluto $id does not listen"
done

# look.py NAME=TEXT-OR-0xHEX... -- PID...: how often each stands in the memory that these processes may write
cat >"$LAB_DIR/look.py" <<'PY'
import sys
at = sys.argv.index('--')
needles = {}
for word in sys.argv[1:at]:
	name, value = word.split('=', 1)
	needles[name] = bytes.fromhex(value[2:]) if value.startswith('0x') else value.encode()
found = dict.fromkeys(needles, 0)
for pid in sys.argv[at + 1:]:
	with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as mem:
		for line in maps:
			span, mode = line.split()[:2]
			if not mode.startswith('rw') or '[vvar' in line:
				continue
			start, end = (int(x, 16) for x in span.split('-'))
			try:
				mem.seek(start)
				data = mem.read(end - start)
			except OSError:
				continue
			for name, value in needles.items():
				n = data.count(value)
				found[name] += n
				if n:
					print(f'{name}: {n} in {line.split()[-1]} of', open(f'/proc/{pid}/comm').read().strip(), hex(end - start - data.find(value)), file=sys.stderr)
print(' '.join(f'{name}={n}' for name, n in found.items()))
PY
processes() {
	local pid=${LAB_PID[$1]} child
	echo "$pid"
	for child in $(pgrep -P "$pid"); do
		echo "$child"
		pgrep -P "$child"
	done
}
look() { python3 -B "$LAB_DIR/look.py" "$@" 2>"$LAB_DIR/look.log"; }

# Whoever takes a signal leaves its registers on its stack, with what it was just copying.
for i in {1..3000}; do kill -CHLD "${LAB_PID[east]}" "${LAB_PID[west]}"; done &
lab_check "negotiated" pluto_whack east --name secret --initiate
keys=$(awk -F, '{ gsub("\"", ""); for (i = 6; i <= 8; i += 2) if (length($i) >= 34) print "esp" ++n "=" substr($i, 1, 34) }' "$LAB_DIR/east/keys/esp_sa")
ike=$(sed -n '1s/.*,/ike=0x/p' "$LAB_DIR/east/keys/ikev1_decryption_table")
[ "$(echo "$keys" | wc -l)" -ge 4 ] || lab_fail "only these keys are known: $keys"
for id in east west; do
	# shellcheck disable=SC2046,SC2086 # words
	answer=$(look secret="$canary" $ike $keys -- $(processes $id))
	case $answer in *=0*) case $answer in *ike=0*|*secret=0*) lab_fail "$id: what is in use is not found: $answer" ;; esac ;; esac
	lab_ok "$id, while the SA is up: $answer"
done
lab_check "taken down" pluto_whack east --delete --name secret
lab_check "and on the other side" pluto_whack west --delete --name secret
sleep 1
for id in east west; do
	# shellcheck disable=SC2046,SC2086 # words
	answer=$(look $ike $keys -- $(processes $id))
	case $answer in *=[1-9]*) cat "$LAB_DIR/look.log"; lab_fail "$id keeps keys: $answer" ;; esac
	lab_ok "$id: no key of the SAs is left"
	(umask 077; echo ': PSK "another secret, of no consequence"' >"$LAB_DIR/$id/secrets")
	lab_check "$id reads the secrets anew" pluto_whack "$id" --listen
	# shellcheck disable=SC2046 # words
	answer=$(look secret="$canary" -- $(processes $id))
	[ "$answer" = secret=0 ] || { cat "$LAB_DIR/look.log"; lab_fail "$id keeps the secret: $answer"; }
	lab_ok "$id: the secret is not left either"
done
pluto_stop east
pluto_stop west
lab_end
