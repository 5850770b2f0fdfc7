#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh [PART...] - runs benches, every allocator in the same run, into bench/results/
#
# Parts: pair instructions throw mixed trace replay contended larson prodcons start. Each leaves one
# file with the command and the machine at its head, then one line an allocator, unfiltered.
# bench/summary.sh makes the tables of bench/results/README.md from them.
#
# Subjects: floor (bench/floor.h; of trace, a loop: its -f), glibc, the packaged peers, and rtmem: without a policy,
# with one that does not match the thread, matched, and with every thread matched (all).
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
LIB=${RTMEM_TEST_LIB:-$PWD/$B/librtpreload.so}
OUT=${BENCH_RESULTS:-bench/results}
CONF=$PWD/bench/bench.conf
PEERS=(glibc jemalloc mimalloc tcmalloc)
OURS=(rtmem-no-policy rtmem-unmatched rtmem-matched)
SIZES=(16 64 1024 4096 16384 32768 65536 262144 1048576)
unset LD_PRELOAD MALLOC_CONF

library_of() {
	case $1 in
	glibc) ;;
	jemalloc) echo libjemalloc.so.2 ;;
	mimalloc) echo libmimalloc.so.2.0 ;;
	tcmalloc) echo libtcmalloc_minimal.so.4 ;;
	rtmem-*) echo "$LIB" ;;
	esac
}

# under SUBJECT COMMAND...: in the environment that makes SUBJECT its allocator
under() {
	local conf='' rt=1

	[[ $1 != *-unmatched && $1 != *-matched ]] || conf=$CONF
	[[ $1 != *-all ]] || conf=$PWD/bench/all.conf
	[[ $1 != *-unmatched ]] || rt=0
	timeout "${LIMIT:-120}" env RTMEM_CONF="$conf" BENCH_RT=$rt LD_PRELOAD="$(library_of "$1")" "${@:2}"
}

# Quoted from the machine itself, so that a figure never stands without where it was made.
head_of() {
	echo "# bench/run.sh $1: $2"
	echo "# $(uname -srm), $(nproc) cpus, $(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo)"
	echo "# glibc $(getconf GNU_LIBC_VERSION | cut -d' ' -f2), load $(cut -d' ' -f1-3 /proc/loadavg)"
	echo "# $(dpkg-query -W -f '${Package} ${Version}, ' libjemalloc2 libmimalloc2.0 \
		libtcmalloc-minimal4 2>/dev/null | sed 's/, $//')"
}

# each COMMAND...: one line for each subject
each() {
	local s

	for s in "${PEERS[@]}" "${OURS[@]}"; do
		printf '%s' "$s"
		under "$s" "$@" || echo " failed"
	done
}

# best low|high: of lines that begin with the same name, the best of each column; in the
# order of first appearance. A machine that others use as well is slower at times, never faster.
best() {
	awk -v want="$1" '!($1 in n) { order[++k] = $1 }
		{ n[$1] = NF; for (i = 2; i <= NF; i++) if (!(($1, i) in v) ||
			(want == "low" ? $i < v[$1, i] : $i > v[$1, i])) v[$1, i] = $i + 0 }
		END { for (j = 1; j <= k; j++) { printf "%s", order[j]
			for (i = 2; i <= n[order[j]]; i++) printf " %s", v[order[j], i]; print "" } }'
}

ROUNDS=3

part_pair() {
	head_of pair "ns a malloc/free pair, best of $ROUNDS rounds, SCHED_FIFO 80 where the subject is not an unmatched rtmem"
	echo "# size ${SIZES[*]}"
	for _ in $(seq $ROUNDS); do
		printf 'floor'
		BENCH_RT=1 "$B/bench/pair" time floor
		each "$B/bench/pair" "time"
	done | best low
}

part_instructions() {
	local SIZES=(16 64 1024 4096 16384 32768 65536 262144)

	head_of instructions "instructions a malloc/free pair, callgrind"
	echo "# size ${SIZES[*]}"
	each bench/instructions.sh "${SIZES[@]}"
}

part_throw() {
	head_of throw "instructions of an exception, thrown through so many frames and caught, callgrind"
	echo "# frames 1 8 32"
	each env BENCH_PROGRAM=throw bench/instructions.sh 1 8 32
}

part_mixed() {
	local s

	head_of mixed "3,000,000 mixed operations of a SCHED_FIFO thread (bench/mixed.c)"
	for s in "${PEERS[@]}" rtmem-matched; do
		printf '%s ' "$s"
		under "$s" "$B/bench/mixed" 3000000 || :
	done
}

# trace ARGUMENT...: ours, the loop that takes as long as ours, the peers
trace() {
	local ours s

	ours=$(under rtmem-matched "$B/bench/trace" "$@" || echo " failed")
	echo "rtmem-matched$ours"
	printf 'floor'
	"$B/bench/trace" -f "$(awk '{ print $1 "," $7 }' <<<"$ours")" "$@" || echo " failed"
	for s in "${PEERS[@]}"; do
		printf '%s' "$s"
		under "$s" "$B/bench/trace" "$@" || echo " failed"
	done
}

