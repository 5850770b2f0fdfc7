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

# limited LIMIT VALUE CMD…: with no core dump.
limited() {
	local limit=$1 value=$2

	shift 2
	timeout 60 prlimit --core=0 "--$limit=$value" "$@" 3>&- 4>&- 5>&- 6>&-
}

# quiet_limited LIMIT VALUE CMD…: what is said to stderr goes to a file, apart from what the
# program says.
quiet_limited() {
	limited "$@" 2>"$BATS_TEST_TMPDIR/said"
}

# as_bare LIMIT VALUES ARGUMENT…: under each value the program says what it says without the
# library, with no policy and with a pool for every thread; a line of ours is one of advice.
as_bare() {
	local limit=$1 value bare

	for value in $2; do
		case $limit in data | as | stack | memlock) value=$((value << 10)) ;; esac
		bare=$(limited "$limit" "$value" "$PROG/survive_limit" "${@:3}")
		for conf in '' "$BATS_TEST_TMPDIR/pool.conf"; do
			RTMEM_CONF=$conf LD_PRELOAD=$LIB run quiet_limited "$limit" "$value" \
				"$PROG/survive_limit" "${@:3}"
			assert_success
			[ "$output" = "$bare" ] ||
				explain "$limit $value: without the library: $bare"
			[ "$(wc -l <"$BATS_TEST_TMPDIR/said")" -le 2 ] ||
				explain "many lines: $(cat "$BATS_TEST_TMPDIR/said")"
		done
	done
}

pool_for_all() {
	policy_for '*'
	mv "$RTMEM_CONF" "$BATS_TEST_TMPDIR/pool.conf"
}

@test "limits of data, address space, stack, locked memory, descriptors, files: the outcome is the program's" {
	pool_for_all
	as_bare data "5000 6000 7000 8000 9000 10000 11000 12000 13000 14000 16000 20000 24000 32000 64000" 1
	as_bare as "20000 24000 32000 48000 64000 128000" 1
	as_bare data "64000 128000" 16
	as_bare stack "64 128 256 1024" 1
	as_bare memlock "0 4 64 1024" 1
	as_bare nofile "4 5 6 8" 1
	as_bare fsize "0 1" 1
}

@test "a limit of data that leaves the library next to nothing holds for the program" {
	# shellcheck disable=SC2016 # Perl expands it
	local large='my $x = "a" x ($ARGV[0] << 20); print length $x'
	for mib in 1 9 40; do
		for way in '' "$LIB"; do
			LD_PRELOAD=$way run limited data 8000000 perl -e "$large" "$mib"
			if [ "$mib" = 1 ]; then assert_output 1048576; else assert_failure; fi
			[[ $mib = 1 || $output == "Out of memory"* ]] || explain "$mib MiB, $way"
		done
	done
}

@test "a program under a limit of data goes on however much it maps and gives back" {
	# 30 GiB in all; nothing is kept for the next block
	export MALLOC_CONF=dirty_decay_ms:0,muzzy_decay_ms:0
	LD_PRELOAD=$LIB run limited data 64000000 "$PROG/survive_churn" 10000 3000
	assert_output "0 failed"
}

@test "what matched threads freed and the helper has not seen is had before an allocation fails" {
	pool_for_all
	as_bare data 300000 1 1024
}

@test "where there is no memory for a thread's first call, malloc gives NULL: nothing crashes" {
	pool_for_all
	for conf in '' "$BATS_TEST_TMPDIR/pool.conf"; do
		# from where the loader finds a place for all objects
		for limit in data=4000 data=6500 data=8500 data=9000 data=9500 data=10000 data=10500 data=11000 \
			as=9000 as=10000 as=11000 as=12000 as=13000 as=14000 as=15000; do
			RTMEM_CONF=$conf LD_PRELOAD=$LIB run limited "${limit%=*}" "${limit#*=}000" \
				"$PROG/survive_limit" 3
			assert_success
		done
		# and where jemalloc was told to take as much as ever
		for value in $(seq 9000 1111 24000); do
			MALLOC_CONF=narenas:8,retain:true,tcache_max:131072 RTMEM_CONF=$conf \
				LD_PRELOAD=$LIB run limited data "${value}000" "$PROG/survive_limit" 3
			assert_success
		done
	done
}

@test "a program that may have just its own threads gets them: the helper makes room" {
	pool_for_all
	RTMEM_CONF=$BATS_TEST_TMPDIR/pool.conf
	public_dir
	# an identity that nobody else has: the limit counts all its threads
	for conf in '' "$PUBLIC/rtmem.conf"; do
		RTMEM_CONF=$conf LD_PRELOAD=$PUBLIC/lib.so run setpriv --reuid=54321 --regid=54321 \
			--clear-groups --inh-caps=-all --bounding-set=-all prlimit --nproc=9 \
			"$PUBLIC/prog/survive_limit" 8
		assert_success
		assert_contains "8 threads, 0 failed"
	done
	private_teardown
}
