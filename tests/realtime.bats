#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The promise in figures: what a realtime thread's allocator work makes the kernel do.
load helper

MIXED=$ROOT/build/bench/mixed

# field NAME: the value after NAME in the line that bench/mixed printed.
field() {
	awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) print $(i + 1) }' <<<"$output"
}

# On a machine that is busy with others, the helper may be kept from its processor at the
# pool's lock for longer than all reserves last; then the thread lends it its priority by one
# system call (202, futex). bench/mixed, where it may, lets the helper run before the others.
lends() {
	[ "$(field system_calls)" -eq "$(($(field call_202)))" ]
}

bench_policy() {
	policy <"$ROOT/bench/bench.conf"
}

@test "3 million mixed operations of a realtime thread: 0 system calls, 0 page faults" {
	bench_policy
	run preloaded "$MIXED" 3000000
	assert_success
	[ "$(field operations)" -ge 3000000 ]
	[ "$(field system_calls)" -eq 0 ] || explain "system calls on the realtime path"
	[ "$(field faults)" -eq 0 ] || explain "page faults on the realtime path"
}

@test "the same as an ordinary user, without realtime class, matched by name" {
	open=$(mktemp -d /tmp/rtmem-test.XXXXXX) # where an ordinary user can read
	cp "$LIB" "$open/lib.so"
	cp "$MIXED" "$ROOT/bench/bench.conf" "$open"
	chmod -R a+rX "$open"
	for _ in {1..5}; do
		run unprivileged 8192 env RTMEM_CONF="$open/bench.conf" LD_PRELOAD="$open/lib.so" \
			"$open/mixed" 300000
		[ "$(field system_calls)" != 0 ] || break
	done
	rm -rf "$open"
	assert_success
	[ "$(field class)" = OTHER ]
	lends || explain "system calls on the realtime path"
	[ "$(field faults)" -eq 0 ] || explain "page faults on the realtime path"
}

@test "the counting itself works: without the library the same work makes system calls and faults" {
	run "$MIXED" 1000000
	assert_success
	[ "$(field system_calls)" -gt 0 ]
	[ "$(field faults)" -gt 0 ]
}
