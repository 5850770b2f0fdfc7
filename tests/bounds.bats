#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The worst malloc and free of a matched thread, counted instruction by instruction.
load helper

# count STATE POLICY TABLE CPU: runs all adversaries; output and exit status into files of STATE.
count() {
	local out=$BATS_FILE_TMPDIR/$1

	for _ in 1 2 3; do
		# what does not repeat is another thread of a busy machine
		RTMEM_CONF=$2 preloaded taskset -c "$4" "$ROOT/build/bench/bounds" "$3" >"$out" 2>&1
		echo $? >"$out.status"
		[ "$(cat "$out.status")" -ne 0 ] || break
	done
}

my_cpus() {
	sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status | tr , '\n' |
		awk -F- '{ for (i = $1; i <= (NF > 1 ? $2 : $1); i++) print i }'
}

# Each instruction is a signal, so a run takes minutes: both go side by side, from here on.
setup_file() {
	local cpus results=$ROOT/bench/results

	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR clean_environment
	mapfile -t cpus < <(my_cpus)
	count ready "$ROOT/bench/bounds.conf" "$results/bounds.txt" "${cpus[0]}" 3>&- &
	sed 's/^size = .*/size = 8M/' "$ROOT/bench/bounds.conf" >"$BATS_FILE_TMPDIR/full.conf"
	count full "$BATS_FILE_TMPDIR/full.conf" "$results/bounds-full.txt" "${cpus[-1]}" 3>&- &
	wait
}

# bounded STATE: all adversaries stay within what the table states.
bounded() {
	output=$(cat "$BATS_FILE_TMPDIR/$1") status=$(cat "$BATS_FILE_TMPDIR/$1.status")
	assert_success
	for adversary in random comb flood flood-comb edges ladder odd; do
		assert_contains "$adversary"
	done
}

@test "no malloc and no free takes more instructions than bench/results/bounds.txt states" {
	bounded ready
}

@test "nor does one in a pool that is nearly full, than bounds-full.txt states" {
	bounded full
}

@test "a figure above the table is noticed" {
	sed 's/^stated *[0-9]*/stated 20/' "$ROOT/bench/results/bounds.txt" >"$BATS_TEST_TMPDIR/table"
	RTMEM_CONF=$ROOT/bench/bounds.conf run preloaded taskset -c "$(my_cpus | head -n 1)" "$ROOT/build/bench/bounds" \
		"$BATS_TEST_TMPDIR/table" random
	assert_failure 1
	assert_contains "rose: random"
}

@test "librtpreload(7) names the stated figures" {
	for column in 2 3; do
		call=$([ $column = 2 ] && echo malloc || echo free)
		worst=$(awk -v c=$column '$1 == "stated" { print $c }' "$ROOT/bench/results/bounds.txt")
		full=$(awk -v c=$column '$1 == "stated" { print $c }' "$ROOT/bench/results/bounds-full.txt")
		grep -qx "\.It Fn $call Ta $worst Ta $full" "$ROOT/man/librtpreload.7"
	done
}

@test "a pool can be filled to 84 per cent and more, in every mix where headers leave as much" {
	run "$ROOT/build/bench/fit" 4
	assert_success
	mapfile -t average < <(awk '!/^#/ { print int($(NF - 4)) }' <<<"$output")
	least=(77 85 84 88 84) # of 82 in the first: blocks that small have headers
	[ ${#average[@]} -eq ${#least[@]} ]
	for i in "${!least[@]}"; do
		[ "${average[i]}" -ge "${least[i]}" ] || explain "mix $((i + 1))"
	done
}
