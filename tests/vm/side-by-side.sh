#!/bin/bash
# Run inside of the machine of tests/vm/run: several test scripts at once, which wait more than they compute. Each makes a laboratory
# of its own.
#   side-by-side.sh SCRIPT...
# Shows what each said. Exit status: that of the first that did not pass, else 0.
pids=() status=0
for script; do
	bash "$script" >"$OUT/${script##*/}.log" 2>&1 </dev/null &
	pids+=($!)
done
for script; do
	wait "${pids[0]}"
	one=$?
	pids=("${pids[@]:1}")
	echo "--- ${script##*/}"
	cat "$OUT/${script##*/}.log"
	[ $one = 0 ] || [ $status != 0 ] || status=$one
done
exit $status
