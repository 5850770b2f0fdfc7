#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The worst malloc and free of a matched thread, counted instruction by instruction.
load helper

@test "no malloc and no free takes more instructions than bench/results/bounds.txt states" {
	# what does not repeat is the helper at the pool's lock, on a machine that is busy
	for _ in 1 2 3; do
		RTMEM_CONF=$ROOT/bench/bounds.conf run preloaded taskset -c 0 \
			"$ROOT/build/bench/bounds" "$ROOT/bench/results/bounds.txt"
		[ "$status" -ne 0 ] || break
	done
	assert_success
	for adversary in random comb flood flood-comb edges ladder odd; do
		assert_contains "$adversary"
	done
}

@test "a figure above the table is noticed" {
	sed 's/^stated *[0-9]*/stated 20/' "$ROOT/bench/results/bounds.txt" >"$BATS_TEST_TMPDIR/table"
	RTMEM_CONF=$ROOT/bench/bounds.conf run preloaded taskset -c 0 "$ROOT/build/bench/bounds" \
		"$BATS_TEST_TMPDIR/table" random
	assert_failure 1
	assert_contains "rose: random"
}

@test "librtpreload(7) names the stated figures" {
	for column in 2 3; do
		call=$([ $column = 2 ] && echo malloc || echo free)
		worst=$(awk -v c=$column '$1 == "stated" { print $c }' "$ROOT/bench/results/bounds.txt")
		grep -qx "\.It Fn $call Ta $worst" "$ROOT/man/librtpreload.7"
	done
}
