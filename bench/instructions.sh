#!/bin/bash
# SPDX-License-Identifier: MIT
# instructions.sh SIZE... - instructions a malloc/free pair (BENCH_PROGRAM=throw: an exception
# through SIZE frames) under the LD_PRELOAD, RTMEM_CONF
# and BENCH_RT of the environment: two runs of callgrind, only the main thread counted, and
# the difference divided by the difference of pairs. Start and exit cancel out.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
few=1000
program=${BENCH_PROGRAM:-pair}
many=41000
only=(--toggle-collect=pairs) # not the clock's calibration, which differs from run to run
[ "$program" = pair ] || few=100 many=1100 only=()
work=$(mktemp -d "${TMPDIR:-/tmp}/rtmem-cg.XXXXXX")
trap 'rm -rf "$work"' EXIT

# count SIZE PAIRS: instructions of the main thread
count() {
	valgrind --tool=callgrind --separate-threads=yes "${only[@]}" --callgrind-out-file="$work/out" \
		"$B/bench/$program" run "$1" "$2" >/dev/null 2>&1
	sed -n 's/^totals: //p' "$work/out-01"
}

for size; do
	[ "$size" -le 65536 ] || many=2000
	printf ' %s' "$((($(count "$size" "$many") - $(count "$size" "$few")) / (many - few)))"
done
echo
