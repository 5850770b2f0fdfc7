#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the C standard, POSIX and glibc say about malloc's family, to the letter: each victim
# runs in a program no rule matches, and again with every thread of it in a locked pool.
load helper
load victims

@test "every block of every size is 16-byte aligned and usable to its last byte" {
	both_ways conform_align
}

@test "free keeps errno, and success leaves it alone" {
	both_ways conform_errno
}

@test "every NULL comes with ENOMEM, overflow included, and changes nothing" {
	both_ways conform_enomem
}

@test "size 0 and NULL: unique blocks, realloc frees, contents go along" {
	both_ways conform_zero
}

@test "calloc is zero in memory that was used before" {
	both_ways conform_calloc
}

@test "the aligned family takes every alignment glibc takes" {
	both_ways conform_memalign
}

@test "free_sized and free_aligned_sized" {
	both_ways conform_sized
}

@test "mallinfo, malloc_info, malloc_trim, mallopt and malloc_stats answer sanely" {
	both_ways conform_info
}

@test "__libc_malloc and kin, and blocks that libc hands out" {
	both_ways conform_libc
}

@test "a program linked with jemalloc mixes mallocx with free" {
	both_ways conform_jemalloc
}

@test "four threads exchange, resize and free each other's blocks" {
	both_ways conform_mixed
}
