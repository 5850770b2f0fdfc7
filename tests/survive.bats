#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What hosts do to an allocator without meaning it. Each victim runs in a program no rule
# matches, and again with every thread of it in a locked pool.
load helper
load victims

teardown() {
	private_teardown
}

@test "malloc works in an IFUNC resolver, in .preinit_array and in the first constructor" {
	both_ways survive_early
	# MALLOC_CONF reaches jemalloc then, too
	MALLOC_CONF=nonsense:1 unmatched "$PROG/survive_early"
	assert_contains "nonsense"
}

@test "malloc works in atexit handlers, in destructors, and in a library's destructor after them" {
	both_ways survive_late "$PROG/lib/ctor.so"
	[ "${#lines[@]}" -eq 3 ]
	[ "${lines[2]}" = "library gone" ]
}

@test "malloc works in key destructors of the last round, thread atexit, cleanup and cancellation" {
	both_ways survive_thread_exit
}

@test "a program that closes every descriptor gets the lowest numbers, and nobody writes into its files" {
	unmatched "$PROG/survive_fds" "$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = mine ]
	# there is something to say: the pool cannot be locked
	policy <<-END
		[pool p]
		size = 64M
		[rule named]
		thread = rt
		pool = p
	END
	public_dir
	LD_PRELOAD=$PUBLIC/lib.so run unprivileged 64 "$PUBLIC/prog/survive_fds" "$PUBLIC/out"
	assert_success
	run cat "$PUBLIC/out"
	assert_output mine
}

@test "fork beside allocating threads: the child allocates, frees what it inherited, makes threads, forks" {
	both_ways survive_fork
}

@test "handlers of fork() that were registered before all others allocate, and find their blocks" {
	both_ways survive_atfork
	# in the pool of another thread; pinned, and where no page can be
	policy <<-END
		[pool p]
		size = 2M
		[rule named]
		thread = rt-*
		pool = p
	END
	preloaded run timeout 60 "$PROG/survive_atfork"
	assert_success
	run timeout 60 strace -f -qq -o /dev/null -e trace=io_uring_setup \
		-e inject=io_uring_setup:error=EPERM -E LD_PRELOAD="$LIB" "$PROG/survive_atfork"
	assert_success
}

# helper_policy: every thread is matched, and its rule needs the helper from the start.
helper_policy() {
	policy <<-END
		[pool p]
		size = 2M
		[rule all]
		app = survive_*
		recycle = 1s
		pool = p
	END
}

@test "a program with one thread forks in a signal handler, wherever in malloc it is" {
	both_ways survive_interrupted
	helper_policy
	VICTIM_EXPECT=pool LD_PRELOAD=$LIB run timeout 60 "$PROG/survive_interrupted"
	assert_success
}

@test "a signal handler allocates from the native pool that its thread is in the middle of" {
	preloaded run timeout 60 "$PROG/survive_reentry"
	assert_success
	assert_output ""
}

@test "processes made past fork() do what they do without the library, and the parent goes on" {
	run timeout 60 "$PROG/survive_process"
	assert_success
	both_ways survive_process
	helper_policy
	for way in fork-syscall clone clone-pidns clone3 _Fork vfork clone-vm handler beside; do
		VICTIM_EXPECT_THREAD=1 VICTIM_EXPECT=pool LD_PRELOAD=$LIB \
			run timeout 60 "$PROG/survive_process" $way
		assert_success
		assert_output ""
	done
	# where no page can be pinned: what a fork would have kept for the child
	for way in clone _Fork; do
		VICTIM_EXPECT_THREAD=1 VICTIM_EXPECT=pool run timeout 100 strace -f -qq \
			-o /dev/null -e trace=io_uring_setup -e inject=io_uring_setup:error=EPERM \
			-E LD_PRELOAD="$LIB" "$PROG/survive_process" $way
		assert_success
		assert_output ""
	done
	# the child's number is its parent's
	VICTIM_EXPECT_THREAD=1 VICTIM_EXPECT=pool LD_PRELOAD=$LIB \
		run timeout 60 unshare --pid --fork --mount-proc "$PROG/survive_process"
	assert_success
	assert_output ""
}

@test "a program that left its PID namespace can have no thread: no helper, and not a word" {
	policy <<-END
		[pool p]
		size = 1M
		[rule all]
		recycle = 1s
		pool = p
	END
	# its first child is in the new one
	LD_PRELOAD=$LIB run timeout 60 unshare --pid sh -c 'sh -c "echo child \$\$"; echo parent'
	assert_success
	assert_output $'child 1\nparent'
}

@test "vfork, posix_spawn, system, popen, raw clone and daemon()" {
	both_ways survive_spawn
}

@test "RTLD_DEEPBIND plugins share the allocator; an object with TLS comes and goes 1000 times" {
	both_ways survive_dlopen "$PROG/lib/plugin.so"
}

