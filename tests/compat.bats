#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The other families of calls on the same pools: INtime, OSMalloc, CMMemoryPool, area_malloc.
load helper

# linked CMD…: run a program that is linked with the library.
linked() {
	LD_LIBRARY_PATH=$ROOT/build "$@"
}

@test "contiguous memory is found, verified, pinned, and stays where it is" {
	run "$UNIT/phys"
	assert_success
}

@test "without CAP_SYS_ADMIN one huge page is proved contiguous, and more is refused" {
	run unprivileged 8192 "$UNIT/phys" small
	assert_success
}

@test "AllocateRtMemoryEx: contiguous, between filters, aligned; each documented error" {
	run linked "$PROG/compat_intime"
	assert_success
	assert_output ""
}

@test "AllocateRtMemoryEx without the privilege: up to 2 MiB, else E_MEM and one line that says what" {
	run unprivileged 8192 env LD_LIBRARY_PATH="$ROOT/build" "$PROG/compat_intime" unprivileged
	assert_success
	assert_contains "CAP_SYS_ADMIN"
}

@test "AllocateRtMemoryEx in a full address space: E_VMEM" {
	run linked "$PROG/compat_intime" vmem
	assert_success
	assert_output ""
}
