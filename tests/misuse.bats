#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Blocks of a realtime thread freed twice, freed where they do not begin, written beyond:
# each ends the program by SIGABRT, with one line that names what, where, pool and rule.
load helper

# dies CASE WHAT: what that case of tests/prog/misuse_*.c comes to.
dies() {
	local where='in pool "p"' program=misuse_where

	[[ $1 != odd_* ]] || where='in no pool'
	[[ $1 != twice_* && $1 != realloc_* ]] || program=misuse_twice
	policy <<-END
		[pool p]
		size = 16M
		lock = try
		when_full = fail
		[rule second]
		thread = second
		pool = p
		[rule r]
		thread = rt-*
		pool = p
	END
	ulimit -c 0
	run preloaded timeout 150 "$PROG/$program" "$1"
	assert_failure 134
	[[ "${lines[0]}" =~ ^rtmem:\ .*"$2".*:\ 0x[0-9a-f]+\ "$where (rule \"r\")"$ ]] ||
		explain "expected the misuse to be named"
	# beside it, only what the shell says of the signal
	[ "$(grep -c rtmem <<<"$output")" -eq 1 ] || explain "expected one line"
}

@test "every case of misuse has its test" {
	for name in $("$PROG/misuse_twice") $("$PROG/misuse_where"); do
		grep -q "dies $name " "$BATS_TEST_FILENAME" || explain "$name has none"
	done
}

@test "a block of one byte freed twice" {
	dies twice_tiny "double free"
}

@test "a small block freed twice" {
	dies twice_small "double free"
}

@test "a large block freed twice" {
	dies twice_large "double free"
}

@test "a huge block freed twice" {
	dies twice_huge "double free"
}

@test "freed by a thread of another rule, then by its own" {
	dies twice_other_rule_then_owner "double free"
}

@test "freed by its own thread, then by one of another rule" {
	dies twice_owner_then_other_rule "double free"
}

@test "a block of another rule freed twice" {
	dies twice_of_other_rule "double free"
}

@test "a block of no bytes freed twice" {
	dies twice_zero "double free"
}

@test "a block of calloc freed twice" {
	dies twice_calloc "double free"
}

@test "a block of posix_memalign freed twice" {
	dies twice_aligned "double free"
}

@test "a block freed, written to and freed again" {
	dies twice_usable "double free"
}

@test "a block freed, another one freed, the first freed again" {
	dies twice_other_between "double free"
}

@test "a block that found its bin full freed twice" {
	dies twice_bin_full "double free"
}

@test "the first of many cached blocks freed twice" {
	dies twice_first_of_bin "double free"
}

@test "a block freed again 10,000 operations later" {
	dies twice_delayed "double free"
}

@test "a block freed, flushed from the cache and freed again" {
	dies twice_flushed "double free"
}

@test "a block freed again after its neighbour was reused" {
	dies twice_neighbour_reused "double free"
}

@test "a block freed twice, merged with the one before it" {
	dies twice_merged_before "double free"
}

@test "a block freed twice, merged with the one after it by that one's free" {
	dies twice_merged_after "double free"
}

@test "a block freed twice, merged into a larger one from both sides" {
	dies twice_merged_both "double free"
}

@test "a block freed again while a larger live block covers it" {
	dies twice_covered "double free"
}

@test "the same, with the larger block written to" {
	dies twice_covered_written "invalid free"
}

@test "freed by its owner, then by a thread no rule matches" {
	dies twice_owner_then_other "double free"
}

@test "freed by a thread no rule matches, then by its owner" {
	dies twice_other_then_owner "double free"
}

@test "freed twice by threads no rule matches" {
	dies twice_other_then_other "double free"
}

@test "freed by its owner, then by another realtime thread" {
	dies twice_owner_then_peer "double free"
}

@test "freed by another realtime thread, then by its owner" {
	dies twice_peer_then_owner "double free"
}

@test "a huge block freed by another realtime thread, then by its owner" {
	dies twice_peer_large "double free"
}

@test "freed by a thread that exits, then by another" {
	dies twice_after_exit "double free"
}

@test "a block that an exited thread left, freed twice" {
	dies twice_after_exit_left "double free"
}

@test "freed after realloc moved it" {
	dies twice_realloc_moved "double free"
}