@test "C++: every operator new and delete, new handlers, bad_alloc, thread_local destructors" {
	both_ways cxx_new
}

@test "C++: exceptions arrive, and the unwinder stays libgcc's" {
	both_ways cxx_throw
	assert_contains "_Unwind_RaiseException is libgcc_s.so's"
}

# thrown SUBJECT…: instructions of an exception through 8 frames, in the environment SUBJECT
thrown() {
	env "$@" BENCH_PROGRAM=throw "$ROOT/bench/instructions.sh" 8
}

@test "C++: an exception costs the instructions that it costs without the library" {
	bare=$(thrown LD_PRELOAD=)
	for conf in '' "$ROOT/bench/all.conf"; do
		with=$(thrown LD_PRELOAD="$LIB" RTMEM_CONF="$conf")
		[ "$bare" -gt 10000 ]
		[ "$with" -le $((bare * 101 / 100)) ] || explain "bare $bare, with the library $with"
	done
}

@test "the program's own mlockall and munlockall; a pool stays locked" {
	both_ways survive_mlockall
}

@test "a program that lowers its RLIMIT_MEMLOCK to 0 or 8 MiB" {
	both_ways survive_mlockall 0
	both_ways survive_mlockall 8192
}

@test "mlockall of the program with 8 MiB of RLIMIT_MEMLOCK, unprivileged" {
	public_dir
	match_everything
	LD_PRELOAD=$PUBLIC/lib.so run unprivileged 8192 "$PUBLIC/prog/survive_mlockall" 8192
	assert_success
}

@test "ulimit -v 300 MB" {
	small() {
		ulimit -v 300000
		exec "$PROG/conform_align"
	}
	export -f small
	VICTIM_EXPECT=base LD_PRELOAD=$LIB run bash -c small
	assert_success
	match_everything
	VICTIM_EXPECT=pool LD_PRELOAD=$LIB run bash -c small
	assert_success
}

@test "threads with PTHREAD_STACK_MIN, 3000 threads one after another, 300 at once" {
	both_ways survive_stacks
}

@test "LD_AUDIT with an auditor that follows every binding" {
	export GLIBC_TUNABLES=glibc.rtld.optional_static_tls=4096
	LD_AUDIT=$PROG/lib/audit.so both_ways conform_zero
	LD_AUDIT=$PROG/lib/audit.so both_ways cxx_throw
}

@test "preloaded beside another library, before it and behind it" {
	for everything in no yes; do
		[ "$everything" = no ] || match_everything
		OTHER_IS_FIRST=1 LD_PRELOAD=$PROG/lib/other.so:$LIB run "$PROG/survive_stacks"
		assert_success
		LD_PRELOAD=$LIB:$PROG/lib/other.so run "$PROG/survive_stacks"
		assert_success
	done
}

@test "a sandbox put up after start that refuses madvise and mlock" {
	both_ways survive_seccomp errno
}

@test "a sandbox put up after start that kills who calls madvise or mlock" {
	both_ways survive_seccomp kill
}

@test "a sandbox as browsers put up, which ends whoever makes a call that the program does not make" {
	for way in alone tsync; do
		both_ways survive_sandbox $way
		assert_output alive
		# the helper is there, and no thread matches
		RTMEM_CONF=$ROOT/conf/rtmem.conf VICTIM_EXPECT=base LD_PRELOAD=$LIB run timeout 150 \
			"$PROG/survive_sandbox" $way
		assert_success
		assert_output alive
	done
}

@test "a service under SystemCallFilter=@system-service: its pool is locked, and what is to be said is said" {
	policy <<-END
		[pool p]
		size = 1M
		[rule named]
		app = thread_full
		pool = p
	END
	LD_PRELOAD=$LIB run "$PROG/filter_service" "$PROG/thread_full" 3
	assert_success
	assert_contains 'pool "p" is full at'
	assert_contains "again pool"
	# from the helper, too
	LD_PRELOAD=$LIB VICTIM_EXPECT=pool run "$PROG/filter_service" chrt -f 3 "$PROG/thread_full" 3
	assert_success
	assert_contains 'pool "p" is full at'
}

@test "malloc in a signal handler on an alternate stack" {
	both_ways survive_signal
}

@test "unshare and setns of a single-threaded program keep working" {
	both_ways survive_namespace
}

@test "a matched program that made no thread has one, until the helper has work or the thread is realtime" {
	policy <<-END
		[pool p]
		size = 1M
		max = 20M
		[rule named]
		thread = later
		pool = p
	END
	for how in '' grow big defer fifo; do
		VICTIM_EXPECT=pool LD_PRELOAD=$LIB run "$PROG/survive_alone" $how
		assert_success
		assert_output ""
	done
}

