#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is shown about the engine by going through every case.
load helper

@test "every size there can be is in one class, and every block of its fitting class holds it" {
	run "$ROOT/build/proof/heap_classes"
	assert_success
	assert_contains "all 2684354" # 2^28, less the few that a word cannot say
}

@test "lists stay well formed whatever is pushed or removed, and damaged links are not followed" {
	run "$ROOT/build/proof/heap_lists"
	assert_success
	assert_contains "of 6 blocks in 3 lists"
}

@test "every byte of a pool is in the part that division says, whatever the size of parts" {
	run "$ROOT/build/proof/parts"
	assert_success
	assert_contains "16384 sizes, every page of 4 GiB"
}