@test "freed after realloc to size 0 freed it" {
	dies twice_realloc_zero "double free"
}

@test "realloc of a freed block, to grow it" {
	dies realloc_freed_grow "double free"
}

@test "realloc of a freed block, to shrink it" {
	dies realloc_freed_shrink "double free"
}

@test "realloc of a freed large block" {
	dies realloc_freed_large "double free"
}

@test "realloc of a freed huge block" {
	dies realloc_freed_huge "double free"
}

@test "realloc of a freed block by a thread no rule matches" {
	dies realloc_freed_other "double free"
}

@test "free of a block's second byte" {
	dies off_1 "invalid free"
}

@test "free of a block's ninth byte" {
	dies off_8 "invalid free"
}

@test "free 16 bytes into a block" {
	dies off_16 "invalid free"
}

@test "free 64 bytes into a block" {
	dies off_64 "invalid free"
}

@test "free 16 bytes before a block" {
	dies off_before "invalid free"
}

@test "free of a block's end" {
	dies off_end "invalid free"
}

@test "free a page into a huge block" {
	dies off_page "invalid free"
}

@test "free of a large block's middle" {
	dies off_middle "invalid free"
}

@test "free inside a block of zeros" {
	dies off_zeros "invalid free"
}

@test "realloc of a pointer into a block" {
	dies off_realloc "invalid free"
}

@test "free into a block by a thread no rule matches" {
	dies off_other "invalid free"
}

@test "free into a block by another realtime thread" {
	dies off_peer "invalid free"
}

@test "free of a place with a header copied from a real block" {
	dies forged "invalid free"
}

@test "free of pool memory that was never allocated" {
	dies never_allocated "invalid free"
}

@test "free of the pool's own book-keeping" {
	dies below_blocks "invalid free"
}

@test "free of the pool's last bytes" {
	dies beyond_blocks "free"
}

@test "one byte written behind a huge block" {
	dies overflow_1 "overwritten heap data"
}

@test "eight bytes written behind a block" {
	dies overflow_8 "invalid free"
}

@test "sixteen bytes written behind a block" {
	dies overflow_16 "invalid free"
}

@test "eight bytes written before a block" {
	dies underflow "invalid free"
}

@test "a free block's links overwritten, then it is to be allocated" {
	dies after_free_then_alloc "overwritten heap data"
}

@test "a free block's links overwritten, then its neighbour is freed" {
	dies after_free_then_neighbour "overwritten heap data"
}

@test "a free block's end overwritten, then its neighbour is freed" {
	dies after_free_end "overwritten heap data"
}

@test "a block written to after another thread gave it back" {
	dies after_return "overwritten heap data"
}

@test "the header of a block overwritten after another thread gave it back" {
	dies header_of_returned "overwritten heap data"
}

@test "free of an odd pointer into a block of jemalloc" {
	dies odd_base "invalid free"
}

@test "free of an odd pointer into static memory" {
	dies odd_static "invalid free"
}

@test "free of an odd pointer into the stack" {
	dies odd_stack "invalid free"
}

# debugged LEVEL [HOW]: a matched thread under MALLOC_DEBUG=LEVEL.
debugged() {
	policy <<-END
		[pool p]
		size = 4M
		[rule r]
		thread = rt-*
		pool = p
	END
	ulimit -c 0
	MALLOC_DEBUG=$1 run preloaded "$PROG/debug_rules" ${2+"$2"}
}

@test "MALLOC_DEBUG unset or 0: blocks of a rule's pool are not written to" {
	debugged 0
	assert_success
	assert_output "new 00, freed 00, moved 00 00"
}

@test "MALLOC_DEBUG 1: new blocks of a rule's pool hold 7f, freed ones 7d" {
	debugged 1
	assert_success
	assert_output "new 7f, freed 7d, moved 7f 7f"
	debugged 1 overrun
	assert_contains "not noticed"
}

@test "MALLOC_DEBUG 2: the next call of the thread names what it wrote over, and aborts" {
	debugged 2
	assert_success
	debugged 2 overrun
	assert_failure 134
	assert_contains "a block's header is overwritten"
	assert_contains 'MALLOC_DEBUG: pool "p" is not sound'
	refute_contains "not noticed"
}