part_trace() {
	local n

	head_of trace "ns: malloc p50 p99 p99.9 p99.99 max, ppm over 5 us, free the same, faults, class; floor: a loop as long as the p50 of rtmem"
	for n in 0 2; do
		echo "# period 1 ms, noise threads: $n"
		trace -n "$n"
		echo "# full rate, noise threads: $n"
		trace -p 0 -n "$n"
	done
}

# replay ARGUMENT...: as trace()
replay() {
	local CONF=$PWD/bench/replay.conf ours s

	ours=$(under rtmem-matched "$B/bench/replay" -r "$B/rtmem" "$@" || echo " failed")
	echo "rtmem-matched$ours"
	printf 'floor'
	"$B/bench/replay" -f "$(awk '{ print $1 "," $7 }' <<<"$ours")" "$@" || echo " failed"
	for s in "${PEERS[@]}"; do
		printf '%s' "$s"
		under "$s" "$B/bench/replay" "$@" || echo " failed"
	done
}

part_replay() {
	local t

	head_of replay "ns: malloc p50 p99 p99.9 p99.99 max, ppm over 5 us, free the same, faults, mallocs, of 100 served by the cache, requests the pool had no room for, class; floor: a loop as long as the p50 of rtmem; traces of bench/traces, pool of 4 MiB"
	for t in chuck pd hydrogen yoshimi vlc; do
		echo "# $t"
		replay "bench/traces/$t.txt"
	done
}

# contended CONF ARGUMENT...: one line for each subject, and the bare loop
contended() {
	local CONF=$PWD/bench/$1.conf LIMIT=20 s

	shift
	printf 'bare'
	"$B/bench/contended" -f "$@"
	for s in "${PEERS[@]}" rtmem-matched; do
		printf '%s' "$s"
		under "$s" "$B/bench/contended" "$@" || echo " failed"
	done
}

part_contended() {
	local n

	head_of contended "bench/contended.c, its arguments before each block; about 3 minutes"
	for _ in $(seq $ROUNDS); do
		echo "# fifo: calls, over 100 us, ppm, worst us, faults, waits, fallbacks, class"
		contended contended fifo
		echo "# -S fifo: the same"
		contended contended -S fifo
	done
	for _ in $(seq $ROUNDS); do
		echo "# full: seconds, calls over 100 us, worst us, faults, waits, fallbacks, growths, pool MiB, resident MiB, class"
		contended contended-grow full
	done
	for n in 1 2 3 4 8 16; do
		echo "# threads $n: wall ms least, median, most, fallbacks, growths, pool MiB, class"
		contended contended threads "$n"
		echo "# -o threads $n: the same"
		contended contended-all -o threads "$n"
	done
	echo "# untouched: ms, worst us, faults, waits, class"
	contended contended untouched
}

part_larson() {
	head_of larson "million operations a second, 2 threads, best of $ROUNDS rounds (bench/larson.c)"
	local OURS=(rtmem-no-policy rtmem-unmatched rtmem-all)
	for _ in $(seq $ROUNDS); do each "$B/bench/larson" 2 2; done | best high
}

part_prodcons() {
	head_of prodcons "million blocks a second from one thread to another, best of $ROUNDS rounds"
	local OURS=(rtmem-no-policy rtmem-unmatched rtmem-all)
	for _ in $(seq $ROUNDS); do each "$B/bench/prodcons" 2; done | best high
}

# whole NAME RUNS COMMAND...
whole() {
	echo "# $1: ${*:3}" | tr -s '\n\t' ' '
	echo
	RTMEM_CONF='' "$B/bench/cpu" "$2" none= jemalloc=libjemalloc.so.2 \
		"rtmem-no-policy=$LIB" "rtmem-unmatched=$LIB+$PWD/conf/rtmem.conf" -- "${@:3}" | sed "s/^/$1 /"
}

part_start() {
	head_of start "medians: program, preload, user+sys ms, wall ms, failed runs"
	whole true 200 /bin/true
	whole python3 20 /usr/bin/python3 -c 'd = {i: str(i) * 3 for i in range(200000)}; print(len(d))'
	# shellcheck disable=SC2016 # Perl expands them
	whole perl 20 /usr/bin/perl -e 'my %h; $h{$_} = "x" x ($_ % 50) for 1 .. 200000; print scalar keys %h'
	whole gcc 10 gcc -std=gnu17 -O2 -D_GNU_SOURCE -Ibench -c -o /dev/null bench/mixed.c
	whole sqlite 10 sqlite3 :memory: 'create table t(a, b); with recursive n(i) as (select 1
		union all select i + 1 from n where i < 100000) insert into t select i, hex(i) from n;
		create index x on t(b); select count(*), sum(length(b)) from t where b > 5'
}

[ $# -gt 0 ] || set -- pair instructions throw mixed trace replay contended larson prodcons start
mkdir -p "$OUT"
for part; do
	echo "== $part"
	"part_$part" | tee "$OUT/$part.txt"
done
