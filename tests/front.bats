#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Others who have libc's names: preloaded libraries in front of ours and behind it
# shellcheck disable=SC2016,SC2030,SC2031 # eval; each test is a subshell of its own
load helper
load programs
load victims

@test "of libc the library binds by name only what tests/libc-names.txt has" {
	nm -D --undefined-only "$LIB" | awk '{ sub(/@.*/, "", $2); print $2 }' >"$BATS_TEST_TMPDIR/names"
	sed '/^#/d' "$ROOT/tests/libc-names.txt" | tr ' ' '\n' >"$BATS_TEST_TMPDIR/allowed"
	run grep -vxFf "$BATS_TEST_TMPDIR/allowed" "$BATS_TEST_TMPDIR/names"
	assert_output ""
	run grep -vxFf "$BATS_TEST_TMPDIR/names" "$BATS_TEST_TMPDIR/allowed"
	# not taken by every linker
	assert_output ""
}

# rule_to POOL: a policy in which the thread "rt" gets that pool.
rule_to() {
	printf '[pool %s]\nsize = 4M\nmax = 8M\n[rule named]\nthread = rt\npool = %s\n' "$1" "$1"
}

# follows_policy PRELOAD: a program under it gets another pool when its policy says so: the
# helper has looked for policy files in directories, read one, made a pool and written figures.
follows_policy() {
	local home=$XDG_CONFIG_HOME/rtmem dir=$XDG_CONFIG_HOME/rtmem/rtmem.conf.d
	local out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err pid

	unset RTMEM_CONF
	rm -rf "$home"
	mkdir -p "$dir"
	rule_to first >"$home/rtmem.conf"
	mkfifo "$BATS_TEST_TMPDIR/in" || true
	exec 8<>"$BATS_TEST_TMPDIR/in"
	LD_PRELOAD=$1 "$PROG/reload_victim" >"$out" 2>"$err" 3>&- 8>&- <"$BATS_TEST_TMPDIR/in" &
	pid=$!
	wait_until 20 grep -q small=first "$out"
	rule_to second >"$dir/2.conf"
	wait_until 20 grep -q small=second "$out"
	"$RTMEM" stat "$pid" >/dev/null
	exec 8>&-
	wait_until 20 gone "$pid" || kill -9 "$pid"
	wait "$pid"
	run grep front: "$err"
	assert_output ""
}

@test "nobody in front of libc sees a call of the library, and nobody's code runs on its helper" {
	follows_policy "$ROOT/build/front.so:$LIB"
}

@test "behind the library, too, nobody's code runs on its helper" {
	FRONT_BEHIND=1 follows_policy "$LIB:$ROOT/build/front.so"
}

@test "a library in front of libc sees nothing of jemalloc's start either" {
	for program in "$PROG/survive_early" /bin/true; do
		LD_PRELOAD=$ROOT/build/front.so:$LIB run timeout 30 "$program"
		assert_success
		refute_contains front:
	done
}

# A tracer's program prints what it prints alone, and the tracer finds its descriptors.
@test "a heap tracer in front: the program's output is whole, and so is the tracer's" {
	cd "$BATS_TEST_TMPDIR"
	match_everything
	run timeout 60 "$RTMEM" run heaptrack -o trace "$PROG/front_victim"
	assert_success
	assert_contains "ok pool"
	assert_contains "allocations:"
	run timeout 60 heaptrack --analyze trace*
	assert_success
	assert_contains "total runtime"
}

@test "a clock that is made up, in front and behind: every program starts, and ours is the true one" {
	fake=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
	for preload in "$fake:$LIB" "$LIB:$fake"; do
		for conf in base pool; do
			[ $conf = base ] || match_everything
			LD_PRELOAD=$preload FAKETIME='1999-01-01 00:00:00' run timeout 30 "$PROG/front_victim"
			assert_success
			assert_contains "ok $conf"
			assert_contains "year 1999"
		done
		export RTMEM_CONF=
	done
}

@test "libc's allocator by a handle of libc is the program's, in C and in ctypes" {
	both_ways survive_handle
	assert_contains "next librtpreload.so"
	assert_contains "versioned next libc.so.6"
	for conf in '' all; do
		[ -z "$conf" ] || match_everything
		run preloaded python3 - <<-'END'
			import ctypes, ctypes.util
			for name in ("libc.so.6", "libm.so.6"):
			    lib = ctypes.CDLL(name)
			    lib.strdup.restype = lib.malloc.restype = ctypes.c_void_p
			    for n in range(1, 200000, 997):
			        lib.free(ctypes.c_void_p(lib.strdup(b"x" * n)))
			        lib.free(ctypes.c_void_p(lib.malloc(n)))
			print("freed")
		END
		assert_success
		assert_output freed
	done
}

@test "a library that finds the malloc behind it by a handle of libc stands in front of ours" {
	for conf in '' all; do
		[ -z "$conf" ] || match_everything
		for preload in "$PROG/lib/wrap_handle.so:$LIB" "$LIB:$PROG/lib/wrap_handle.so"; do
			LD_PRELOAD=$preload run timeout 30 "$PROG/front_victim"
			assert_success
			assert_contains "ok"
			[[ $preload == "$LIB"* ]] || assert_contains wrapped
		done
	done
}