@test "a program no rule matches has no thread, descriptor, lock, reservation or signal of ours" {
	run "$PROG/survive_quiet"
	bare=$output
	unmatched "$PROG/survive_quiet"
	assert_output "$bare"
	policy <<-END
		[pool p]
		size = 4M
		[rule elsewhere]
		app = another-program
		pool = p
	END
	preloaded run "$PROG/survive_quiet"
	assert_output "$bare"
}

@test "a program no rule matches makes no call of ours but reading the policy" {
	policy <<-END
		[pool p]
		size = 4M
		commit = start
		[rule elsewhere]
		app = another-program
		pool = p
	END
	run strace -f -o "$BATS_TEST_TMPDIR/trace" -E LD_PRELOAD="$LIB" /bin/true
	assert_success
	assert_output ""
	run grep -E '^[0-9]+ +(clone|clone3|mlock|mlock2|mlockall|write|writev|io_uring|pthread|rt_sig|timer|socket|eventfd|memfd|prctl|sched_set|sched_yield)' "$BATS_TEST_TMPDIR/trace"
	assert_output ""
	# what was opened was closed again
	run awk '/open(at)?\(/ && !/= -1/ { opened++ } /close\(/ { closed++ } END { exit opened > closed }' "$BATS_TEST_TMPDIR/trace"
	assert_success
}

@test "a program with one thread changes its identity with capabilities of that thread alone" {
	public_dir
	match_everything
	LD_PRELOAD=$PUBLIC/lib.so run as_somebody \
		--inh-caps=-all "$PUBLIC/prog/survive_secure"
	assert_success
	assert_contains "secure 0, loaded, pool"
}

@test "a setuid program runs without the library, and says nothing" {
	public_dir
	match_everything
	cp "$PROG/survive_secure" "$PUBLIC/setuid"
	chmod 4755 "$PUBLIC/setuid"
	LD_PRELOAD=$PUBLIC/lib.so run unprivileged 64 "$PUBLIC/setuid"
	assert_success
	assert_contains "secure 1, not loaded, base"
}

@test "a setuid program that gets the library from a trusted directory reads no policy of the user's" {
	public_dir
	match_everything
	TRUSTED=$(dirname "$(cc -print-file-name=libc.so.6)")/librtmem-trusted.so
	install -m 4755 "$(readlink -f "$LIB")" "$TRUSTED"
	cp "$PROG/survive_secure" "$PUBLIC/setuid"
	chmod 4755 "$PUBLIC/setuid"
	LD_PRELOAD=librtmem-trusted.so run unprivileged 8192 "$PUBLIC/setuid"
	rm -f "$TRUSTED"
	assert_success
	assert_contains "secure 1, loaded, base"
}

@test "an unprivileged user under memlock 8 MiB: all is locked that may be, one line says how to get more" {
	public_dir
	policy <<-END
		[pool big]
		size = 16M
		[rule named]
		thread = rt
		pool = big
	END
	LD_PRELOAD=$PUBLIC/lib.so run unprivileged 8192 "$PUBLIC/prog/survive_limits"
	assert_success
	assert_contains "pool"
	one_line_of_advice
	locked=$(sed -n 's/^locked //p' <<<"$output")
	[ "$locked" -ge 7000 ] && [ "$locked" -le 8192 ]
}

@test "an unprivileged user under memlock 64 KiB: the program goes on, one line of advice" {
	public_dir
	policy <<-END
		[pool big]
		size = 16M
		[rule named]
		thread = rt
		pool = big
	END
	LD_PRELOAD=$PUBLIC/lib.so run unprivileged 64 "$PUBLIC/prog/survive_limits"
	assert_success
	assert_contains "pool"
	one_line_of_advice
	locked=$(sed -n 's/^locked //p' <<<"$output")
	[ "$locked" -le 64 ]
}

@test "lock = require above the limit: the program goes on without the pool, one line says what to raise" {
	public_dir
	policy <<-END
		[pool big]
		size = 16M
		lock = require
		[rule named]
		thread = rt
		pool = big
	END
	LD_PRELOAD=$PUBLIC/lib.so run unprivileged 8192 "$PUBLIC/prog/survive_limits"
	assert_contains 'pool "big": cannot lock 16 MiB, and lock = require: its rules are off and jemalloc serves them; RLIMIT_MEMLOCK is 8 MiB; raise it:'
	[ "$(grep -c '^rtmem: ' <<<"$output")" -eq 1 ]
	assert_contains "locked 0"
}

@test "an unprivileged user within the limit hears nothing" {
	public_dir
	policy <<-END
		[pool small]
		size = 5M
		[rule named]
		thread = rt
		pool = small
	END
	LD_PRELOAD=$PUBLIC/lib.so run unprivileged 8192 "$PUBLIC/prog/survive_limits"
	assert_success
	[ "$(grep -vc '^locked\|^pool$' <<<"$output")" -eq 0 ]
}
