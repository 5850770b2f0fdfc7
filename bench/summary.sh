#!/bin/bash
# SPDX-License-Identifier: MIT
# summary.sh - bench/results/README.md from the raw files beside it: tables and ratios
set -eu
cd "$(dirname "$0")/results"

# table FILE HEADING COLUMN...: the lines of a raw file as a Markdown table
table() {
	local file=$1

	printf '\n## %s\n\n' "$2"
	sed -n '1s/^# bench\/run.sh [a-z]*: //p' "$file"
	echo
	shift 2
	printf '|'
	printf ' %s |' "" "$@"
	printf '\n|---|'
	printf '%.0s---:|' "$@"
	echo
	awk '!/^#/ { printf "| %s |", $1; for (i = 2; i <= NF; i++) printf " %s |", $i; print "" }' "$file"
}

# ratio FILE COLUMN OURS PEER: OURS / PEER in that column
ratio() {
	awk -v c="$2" -v o="$3" -v p="$4" '$1 == o { a = $c } $1 == p { b = $c }
		END { if (b > 0) printf "%.2f", a / b; else printf "?" }' "$1"
}

instructions() {
	local n=2 size

	mapfile -t sizes < <(sed -n 's/^# size //p' instructions.txt | tr ' ' '\n')
	table instructions.txt "Instructions a pair" "${sizes[@]}"
	printf '\nrtmem without a policy over jemalloc:'
	for size in "${sizes[@]}"; do
		printf ' %s: %s' "$size" "$(ratio instructions.txt $n rtmem-no-policy jemalloc)"
		n=$((n + 1))
	done
	echo
}

pair() {
	mapfile -t sizes < <(sed -n 's/^# size //p' pair.txt | tr ' ' '\n')
	table pair.txt "Nanoseconds a pair" "${sizes[@]}"
}

exceptions() {
	table throw.txt "Instructions of an exception" "1 frame" "8 frames" "32 frames"
}

mixed() {
	printf '\n## System calls and page faults of a realtime thread\n\n'
	sed -n '1s/^# bench\/run.sh [a-z]*: //p' mixed.txt
	printf '\n|  | system calls | page faults |\n|---|---:|---:|\n'
	awk '!/^#/ { for (i = 2; i < NF; i++) v[$i] = $(i + 1)
		printf "| %s%s | %s | %s |\n", $1, $NF == "ok" ? "" : " (" $NF " failed)",
			v["system_calls"], v["faults"] }' mixed.txt
}

# noise RATE N: the block of trace.txt at that rate beside N noise threads
noise() {
	awk -v r="# $1," -v n="$2" '/^#/ { on = index($0, r) == 1 && $NF == n } on && !/^#/' trace.txt
}

# best COLUMN: the lowest figure among the peers on standard input
best() {
	awk -v c="$1" '$1 !~ /rtmem|floor/ && (b == "" || $c < b) { b = $c } END { print b }'
}

# over RATE N COLUMN: ours over the best peer
over() {
	noise "$1" "$2" | awk -v c="$3" -v b="$(noise "$1" "$2" | best "$3")" \
		'$1 == "rtmem-matched" { printf "%.2f", $c / b }'
}

# beside_floor RATE N COLUMN FACTOR MORE: ours, and the floor's times FACTOR and MORE
beside_floor() {
	noise "$1" "$2" | awk -v c="$3" -v f="$4" -v m="$5" '$1 == "rtmem-matched" { a = $c }
		$1 == "floor" { b = $c } END { printf "%s of %.0f", a, b * f + m }'
}

trace() {
	local n rate

	printf '\n## The realtime trace\n\n200 blocks of 16 B .. 64 KiB a period, half freed by another thread; ns. Floor: a loop that takes as long as the p50 of rtmem; bench/trace.c.\n'
	for rate in 'period 1 ms' 'full rate'; do
		for n in 0 2; do
			printf '\n%s, %s noise threads:\n\n' "${rate^}" "$n"
			echo '|  | malloc p50 | p99 | p99.9 | p99.99 | worst | over 5 us, ppm | free p50 | p99 | p99.9 | p99.99 | worst | over 5 us, ppm | faults |'
			echo '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|'
			noise "$rate" "$n" | awk '{ printf "| %s |", $1; for (i = 2; i <= 14; i++) printf " %s |", $i; print "" }'
			printf '\nrtmem over the best peer: malloc p99.9 %s, p99.99 %s; free p99.99 %s.\n' \
				"$(over "$rate" "$n" 4)" "$(over "$rate" "$n" 5)" "$(over "$rate" "$n" 11)"
			printf 'rtmem, of 2 x the floor + 500 ns: malloc p99.9 %s, free %s; of 1.5 x the floor + 150 ppm over 5 us: malloc %s, free %s.\n' \
				"$(beside_floor "$rate" "$n" 4 2 500)" "$(beside_floor "$rate" "$n" 10 2 500)" \
				"$(beside_floor "$rate" "$n" 7 1.5 150)" "$(beside_floor "$rate" "$n" 13 1.5 150)"
		done
	done
}

