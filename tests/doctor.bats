#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rtmem doctor, on systems that are made up below a directory, and on this one
load helper

# put PATH TEXT: a file of the made-up system.
put() {
	mkdir -p "$SYS$(dirname "$1")"
	printf '%s\n' "$2" >"$SYS$1"
}

# A machine on which everything is as it should be, and a policy with one pool of 4M..6M.
setup() {
	clean_environment
	SYS=$BATS_TEST_TMPDIR/sys
	put /proc/self/status $'Name:\tx\nUid:\t1000\t1000\nCapEff:\t0\nCapAmb:\t0'
	put /proc/self/limits \
		$'Max locked memory         8388608   8388608   bytes\nMax realtime priority     95        95'
	put /proc/self/cgroup '0::/user.slice/app.scope'
	put /proc/self/mountinfo '31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'
	put /proc/meminfo $'MemTotal: 9999999 kB\nMemAvailable: 4194304 kB'
	put /proc/swaps $'Filename\tType'
	put /proc/sys/vm/compact_unevictable_allowed 0
	put /proc/sys/kernel/version '#1 SMP PREEMPT_RT'
	put /proc/sys/kernel/osrelease 6.1
	put /sys/kernel/realtime 1
	put /sys/kernel/mm/transparent_hugepage/enabled 'always [madvise] never'
	policy <<-'END'
		[pool audio]
		size = 4M
		max = 6M
		[rule rt]
		sched = rt
		pool = audio
	END
}

doctor() {
	run "$RTMEM" doctor --root "$SYS" "$@"
}

# finds LEVEL NAME TEXT: the check of that name has that level and says TEXT; others are ok.
finds() {
	doctor
	assert_failure 1
	grep -E "^\[ $1 \] +$2: .*$3" <<<"$output" || explain "expected $1 $2: $3"
	[ "$(grep -vc '^\[ OK \]' <<<"$output")" -eq 1 ] || explain "one line is not ok"
}

@test "where all is well, every line says so and the exit code is 0" {
	doctor
	assert_success
	[ "${#lines[@]}" -ge 15 ]
	[ "$(grep -c '^\[ OK \] ' <<<"$output")" -eq "${#lines[@]}" ] || explain "all OK"
	assert_contains "8M may be locked; the policy's pools take 4M, up to 6M"
}

@test "a memlock limit below the pools is a failure, below their maximum a warning, with the numbers to write" {
	put /proc/self/limits $'Max locked memory         65536   65536   bytes\nMax realtime priority     95'
	finds FAIL memlock "memlock 8192.*LimitMEMLOCK=8M"
	put /proc/self/limits $'Max locked memory         5242880   1   bytes\nMax realtime priority     95'
	finds WARNING memlock "5M may be locked"
}

@test "limits do not matter with capabilities that survive exec" {
	put /proc/self/limits $'Max locked memory 0 0 bytes\nMax realtime priority 0'
	put /proc/self/status $'Uid:\t1000\nCapEff:\t0000000000804000\nCapAmb:\t0000000000804000'
	doctor
	assert_success
	put /proc/self/status $'Uid:\t1000\nCapEff:\t0000000000804000\nCapAmb:\t0'
	doctor
	assert_failure 1
	assert_contains "[ FAIL ]    memlock"
	assert_contains "[ WARNING ] rtprio"
}

@test "the tightest memory limit of all control groups above counts, in version 2" {
	put /sys/fs/cgroup/user.slice/app.scope/memory.max max
	put /sys/fs/cgroup/user.slice/memory.max 2097152
	finds FAIL cgroup "limit 2M in /user.slice,"
	put /sys/fs/cgroup/user.slice/memory.max 8388608
	put /sys/fs/cgroup/user.slice/memory.current 4194304
	finds WARNING cgroup "4M left"
	put /sys/fs/cgroup/user.slice/memory.max 1073741824
	doctor
	assert_success
	assert_contains "1G in /user.slice"
}

@test "the same in version 1, below a container's own root" {
	put /proc/self/cgroup $'5:cpu,memory:/docker/abc/sub\n0::/'
	put /proc/self/mountinfo \
		'35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,cpu,memory'
	put /sys/fs/cgroup/memory/sub/memory.limit_in_bytes 9223372036854771712
	put /sys/fs/cgroup/memory/memory.limit_in_bytes 1048576
	finds FAIL cgroup "limit 1M in /,"
}

@test "a group's page cache that can be dropped counts as left, and what a pool needs beside it does not" {
	put /sys/fs/cgroup/user.slice/memory.max 8388608
	put /sys/fs/cgroup/user.slice/memory.current 8388608
	put /sys/fs/cgroup/user.slice/memory.stat $'anon 0\ninactive_file 8388608\nfile 8388608'
	doctor
	assert_success
	assert_contains "cgroup: memory limit 8M in /user.slice, 8M left"
	put /sys/fs/cgroup/user.slice/memory.stat $'inactive_file 6291456'
	finds WARNING cgroup "6M left"
}

