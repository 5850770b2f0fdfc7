#!/bin/bash
# SPDX-License-Identifier: MIT
# site.sh - what a call-site rule costs: instructions by callgrind (two runs, the difference
# divided by the difference of pairs; exact for a given compiler), and time (shortest of many
# rounds on one processor, modes interleaved), beside peers that take the same 8 frames.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
LIB=$PWD/$B/librtpreload.so
few=1000 many=11000
turns=${TURNS:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/rtmem-site.XXXXXX")
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD

# policy NAME LINE…: a policy with one rule
policy() {
	local name=$1
	shift
	printf '%s\n' '[pool site]' 'size = 1M' '[rule site]' 'pool = site' "$@" >"$work/$name"
}
policy plain 'thread = asker'
policy first 'thread = asker' 'callsite = site_pair!pair'
policy deep 'thread = asker' 'callsite = site_pair!frame8' 'depth = 8'
policy deepno 'thread = asker' 'callsite = site_pair!nobody' 'depth = 8'
policy deepfp 'thread = asker' 'callsite = site_pair_fp!frame8' 'depth = 8'
policy none 'thread = nobody'

modes=(none plain first deep deepno deepfp)
text() {
	case $1 in
	none) echo "no rule matches the thread" ;;
	plain) echo "matched, no call site asked" ;;
	first) echo "matched by the immediate caller" ;;
	deep) echo "depth 8, matched by the 8th frame, seen before" ;;
	deepno) echo "depth 8, no frame matches, seen before" ;;
	deepfp) echo "depth 8, matched by the 8th frame, all with frame pointers" ;;
	walked) echo "glibc malloc after unw_backtrace of 8 frames (libunwind)" ;;
	backtrace) echo "glibc malloc after backtrace of 8 frames (glibc)" ;;
	glibc) echo "glibc malloc, no stack taken" ;;
	esac
}

collected() {
	sed -n 's/.*Collected : //p'
}

# program MODE
program() {
	[ "$1" = deepfp ] && echo "$B/bench/site_pair_fp" || echo "$B/bench/site_pair"
}

# count MODE PAIRS: instructions of the main thread
count() {
	RTMEM_CONF=$work/$1 LD_PRELOAD=$LIB valgrind --tool=callgrind --separate-threads=yes \
		--callgrind-out-file="$work/out" "$(program "$1")" pair "$2" >/dev/null 2>&1
	sed -n 's/^totals: //p' "$work/out-01"
}

instructions() {
	echo $((($(count "$1" $many) - $(count "$1" $few)) / (many - few)))
}

question() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$B/bench/site" "$1" "$2" 2>&1 |
		collected
}

per_question() {
	echo $((($(question "$1" $many) - $(question "$1" $few)) / (many - few)))
}

# nanoseconds MODE: one turn, on the last processor
nanoseconds() {
	local cpu

	cpu=$(($(nproc) - 1))
	case $1 in
	walked | backtrace) taskset -c $cpu "$B/bench/site_pair" "$1" 20000 20 ;;
	glibc) taskset -c $cpu "$B/bench/site_pair" pair 100000 20 ;;
	*) RTMEM_CONF=$work/$1 LD_PRELOAD=$LIB taskset -c $cpu "$(program "$1")" pair 100000 20 ;;
	esac
}

echo "# make bench-site"
echo "# $(uname -srm), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors"
echo "# ${CC:-cc} $(${CC:-cc} -dumpfullversion), $(dpkg-query -W -f '${Package} ${Version}, ' libc6 libunwind8 2>/dev/null)shortest of $((turns * 20)) rounds"
echo "malloc(64) and free below 8 frames: instructions, ns, and ns more than a matched pair that asks nothing"
declare -A ns
for ((i = 0; i < turns; i++)); do
	for m in "${modes[@]}" glibc walked backtrace; do
		ns[$m]=$({ nanoseconds "$m" && echo "${ns[$m]:-1e9}"; } | sort -g | head -1)
	done
done
row() { # mode, base, instructions
	awk -v n="$3" -v t="${ns[$1]}" -v b="${ns[$2]}" -v text="$(text "$1")" \
		'BEGIN { printf "  %6s %9.2f %9.2f  %s\n", n, t, t - b, text }'
}
for m in "${modes[@]}"; do
	row "$m" plain "$(instructions "$m")"
done
for m in glibc walked backtrace; do
	row "$m" glibc -
done
empty=$(per_question empty)
echo "instructions of a question that calloc, realloc or a rule with sizes asks ($empty for the call alone, taken off):"
while read -r mode what; do
	printf '  %6d  %s\n' $(($(per_question "$mode") - empty)) "$what"
done <<-END
	hit immediate caller, seen before
	first immediate caller, new address
	walked depth 8, remembered, with frame pointers
	walk depth 8, walked by cached recipes, with frame pointers
END
