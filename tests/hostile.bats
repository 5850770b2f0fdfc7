#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Bad moments for a pool: what the program sees stays as if nothing had happened.
load helper

# hostile CASE [LINE-OF-POOL]: that case of tests/prog/hostile.c; says nothing when fine.
hostile() {
	small_pool "${2-}"
	run preloaded timeout 150 "$PROG/hostile" "$1"
	assert_success
}

small_pool() {
	policy <<-END
		[pool p]
		size = 4M
		lock = try
		$1
		[rule r]
		thread = rt-*
		pool = p
	END
}

@test "1,000 threads matched on one pool at once; afterwards the pool is one block again" {
	hostile many
}

@test "blocks that threads leave behind are freed by others, and the pool is one block again" {
	hostile leave
	assert_output ""
}

@test "a realloc that exhausts the pool moves to jemalloc" {
	hostile exhausted
	assert_contains 'pool "p" is full'
}

@test "a realloc that exhausts a pool with when_full = fail leaves the block as it was" {
	WHEN_FULL=fail hostile exhausted "when_full = fail"
	assert_contains 'pool "p" is full'
}

@test "a realtime thread goes on while a SCHED_FIFO loop keeps the helper from running" {
	hostile starved
	assert_output ""
}

@test "mlockall(MCL_FUTURE) before the pool is made, munlockall after" {
	hostile locked_first
	assert_output ""
}

@test "a pool is not collapsed into huge pages, and keeps its contents" {
	hostile collapse
	assert_output ""
}

# numbers CALL: which calls of this name, counted from the start, are the library's own:
# after the loader, after jemalloc's first look at the machine, no stack of a thread.
numbers() {
	awk -v call="$1" '
		/ munmap\(/ { unmapped++ }
		$0 ~ "^[0-9]+ +" call "\\(" {
			n++
			if (unmapped < 2 || /MAP_STACK/)
				next
			if (call != "mprotect" || $0 ~ call "\\(0x(6[0-9a-f]|7[0-7])[0-9a-f]{10},")
				print n
		}' "$BATS_TEST_TMPDIR/calls"
}

# broken CALL ERROR: the run of a program with each of these calls failing in turn.
broken() {
	local n

	for n in $(numbers "$1"); do
		run timeout 150 strace -f -qq -o "$BATS_TEST_TMPDIR/one" -e trace="$1" \
			-e inject="$1:error=$2:when=$n" -E LD_PRELOAD="$LIB" "$PROG/hostile" work
		assert_success
		assert_contains worked
		# helper and threads come in no fixed order: the last ones may be missing
		! grep -q INJECTED "$BATS_TEST_TMPDIR/one" || injected=$((injected + 1))
	done
}

@test "every mmap, mlock, madvise, mprotect, mbind and io_uring call fails once, in turn" {
	injected=0
	small_pool ""
	strace -f -qq -o "$BATS_TEST_TMPDIR/calls" -E LD_PRELOAD="$LIB" "$PROG/hostile" work
	for call in mmap mlock madvise mprotect mbind io_uring_setup io_uring_register; do
		broken "$call" ENOMEM
	done
	broken mlock EPERM
	broken mlock EAGAIN
	broken madvise EINVAL
	echo "$injected"
	[ "$injected" -ge 60 ]
}

@test "a memory cgroup smaller than the pool: no kill, jemalloc serves, one line says so" {
	memory_group 32M
	small_pool "max = 64M"
	sed -i 's/^size = 4M/size = 64M/' "$RTMEM_CONF"
	# shellcheck disable=SC2154 # of memory_group
	run in_group "$group" env LD_PRELOAD="$LIB" "$PROG/hostile" work
	remove_groups
	assert_success
	assert_contains worked
	[ "$(grep -c '^rtmem: ' <<<"$output")" -eq 1 ] || explain "expected one line"
}
