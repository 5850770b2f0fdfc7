#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# area.bats - committing locked memory under limits, refused system calls and small cgroups
#
# The program is tests/unit/area.c: "area commit MIB FLAGS" prints what came of it, and is
# killed, or fails and says so, when writing to memory that counts as committed faults.

# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own

load helper

setup() {
	clean_environment
	AREA=$UNIT/area
}

teardown() {
	remove_groups
}

# calls NAME: how often the program makes this system call before it touches any area.
calls() {
	strace -f -e trace="$1" -o "$BATS_TEST_TMPDIR/trace" "$AREA" commit 0 - >/dev/null
	grep -c "$1(" "$BATS_TEST_TMPDIR/trace" || true
}

# refused CALL ERROR ARG…: run area ARG… with every such call failing from then on.
refused() {
	local call=$1 error=$2 first
	shift 2
	first=$(($(calls "$call") + 1))
	run strace -f -qq -o /dev/null -e inject="$call:error=$error:when=$first+" \
		"$AREA" "$@"
	assert_success
}

# pinned BYTES: as many, where the machine pins any.
pinned() {
	pins && echo "$1" || echo 0
}

@test "without a limit everything is locked" {
	run "$AREA" commit 16 l
	assert_output "ret 0 committed 16777216 locked 16777216 pinned 0 error 0"
}

@test "the stock 8 MiB limit is used to its last page and the rest still works" {
	run unprivileged 8192 "$AREA" commit 64 l
	assert_output "ret 0 committed 67108864 locked 8388608 pinned 0 error 12"
}

@test "a limit that is no multiple of a chunk is used to its last page" {
	run unprivileged 6996 "$AREA" commit 64 l
	assert_output "ret 0 committed 67108864 locked 7163904 pinned 0 error 12"
}

@test "a limit of 0 locks nothing and the memory still works" {
	run unprivileged 0 "$AREA" commit 4 l
	assert_output "ret 0 committed 4194304 locked 0 pinned 0 error 1"
}

@test "lock = require fails where the limit ends and keeps what is locked" {
	run unprivileged 8192 "$AREA" commit 64 lr
	assert_output "ret -12 committed 8388608 locked 8388608 pinned 0 error 12"
	run unprivileged 0 "$AREA" commit 1 lr
	assert_output "ret -1 committed 0 locked 0 pinned 0 error 1"
}

@test "pins stay inside the limit, too" {
	run unprivileged 8192 "$AREA" commit 4 lp
	assert_output "ret 0 committed 4194304 locked 4194304 pinned $(pinned 4194304) error 0"
	run unprivileged 1024 "$AREA" commit 4 lp
	assert_contains "ret 0 committed 4194304 locked 1048576 pinned 0 error 12"
}

@test "the advice is one line that says how much is locked and what raises the limit" {
	run unprivileged 2048 "$AREA" advice 64 audio
	[ "${#lines[@]}" -eq 2 ] || explain "expected one line of advice"
	[ "${lines[1]}" = 'rtmem: locked 2 MiB of 64 MiB of pool "audio": RLIMIT_MEMLOCK is 2 MiB; raise it: "@audio - memlock 131072" in /etc/security/limits.d/, LimitMEMLOCK=128M or AmbientCapabilities=CAP_IPC_LOCK in a systemd unit' ] ||
		explain "another advice was expected"
	refute_contains setcap
}

@test "there is no advice where nothing is missing" {
	run "$AREA" advice 16 audio
	assert_output "ret 0 committed 16777216 locked 16777216 pinned 0 error 0"
}

@test "a reservation beyond ulimit -v is refused with ENOMEM" {
	run bash -c 'ulimit -v 200000; exec "$0" commit 1024 l' "$AREA"
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
	run bash -c 'ulimit -v 200000; exec "$0" commit 16 l' "$AREA"
	assert_output "ret 0 committed 16777216 locked 16777216 pinned 0 error 0"
}

@test "mmap refused: the reservation fails with its error" {
	refused mmap ENOMEM commit 4 l
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
	refused mmap EAGAIN commit 4 l
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
	refused mmap EPERM commit 4 l
	assert_output "ret -1 committed 0 locked 0 pinned 0 error 0"
}

@test "mprotect refused: nothing is committed" {
	refused mprotect ENOMEM commit 4 l
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
	refused mprotect EPERM commit 4 l
	assert_output "ret -1 committed 0 locked 0 pinned 0 error 0"
}

@test "madvise refused by a filter or unknown to the kernel: pages are touched instead" {
	for error in EPERM ENOSYS EINVAL; do
		refused madvise "$error" commit 4 l
		assert_output "ret 0 committed 4194304 locked 4194304 pinned 0 error 0"
		refused madvise "$error" commit 4 -
		assert_output "ret 0 committed 4194304 locked 0 pinned 0 error 0"
	done
}

@test "madvise out of memory: nothing is committed" {
	refused madvise ENOMEM commit 4 l
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
}

