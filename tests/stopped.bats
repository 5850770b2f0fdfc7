#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A realtime thread goes on, from its pool and without a system call, whoever is stopped, and
# at whatever instruction of the library (tests/prog/stopped.c says which are tried)
load helper

setup() {
	clean_environment
	policy < <(pool p 'size = 16M' && rule named p 'thread = rt, second, third' &&
		rule site p 'thread = site' 'callsite = stopped!elsewhere')
}

# pool NAME KEY…: the section of a pool that fails when it is full.
pool() {
	printf '[pool %s]\nlock = no\nwhen_full = fail\n' "$1"
	printf '%s\n' "${@:2}"
}

# rule NAME POOL KEY…
rule() {
	printf '[rule %s]\npool = %s\n' "$1" "$2"
	printf '%s\n' "${@:3}"
}

# goes_on CASE [ARG]: wherever the other thread is stopped on its way through that.
goes_on() {
	run preloaded "$PROG/stopped" "$@"
	assert_success
	assert_contains "$1: "
}

@test "it goes on wherever a thread of no rule is stopped that frees its small blocks" {
	goes_on free-small
}

@test "the same with large blocks" {
	goes_on free-large
}

@test "the same with blocks of another thread, too, of which the realtime thread frees others" {
	goes_on free-foreign
}

@test "it goes on wherever a matched thread is stopped whose cache runs over with its blocks" {
	goes_on matched-free-small
}

@test "the same with large blocks, which no cache holds" {
	goes_on matched-free-large
}

@test "the same with blocks of a third thread, too" {
	goes_on matched-free-foreign
}

@test "it goes on wherever a matched thread is stopped in malloc()" {
	goes_on malloc-own
}

@test "the same in a malloc() that a rule's call site sends to the pool" {
	goes_on malloc-site
}

@test "the same where that one is of the threads that share a heap behind a lock" {
	goes_on malloc-shared
}

@test "it goes on wherever a matched thread is stopped that ends" {
	goes_on exit
}

@test "it goes on wherever a thread is stopped that takes over the heap of one that has ended" {
	goes_on adopt
}

@test "it goes on wherever the helper is stopped that makes the pool larger" {
	policy < <(pool p 'size = 4M' 'max = 16M' && rule named p 'thread = rt, second, third')
	goes_on grow
}

@test "it goes on wherever the helper is stopped that sends it to another pool by a new policy" {
	policy < <(pool p 'size = 16M' && rule named p 'thread = rt, second, third')
	{
		pool p 'size = 16M' && rule named p 'thread = second, third'
		pool q 'size = 8M' && rule moved q 'thread = rt'
	} >"$BATS_TEST_TMPDIR/new"
	goes_on reload "$BATS_TEST_TMPDIR/new"
}

@test "where there is a lock, that of a pool of rtm_create_pool(), it is noticed" {
	run preloaded "$PROG/stopped" native
	assert_failure 1
	assert_contains "native: the realtime thread made a system call"
}
