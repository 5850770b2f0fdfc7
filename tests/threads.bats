#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Which threads are served from a pool: however they became realtime or got their name, from
# the very next allocation on (or at the helper's next look, where no call of the process is
# involved), until they are ordinary again.
load helper
load victims

realtime_policy() {
	policy <<-END
		[pool p]
		size = 2M
		[rule rt]
		sched = rt
		pool = p
	END
}

named_policy() {
	policy <<-END
		[pool p]
		size = 2M
		[rule named]
		thread = other, rt-*, !rt-gui
		pool = p
	END
}

# ways NAME…: thread_match in each of these ways.
ways() {
	local w bad=0

	for w; do
		LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_match" "$w"
		if [ "$status" -ne 0 ]; then
			echo "$w: $output" >&2
			bad=1
		fi
	done
	return "$bad"
}

@test "class set by pthread_setschedparam, by the thread and by another" {
	realtime_policy
	ways setschedparam-self setschedparam-rr-self setschedparam-other
}

@test "class set by sched_setscheduler, also with SCHED_RESET_ON_FORK" {
	realtime_policy
	ways sched_setscheduler-self sched_setscheduler-other reset-on-fork
}

@test "class set by syscall(): sched_setscheduler and sched_setattr" {
	realtime_policy
	ways syscall-self syscall-other sched_setattr-self sched_setattr-other
}

@test "SCHED_DEADLINE is realtime" {
	realtime_policy
	ways deadline
}

@test "class set behind our back: by an instruction of the program, by chrt from another process" {
	realtime_policy
	ways asm-self asm-other chrt
}

@test "class at birth: attribute, inheritance, SCHED_RESET_ON_FORK" {
	realtime_policy
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_born"
	assert_success
}

@test "priority decides, by pthread_setschedprio and sched_setparam" {
	policy <<-END
		[pool p]
		size = 2M
		[rule high]
		sched = fifo
		priority = 50..99
		pool = p
	END
	ways setschedprio sched_setparam
}

@test "sched = rr leaves fifo threads alone" {
	policy <<-END
		[pool p]
		size = 2M
		[rule rr]
		sched = rr
		pool = p
	END
	ways setschedparam-rr-self
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_match" setschedparam-self
	assert_failure
	assert_contains "promoted: blocks come from base"
}

@test "name set by the thread, by its parent, by prctl, by syscall" {
	named_policy
	ways setname-self setname-parent prctl syscall-prctl
}

@test "name written to /proc" {
	named_policy
	ways comm
}

@test "a negated name is left alone" {
	policy <<-END
		[pool p]
		size = 2M
		[rule named]
		thread = rt-*, !rt-one
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_match" setname-self
	assert_failure
	assert_contains "promoted: blocks come from base"
}

@test "a rule for another program matches nothing here; a glob on the path does" {
	policy <<-END
		[pool p]
		size = 2M
		[rule rt]
		app = thread_matches, other
		sched = rt
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_match" setschedparam-self
	assert_failure
	assert_contains "promoted: blocks come from base"
	policy <<-END
		[pool p]
		size = 2M
		[rule rt]
		app = */prog/thread_m?tch
		sched = rt
		pool = p
	END
	ways setschedparam-self
}

@test "the last matching rule wins: pool = jemalloc exempts" {
	policy <<-END
		[pool p]
		size = 2M
		[rule rt]
		sched = rt
		pool = p
		[rule not-this]
		thread = thread_m*
		pool = jemalloc
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_match" setschedparam-self
	assert_failure
	assert_contains "promoted: blocks come from base"
}

@test "[app] enabled = no turns everything off for that program" {
	policy <<-END
		[app thread_*]
		enabled = no
		[pool p]
		size = 2M
		[rule rt]
		sched = rt
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_match" setschedparam-self
	assert_failure
	assert_contains "promoted: blocks come from base"
}

@test "size rules: exactly these sizes come from the pool" {
	policy <<-END
		[pool p]
		size = 2M
		[rule sizes]
		size = 100..4096
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_sizes" 100 4096
	assert_success
	policy <<-END
		[pool p]
		size = 4M
		[rule all]
		pool = p
		[rule small]
		size = ..1K
		pool = jemalloc
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_sizes" 1025
	assert_success
}

@test "call-site rules: an object, a symbol of it, a static function, through strdup" {
	policy <<-END
		[pool p]
		size = 2M
		[rule site]
		callsite = callers.so!caller_named, callers.so!caller_stat*, callers.so!caller_w*
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_sites" "$PROG/lib/callers.so"
	assert_success
	assert_output "caller_named pool
caller_other base
caller_zeroed base
caller_of_static pool
caller_resized base
caller_wrapped pool
main base"
	policy <<-END
		[pool p]
		size = 2M
		[rule site]
		callsite = callers.so, !callers.so!caller_other
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_sites" "$PROG/lib/callers.so"
	assert_success
	assert_output "caller_named pool
caller_other base
caller_zeroed pool
caller_of_static pool
caller_resized pool
caller_wrapped pool
main base"
}

@test "call-site rules look depth frames up" {
	policy <<-END
		[pool p]
		size = 2M
		[rule site]
		callsite = callers.so!caller_of_static, thread_sites!main
		depth = 2
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_sites" "$PROG/lib/callers.so"
	assert_success
	assert_contains "caller_of_static pool"
	assert_contains "main pool"
	assert_contains "caller_resized pool"
	assert_contains "caller_named base"
}

@test "a full pool: jemalloc serves, or NULL and ENOMEM, as the policy says; one line says so" {
	policy <<-END
		[pool p]
		size = 1M
		[rule all]
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_full" 4
	assert_success
	assert_contains "base 3 none 0"
	assert_contains "again pool"
	[ "$(grep -c '"p" is full' <<<"$output")" -eq 1 ]
	policy <<-END
		[pool p]
		size = 1M
		when_full = fail
		[rule all]
		app = thread_full
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_full" 4
	assert_success
	assert_contains "base 0 none 3"
	assert_contains "again pool"
}

@test "a pool grows ahead of need, up to max and no further" {
	policy <<-END
		[pool p]
		size = 1M
		max = 8M
		[rule all]
		pool = p
	END
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_full" 6
	assert_success
	assert_contains "pool 6 base 0 none 0"
	LD_PRELOAD=$LIB run timeout 150 "$PROG/thread_full" 12
	assert_success
	assert_contains "pool 8 base 3 none 0" # in whole MiB, both cut
}

@test "recycle: frames that the pool cannot hold come back touched, with decay at its hardest" {
	policy <<-EOF
		[pool p]
		size = 1M
		[rule video]
		sched = rt
		pool = p
		recycle = 0.5s
	EOF
	MALLOC_CONF=dirty_decay_ms:0,muzzy_decay_ms:0 run preloaded "$PROG/recycle_frames"
	assert_success
	assert_output "faults 0 same 1"
	policy <<-EOF
		[pool p]
		size = 1M
		[rule video]
		sched = rt
		pool = p
	EOF
	MALLOC_CONF=dirty_decay_ms:0,muzzy_decay_ms:0 run preloaded "$PROG/recycle_frames"
	assert_success
	refute_contains "faults 0 "
}
