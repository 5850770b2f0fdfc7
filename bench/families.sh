#!/bin/bash
# SPDX-License-Identifier: MIT
# families.sh - contiguous memory, and frames beside three allocators, into bench/results/
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
OUT=${BENCH_RESULTS:-bench/results}
export RTMEM_CONF='' LD_LIBRARY_PATH=$PWD/$B

head_of() {
	echo "# bench/families.sh: $1"
	echo "# $(uname -srm), $(nproc) cpus, $(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo)"
	echo "# load $(cut -d' ' -f1-3 /proc/loadavg), MiB free $(free -m | awk '/^Mem/ { print $4 }'), huge pages reserved $(cat /proc/sys/vm/nr_hugepages)"
}

# A rule whose pool holds none of the frames.
rule=$B/bench/frames.conf
cat >"$rule" <<-'END'
	[pool small]
	size = 256K
	[rule frames]
	thread = frames
	pool = small
	recycle = 0.5s
END

mkdir -p "$OUT"
{
	head_of "AllocateRtMemoryEx(size, 0, all, 0): successes, ms (fastest, median, slowest)"
	"$B/bench/contiguous"
} | tee "$OUT/contiguous.txt"
{
	head_of "allocate, write, free, 4 frames in flight: microseconds and faults a frame"
	printf 'glibc      '
	"$B/bench/frames"
	printf 'jemalloc   '
	LD_PRELOAD=libjemalloc.so.2 "$B/bench/frames"
	printf 'mimalloc   '
	LD_PRELOAD=libmimalloc.so.2.0 "$B/bench/frames"
	printf 'rtmem rule '
	RTMEM_CONF=$rule LD_PRELOAD=$PWD/$B/librtpreload.so "$B/bench/frames"
	printf 'rtmem pool '
	LD_PRELOAD=$PWD/$B/librtpreload.so "$B/bench/frames" pool
} | tee "$OUT/frames.txt"
