#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# However a program is started, and whatever it has not got, the policy finds it and it runs
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own
load helper
load programs
load victims

LOADER=/lib64/ld-linux-x86-64.so.2

setup() {
	clean_environment
	VICTIM=$PROG/front_victim
}

# policy_for APP: a pool for every thread of that program, and for no other.
policy_for() {
	policy <<-END
		[pool p]
		size = 2M
		[rule r]
		app = $1
		pool = p
	END
}

# without_proc CMD…: in a root whose /proc is empty.
without_proc() {
	# shellcheck disable=SC2016 # expanded inside
	unshare -m sh -c 'mount -t tmpfs none /proc && exec timeout 60 "$@"' sh "$@"
}

# in_pool CMD…
in_pool() {
	LD_PRELOAD=$LIB run "$@"
	assert_success
	assert_contains "ok pool"
}

@test "a program started through the dynamic loader is the program, by name and by path" {
	for app in front_victim "$(realpath "$VICTIM")"; do
		policy_for "$app"
		in_pool "$VICTIM"
		in_pool "$LOADER" "$VICTIM"
		cd "$PROG"
		in_pool "$LOADER" ./front_victim
		in_pool "$LOADER" --argv0 other ../prog/front_victim
	done
}

# execute FD-MAKER…: python code that leaves the program's descriptor in fd
execute() {
	python3 -c "
import os, sys
program = open(sys.argv[1], 'rb').read()
$1
os.execve(fd, ['x'], dict(os.environ, LD_PRELOAD=sys.argv[2]))" "$VICTIM" "$LIB"
}

@test "a program in memory, and one whose file is gone, have the name they had" {
	policy_for front_victim
	run execute "fd = os.memfd_create('front_victim'); os.write(fd, program)"
	assert_success
	assert_contains "ok pool"
	cp "$VICTIM" "$BATS_TEST_TMPDIR/front_victim"
	run execute "fd = os.open('$BATS_TEST_TMPDIR/front_victim', os.O_RDONLY); os.unlink('$BATS_TEST_TMPDIR/front_victim')"
	assert_success
	assert_contains "ok pool"
	cp "$VICTIM" "$BATS_TEST_TMPDIR/was (deleted)"
	policy_for 'was (deleted)'
	in_pool "$BATS_TEST_TMPDIR/was (deleted)"
}

@test "without /proc the policy is used, by name and by path, also for what a script starts" {
	for app in front_victim "$(realpath "$VICTIM")"; do
		policy_for "$app"
		in_pool without_proc "$VICTIM"
		cd "$PROG"
		in_pool without_proc ./front_victim
		printf '#! %s\n' "$(realpath "$VICTIM")" >"$BATS_TEST_TMPDIR/script"
		chmod +x "$BATS_TEST_TMPDIR/script"
		in_pool without_proc "$BATS_TEST_TMPDIR/script"
	done
}

@test "without /proc rtmem run finds its library" {
	policy_for front_victim
	run without_proc "$RTMEM" run "$VICTIM"
	assert_success
	assert_contains "ok pool"
}

@test "in a /proc of another PID namespace, which has no link for us, the policy is used" {
	policy_for front_victim
	mkfifo "$BATS_TEST_TMPDIR/end"
	exec 8<>"$BATS_TEST_TMPDIR/end"
	unshare -f -p -m --mount-proc cat >"$BATS_TEST_TMPDIR/out" <"$BATS_TEST_TMPDIR/end" 3>&- 8>&- &
	echo up >&8
	wait_until 20 grep -q up "$BATS_TEST_TMPDIR/out"
	inner=$(cat "/proc/$!/task/$!/children")
	inner=${inner% }
	in_pool nsenter -m -t "$inner" "$VICTIM"
	exec 8>&-
}