@test "mlock refused: the memory works, unlocked" {
	refused mlock EPERM commit 4 l
	assert_output "ret 0 committed 4194304 locked 0 pinned 0 error 1"
	refused mlock ENOMEM commit 4 l
	assert_output "ret 0 committed 4194304 locked 0 pinned 0 error 12"
	refused mlock ENOSYS commit 4 l
	assert_output "ret 0 committed 4194304 locked 0 pinned 0 error 38"
}

@test "mlock refused only once: everything is locked in the end" {
	run strace -f -qq -o /dev/null -e inject=mlock:error=ENOMEM:when=3 "$AREA" commit 4 l
	assert_output "ret 0 committed 4194304 locked 4194304 pinned 0 error 0"
}

@test "io_uring refused, at either step: locked but not pinned" {
	for call in io_uring_setup io_uring_register; do
		for error in EPERM ENOSYS ENOMEM; do
			refused "$call" "$error" commit 4 lp
			assert_output \
				"ret 0 committed 4194304 locked 4194304 pinned 0 error 0"
		done
	done
}

@test "mbind, and the files that tell the room, refused: all is locked" {
	for call in mbind openat; do
		refused "$call" EPERM commit 4 l
		assert_output "ret 0 committed 4194304 locked 4194304 pinned 0 error 0"
	done
}

@test "a memory cgroup smaller than the area is ENOMEM, not a kill" {
	memory_group 32M
	run in_group "$group" "$AREA" commit 64 l
	assert_success
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
	run in_group "$group" "$AREA" commit 16 lp
	assert_output "ret 0 committed 16777216 locked 16777216 pinned $(pinned 16777216) error 0"
}

@test "the limit of an ancestor counts as well" {
	memory_group 32M
	memory_group max "$group"
	run in_group "$group" "$AREA" commit 64 l
	assert_success
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
}

@test "version 2 of cgroups: max, current, and page cache that can be dropped" {
	run version2 33554432 1000000 0 "$AREA" commit 64 l
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
	run version2 33554432 1000000 0 "$AREA" commit 16 l
	assert_output "ret 0 committed 16777216 locked 16777216 pinned 0 error 0"
	run version2 33554432 33000000 0 "$AREA" commit 16 l
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
	run version2 33554432 33000000 30000000 "$AREA" commit 16 l
	assert_output "ret 0 committed 16777216 locked 16777216 pinned 0 error 0"
	run version2 max 33000000 0 "$AREA" commit 64 l
	assert_output "ret 0 committed 67108864 locked 67108864 pinned 0 error 0"
}

@test "more than the machine has is ENOMEM, not a kill" {
	local mib
	mib=$(awk '/^MemTotal/ { print int($2 / 1024) + 1024 }' /proc/meminfo)
	run "$AREA" commit "$mib" l
	assert_output "ret -12 committed 0 locked 0 pinned 0 error 0"
}

@test "huge pages are tried and everything still works" {
	run "$AREA" commit 8 lh
	assert_output "ret 0 committed 8388608 locked 8388608 pinned 0 error 0"
}

@test "compaction does not move a pinned page" {
	for lack in none io_uring; do
		run without "$lack" "$AREA" steady 32
		assert_success
	done
}

# forks POLICY-LINE CMD…: fork_beside in a pool with that line; $faults per fork.
forks() {
	policy <<-EOF
		[pool p]
		size = 4M
		$1
		[rule r]
		thread = rt-*
		pool = p
	EOF
	shift
	run "$@" env LD_PRELOAD="$LIB" "$PROG/fork_beside"
	assert_success
	assert_contains "20 children fine"
	faults=${output%% faults*}
}

@test "fork = auto: a realtime thread takes no fault in its pool when another forks" {
	forks "fork = auto" env
	[ "$faults" -lt 40 ] || explain "expected only faults of stack and globals"
}

@test "fork = auto without io_uring: the same by a snapshot, and children see all" {
	forks "fork = auto" strace -f -qq -o /dev/null \
		-e trace=io_uring_setup -e inject=io_uring_setup:error=EPERM
	[ "$faults" -lt 40 ] || explain "expected only faults of stack and globals"
}

@test "fork = cow: children see all, each page faults" {
	forks "fork = cow" env
	[ "$faults" -gt 400 ] || explain "expected a fault for each of 512 pages"
}

@test "a system call filter that kills for madvise and mlock does not meet us" {
	policy <<-EOF
		[pool early]
		size = 1M
		max = 32M
		[rule early]
		thread = rt-early
		pool = early
		[pool late]
		size = 4M
		[rule late]
		thread = rt-late
		pool = late
	EOF
	for way in prctl tsync; do
		run preloaded "$PROG/filter_kills" "$way"
		assert_success
		assert_contains alive
	done
}

@test "pin_process = yes: a fork costs a realtime thread no fault at all" {
	policy <<-EOF
		[realtime]
		pin_process = yes
		[pool p]
		size = 4M
		[rule r]
		thread = rt-*
		pool = p
	EOF
	for lack in none io_uring; do
		run without "$lack" preloaded "$PROG/fork_beside"
		assert_success
		if [ "$lack" = none ] && pins; then
			assert_output "0 faults per fork, 20 children fine"
		else
			# the stack and the program's own memory are not pinned, and say so
			assert_contains " faults per fork, 20 children fine"
		fi
	done
}