# contended ARGUMENTS: the blocks of contended.txt with these
contended() {
	awk -v a="$1" '/^# / { on = index($0, "# " a ":") == 1 } on && !/^#/' contended.txt
}

# calls TITLE ARGUMENTS: the rounds together; counts added, the worst of the worst
calls() {
	contended "$2" | awk -v title="$1" '
		!($1 in n) { order[++k] = $1 }
		{ n[$1] += $2; over[$1] += $3; f[$1] += $6; w[$1] += $7
			if ($5 > worst[$1]) worst[$1] = $5
			if ($8 != "-") full[$1] += $8; else full[$1] = "-" }
		END { for (i = 1; i <= k; i++) { s = order[i]
			printf "| %s | %s | %.1f | %s | %d | %d | %s |\n", s, title,
				over[s] * 1e6 / n[s], worst[s], f[s], w[s], full[s] } }'
}

# threads TITLE OPTION: medians, a column for each number of threads, and ours over the best peer
threads() {
	local n

	for n in 1 2 3 4 8 16; do contended "$2threads $n"; done | awk -v title="$1" '
		!($1 in v) { order[++k] = $1 }
		{ v[$1] = v[$1] " | " $3 " (" $4 ")"; c[$1]++ }
		$1 !~ /bare|rtmem/ && (!(c[$1] in best) || $3 < best[c[$1]]) { best[c[$1]] = $3 }
		$1 ~ /rtmem/ { ours[c[$1]] = $3 }
		END { for (i = 1; i <= k; i++) printf "| %s, %s%s |\n", title, order[i], v[order[i]]
			printf "| %s, over the best peer |", title
			for (i = 1; i in ours; i++) printf " %.2f |", ours[i] / best[i]
			print "" }'
}

among_others() {
	printf '\n## A realtime thread among others\n\nbench/contended.c says what each does. Bare: the same program without an allocator.\n\n'
	echo 'Calls over 100 microseconds beside 4 threads that free and 4 that burn the processors:'
	printf '\n|  | filter | ppm | worst, us | faults | waits | fallbacks |\n|---|---|---:|---:|---:|---:|---:|\n'
	calls no fifo
	calls yes '-S fifo'
	printf '\n3 million operations at full speed, 37 MiB alive (rounds):\n\n'
	echo '|  | seconds | over 100 us | worst, us | faults | waits | fallbacks | growths | pool, MiB | resident, MiB |'
	echo '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|'
	contended full | awk '{ printf "| %s |", $1; for (i = 2; i < NF; i++) printf " %s |", $i; print "" }'
	printf '\nSo many threads at once, wall ms, median (most) of the rounds:\n\n'
	echo '|  | 1 | 2 | 3 | 4 | 8 | 16 |'
	echo '|---|---:|---:|---:|---:|---:|---:|'
	threads realtime ''
	threads ordinary '-o '
	printf '\n4,000 untouched blocks of 64 KiB freed by a realtime thread:\n\n'
	printf '|  | ms | worst, us | faults | waits |\n|---|---:|---:|---:|---:|\n'
	contended untouched | awk '{ printf "| %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5 }'
}

start() {
	printf '\n## Whole programs\n\nMedians in ms, and user + system time over plain preloaded jemalloc.\n\n'
	echo '| program | preload | user + system | wall | over jemalloc |'
	echo '|---|---|---:|---:|---:|'
	awk '!/^#/ && NF { if ($2 == "jemalloc") j[$1] = $3; l[++n] = $0 }
		END { for (i = 1; i <= n; i++) { split(l[i], f, " ")
			printf "| %s | %s | %s | %s | %.3f |\n", f[1], f[2], f[3], f[4], f[3] / j[f[1]] } }' start.txt
}

{
	echo "# Results"
	echo
	echo "Made by \`make bench\` from the raw files beside this one. Times hold as ratios within"
	echo "one run; counts of instructions, system calls and page faults are exact."
	echo
	sed -n '2,4s/^# /    /p' instructions.txt
	instructions
	exceptions
	mixed
	trace
	among_others
	pair
	start
	table larson.txt "Larson" "M operations/s"
	table prodcons.txt "Producer and consumer" "M blocks/s"
} >README.md
