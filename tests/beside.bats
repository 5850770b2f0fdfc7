#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The thread that the library has beside the program: as whom it runs, whoever starts it.
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own
load helper
load victims

setup() {
	clean_environment
	CPUS=$(nproc)
	policy <<-END
		[pool p]
		size = 1M
		[rule all]
		app = helper_seen
		pool = p
	END
}

teardown() {
	private_teardown
}

# seen WORD…: helper_seen with these arguments, under the library; bounded, since what it
# tries has hung.
seen() {
	LD_PRELOAD=$LIB run timeout -k 1 60 "${UNDER[@]}" "$PROG/helper_seen" "$@"
	assert_success
}

@test "its processors are those of the process's start, where its maker is bound to one" {
	UNDER=(env)
	seen bind fifo
	assert_contains "$CPUS processors, "
	seen bind thread
	assert_contains "$CPUS processors, "
	# the start's, not the machine's
	UNDER=(taskset -c 0)
	seen fifo
	assert_contains "1 processors, "
}

@test "it is of the lowest realtime class where the process may" {
	UNDER=(env)
	seen fifo
	assert_contains "class 1 priority 1 "
	seen thread
	assert_contains "class 1 priority 1 "
	# not root's right, but the capability's
	public_dir
	PROG=$PUBLIC/prog LIB=$PUBLIC/lib.so
	UNDER=(setpriv --reuid="$SOME_USER" --regid="$SOME_USER" --clear-groups "--inh-caps=-all,+sys_nice"
		"--ambient-caps=+sys_nice")
	seen thread
	assert_contains "class 1 priority 1 "
}

@test "it is an ordinary thread, and as nice as the process was, where it may not be realtime" {
	public_dir
	PROG=$PUBLIC/prog LIB=$PUBLIC/lib.so
	UNDER=(prlimit --rtprio=0 setpriv --reuid="$SOME_USER" --regid="$SOME_USER" --clear-groups
		--inh-caps=-all)
	seen thread
	assert_contains "class 0 priority 0 nice 0"
	# ended for not sleeping, after less time than its steps may take
	UNDER=(prlimit --rttime=20000:20000)
	seen nice fifo
	assert_contains "class 0 priority 0 nice 0"
	UNDER=(nice -n 3 prlimit --rttime=20000:20000)
	seen thread
	assert_contains "class 0 priority 0 nice 3"
}

@test "setuid() of a program with threads reaches it, and returns" {
	UNDER=(env)
	seen thread
	assert_contains "of libc's signals 0"
}

@test "it is there where its class, or its processors, are refused to it" {
	for call in sched_setscheduler sched_setaffinity sched_setscheduler,sched_setaffinity; do
		run timeout -k 1 60 strace -f -qq -o /dev/null -e trace="$call" \
			-e inject="$call":error=EPERM -E LD_PRELOAD="$LIB" \
			"$PROG/helper_seen" thread
		assert_success
		assert_contains "processors, class"
	done
}

@test "it is in its process's control groups, where its maker has others" {
	# made up: a file in the place of the program's /proc/PID/cgroup, so that no thread of
	# the program is where it says
	mkdir -p "$BATS_TEST_TMPDIR/groups/made"
	touch "$BATS_TEST_TMPDIR/groups/made/cgroup.threads"
	echo 0::/made >"$BATS_TEST_TMPDIR/cgroup"
	# shellcheck disable=SC2016 # expanded inside
	run timeout -k 1 60 unshare -m sh -c 'mount --bind "$1/groups" /sys/fs/cgroup &&
		mount --bind "$1/cgroup" /proc/$$/cgroup && LD_PRELOAD=$LIB exec "$2" thread' \
		sh "$BATS_TEST_TMPDIR" "$PROG/helper_seen"
	assert_success
	assert_contains "processors, class"
	run cat "$BATS_TEST_TMPDIR/groups/made/cgroup.threads"
	assert_output 0
}

@test "the work of making a large pool is no reason to end a process that limits realtime work" {
	policy <<-END
		[pool p]
		size = 600M
		lock = no
		[rule named]
		sched = rt
		pool = p
	END
	UNDER=(prlimit --rttime=60000:60000)
	seen thread outside
	assert_contains "class 1 priority 1 "
}