@test "each setting that disturbs locked memory is found, with the cure" {
	put /proc/meminfo 'MemAvailable: 1024 kB'
	finds FAIL memory "1M free"
	put /proc/meminfo 'MemAvailable: 4194304 kB'
	put /proc/swaps $'Filename\n/dev/sda2 partition'
	put /proc/sys/vm/swappiness 60
	finds WARNING swap "sysctl vm.swappiness=10"
	put /proc/sys/vm/swappiness 10
	put /sys/kernel/mm/transparent_hugepage/enabled '[always] madvise never'
	finds WARNING thp "echo madvise"
	put /sys/kernel/mm/transparent_hugepage/enabled 'always madvise [never]'
	put /sys/kernel/mm/ksm/run 1
	finds WARNING ksm "echo 2"
	put /sys/kernel/mm/ksm/run 0
	put /proc/sys/kernel/numa_balancing 1
	doctor
	assert_success
	put /sys/devices/system/node/online 0-1
	finds WARNING numa "numa_balancing=0"
	put /proc/sys/kernel/numa_balancing 0
	put /proc/sys/kernel/io_uring_disabled 2
	finds WARNING io_uring "io_uring_disabled=0"
	put /proc/sys/kernel/io_uring_disabled 0
	put /proc/sys/vm/compact_unevictable_allowed 1
	doctor
	assert_success
	assert_contains "not pinned ones"
}

@test "huge pages must be reserved when the policy asks for them" {
	sed -i 's/^max .*/&\nhugepages = try/' "$RTMEM_CONF"
	finds WARNING hugepages "vm.nr_hugepages"
	put /proc/sys/vm/nr_hugepages 4
	doctor
	assert_success
}

@test "the preemption model in force is found wherever it is written" {
	rm "$SYS/sys/kernel/realtime"
	put /proc/sys/kernel/version '#1 SMP PREEMPT_DYNAMIC'
	finds WARNING preemption "not known.*preempt=full"
	put /boot/config-6.1 $'# CONFIG_PREEMPT is not set\nCONFIG_PREEMPT_VOLUNTARY=y'
	finds WARNING preemption "voluntary"
	printf 'CONFIG_PREEMPT_LAZY=y\n' | gzip >"$SYS/proc/config.gz"
	doctor
	assert_success
	assert_contains "preemption: lazy"
	put /proc/cmdline 'ro preempt=none quiet'
	finds WARNING preemption "none:"
	put /sys/kernel/debug/sched/preempt 'none voluntary (full) lazy'
	doctor
	assert_success
	assert_contains "preemption: full"
}

@test "throttling and governors that cost time are found" {
	put /proc/sys/kernel/sched_rt_runtime_us 0
	finds FAIL throttling "sched_rt_runtime_us=950000"
	put /proc/sys/kernel/sched_rt_runtime_us -1
	put /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor performance
	put /sys/devices/system/cpu/cpu1/cpufreq/scaling_governor powersave
	finds WARNING governor "powersave on 1 of 2.*cpupower"
}

@test "an ordinary program: dynamically linked, the library is loaded, its rules are named" {
	doctor env true
	assert_success
	assert_contains "/env is dynamically linked"
	assert_contains "librtpreload.so.1 is loaded"
	assert_contains "rules: rt"
}

@test "only the pools that the program's rules use count" {
	sed -i 's/^sched.*/&\napp = chuck/' "$RTMEM_CONF"
	put /proc/self/limits $'Max locked memory 0 0 bytes\nMax realtime priority 95'
	doctor env
	assert_failure 1
	assert_contains "take 0, up to 0"
	assert_contains "[ WARNING ] rules: no rule"
}

@test "a static program, one with a malloc of its own, and one that is not there fail" {
	echo 'int main(void) { return 0; }' >"$BATS_TEST_TMPDIR/p.c"
	gcc -static -o "$BATS_TEST_TMPDIR/static" "$BATS_TEST_TMPDIR/p.c"
	doctor "$BATS_TEST_TMPDIR/static"
	assert_failure 1
	assert_contains "[ FAIL ]    program: "
	assert_contains "statically linked"
	echo 'void *malloc(unsigned long n) { return (void *)n; } void free(void *p) {}
		int main(void) { return 0; }' >"$BATS_TEST_TMPDIR/p.c"
	gcc -w -fno-builtin -rdynamic -o "$BATS_TEST_TMPDIR/own" "$BATS_TEST_TMPDIR/p.c"
	doctor "$BATS_TEST_TMPDIR/own"
	assert_failure 1
	assert_contains "[ FAIL ]    allocator: $BATS_TEST_TMPDIR/own defines malloc itself"
	doctor "$BATS_TEST_TMPDIR/gone"
	assert_failure 1
	assert_contains "command not found"
}

@test "a program that needs another allocator is warned about" {
	echo 'int main(void) { return 0; }' >"$BATS_TEST_TMPDIR/p.c"
	gcc -o "$BATS_TEST_TMPDIR/je" "$BATS_TEST_TMPDIR/p.c" -Wl,--no-as-needed \
		-l:libjemalloc.so.2
	doctor "$BATS_TEST_TMPDIR/je"
	assert_failure 1
	assert_contains "[ WARNING ] allocator: libjemalloc"
}

@test "nothing of the program is executed, nor the loader that it names" {
	local name
	cd "$BATS_TEST_TMPDIR"
	echo 'int main(void) { return 0; }' >p.c
	for name in ld-other ld-linux-x86-64.so.2 other; do
		gcc -static -o "$name" -x c - <<-END
			#include <stdio.h>
			int main(void) { return fclose(fopen("$PWD/started", "w")); }
		END
		gcc -o p p.c -Wl,--dynamic-linker="$PWD/$name"
		doctor ./p
		assert_failure 1
		assert_contains "[ WARNING ] preload: ./p is started by a loader of its own, $PWD/$name"
		[ ! -e started ]
	done
}

@test "what a program needs is found where the loader would find it, and what is not is named" {
	cd "$BATS_TEST_TMPDIR"
	mkdir deep deeper
	gcc -shared -fPIC -o deeper/libdeeper.so -Wl,-soname,libdeeper.so -x c - <<<'int deeper;'
	gcc -shared -fPIC -o deep/libmimalloc.so.9 -Wl,-soname,libmimalloc.so.9 -x c - <<<'int other;'
	# shellcheck disable=SC2016 # for the loader
	gcc -shared -fPIC -o deep/libdeep.so -x c - -Wl,-soname,libdeep.so -Wl,--no-as-needed \
		-Ldeeper -Ldeep -ldeeper -l:libmimalloc.so.9 '-Wl,-rpath,$ORIGIN/../deeper:${ORIGIN}' <<<'int deep;'
	for tags in --enable-new-dtags --disable-new-dtags; do
		gcc -o p -x c - -Wl,--no-as-needed -Ldeep -ldeep "-Wl,$tags,-rpath,\$ORIGIN/deep" \
			-Wl,--allow-shlib-undefined <<<'int main(void) { return 0; }'
		doctor ./p
		assert_contains "allocator: libmimalloc is loaded, too"
		assert_contains "librtpreload.so.1 is loaded"
	done
	rm deeper/libdeeper.so
	doctor ./p
	assert_contains "[ WARNING ] preload: ./p needs libdeeper.so, which is not where the loader looks"
	cp deep/libdeep.so deeper/libdeeper.so
	LD_LIBRARY_PATH=$PWD/deeper doctor ./p
	assert_contains "librtpreload.so.1 is loaded"
}

@test "a command that keeps the preload from what it starts is found" {
	doctor env -i true
	assert_failure 1
	assert_contains "[ WARNING ] environment: env clears the environment"
}

@test "a policy with errors, and none, are found" {
	echo 'nonsense' >"$RTMEM_CONF"
	doctor
	assert_failure 1
	assert_contains "[ FAIL ]    policy"
	RTMEM_CONF='' doctor
	assert_failure 1
	assert_contains "[ WARNING ] policy: none"
}

@test "--json says the same, and is JSON" {
	put /sys/kernel/mm/ksm/run 1
	doctor --json true
	assert_failure 1
	python3 -c 'import json, sys
d = json.load(sys.stdin)
bad = [c for c in d["checks"] if c["status"] != "ok"]
assert d["ok"] is False and len(d["checks"]) > 15 and len(bad) == 1
assert bad[0]["name"] == "ksm" and bad[0]["status"] == "warning" and bad[0]["cure"]
' <<<"$output"
}

@test "colour only on a terminal, and never with NO_COLOR" {
	doctor
	refute_contains $'\033'
	run on_terminal "'$RTMEM' doctor --root '$SYS'"
	assert_contains $'\033[32m[ OK ]'
	NO_COLOR=1 run on_terminal "'$RTMEM' doctor --root '$SYS'"
	refute_contains $'\033'
}

@test "control characters of a system that was copied do not reach the terminal" {
	put /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor $'bad\033[2Jgov'
	doctor
	assert_failure 1
	refute_contains $'\033'
	assert_contains 'bad?[2Jgov'
}

@test "wrong usage and a root that is not there: one line, exit code 2" {
	run "$RTMEM" doctor --root "$BATS_TEST_TMPDIR/gone"
	assert_failure 2
	[ "${#lines[@]}" -eq 1 ]
	run "$RTMEM" doctor --nonsense
	assert_failure 2
}

@test "this machine is judged as it is, also without any privilege" {
	RTMEM_CONF=$ROOT/conf/rtmem.conf run unprivileged 64 "$RTMEM" doctor
	assert_failure 1
	assert_contains "[ FAIL ]    memlock: 64K may be locked"
}
