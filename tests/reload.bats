#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A changed policy takes effect in programs that run
# shellcheck disable=SC2016,SC2030,SC2031 # eval; each test is a subshell of its own
load helper
load programs

setup() {
	clean_environment
	OUT=$BATS_TEST_TMPDIR/out
	ERR=$BATS_TEST_TMPDIR/err
	# the victim ends when nobody can write there any more
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 9<>"$BATS_TEST_TMPDIR/in"
	policy < <(rule_to first)
}

teardown() {
	[ -z "${VICTIM-}" ] || { kill -9 "$VICTIM" && wait "$VICTIM"; } 2>/dev/null || true
}

# rule_to POOL [KEY = VALUE…]: a policy in which the thread "rt" gets that pool.
rule_to() {
	printf '[pool %s]\nsize = 4M\n' "$1"
	[ $# -eq 1 ] || printf '%s\n' "${@:2}"
	printf '[rule named]\nthread = rt\npool = %s\n' "$1"
}

# in_place: standing input becomes the policy, written over what was there.
in_place() {
	cat >"$RTMEM_CONF"
}

# by_rename: the same, as editors do it.
by_rename() {
	cat >"$RTMEM_CONF.new"
	mv "$RTMEM_CONF.new" "$RTMEM_CONF"
}

# victim [ARG…]: starts reload_victim under the library.
victim() {
	LD_PRELOAD=$LIB "$PROG/reload_victim" "$@" >"$OUT" 2>"$ERR" 3>&- 9>&- \
		<"$BATS_TEST_TMPDIR/in" &
	VICTIM=$!
}

says() {
	grep -q "$1" "$ERR"
}

now_is() {
	[ "$(tail -n 1 "$OUT")" = "$1" ]
}

# becomes SMALL BIG ONE TWO: the pools of the victim's blocks, after a while.
becomes() {
	wait_until 20 now_is "small=$1 big=$2 one=$3 two=$4" || {
		tail -n 3 "$OUT" "$ERR"
		return 1
	}
}

all_from() {
	becomes "$1" "$1" "$1" "$1"
}

# helper_fds PID: what the helper's descriptors are.
helper_fds() {
	local task
	for task in "/proc/$1"/task/*; do
		[ "$(cat "$task/comm")" = rtmem-helper ] || continue
		find "$task/fd" -type l -printf '%l\n'
	done
}

# count NAME: a figure of the process in rtmem stat.
count() {
	"$RTMEM" stat --openmetrics "$VICTIM" | sed -n "s/^rtmem_process_$1{.*} //p"
}

@test "a file that is written over, or replaced, takes effect in a running thread" {
	victim
	all_from first
	rule_to second | in_place
	all_from second
	rule_to third | by_rename
	all_from third
	# the pools of before are there again
	rule_to first | by_rename
	all_from first
	[ "$(count policy_reloads_total)" = 3 ]
	run cat "$ERR"
	assert_output ""
}

@test "conditions that come with a reload hold: size, and call sites at any depth" {
	victim
	all_from first
	by_rename <<-END
		[pool big]
		size = 4M
		[pool one]
		size = 4M
		[pool two]
		size = 4M
		[rule big]
		thread = rt
		size = 40000..
		pool = big
		[rule one]
		callsite = reload_victim!one
		pool = one
		[rule two]
		thread = rt
		callsite = reload_victim!around
		depth = 2
		pool = two
	END
	becomes jemalloc big one two
	# the other way round: the same numbers would mean other rules
	by_rename <<-END
		[pool one]
		size = 4M
		[pool two]
		size = 4M
		[rule two]
		thread = rt
		callsite = reload_victim!one
		depth = 2
		pool = two
		[rule one]
		thread = rt
		callsite = reload_victim!two
		pool = one
	END
	becomes jemalloc jemalloc two one
	rule_to first | by_rename
	all_from first
}

@test "switches: kinds, whole programs, and no rule at all, off and on again" {
	victim
	all_from first
	{ printf '[realtime]\nallocator = no\n' && rule_to first; } | by_rename
	all_from jemalloc
	rule_to first | by_rename
	all_from first
	{ printf '[app reload_victim]\nenabled = no\n' && rule_to first; } | by_rename
	all_from jemalloc
	echo '# nothing' | by_rename
	"$RTMEM" reload "$VICTIM"
	all_from jemalloc
	rule_to second | by_rename
	all_from second
}

@test "a bad file is one line with file and line, the policy stays, the next good one counts" {
	victim
	all_from first
	{ rule_to second && printf '[pool x]\nsise = 3M\nsize = blue\n'; } | by_rename
	wait_until 10 says "stays"
	run cat "$ERR"
	assert_output "rtmem: $RTMEM_CONF:7: unknown key 'sise' in [pool]; did you mean 'size'? (and 1 more; run rtmem check): the policy in use stays"
	sleep 0.5
	[ "$(wc -l <"$ERR")" -eq 1 ]
	now_is "small=first big=first one=first two=first"
	[ "$(count policy_reload_failures_total)" = 1 ]
	run "$RTMEM" reload "$VICTIM"
	assert_failure 1
	assert_contains "rtmem reload: process $VICTIM (reload_victim): keeps its policy: $RTMEM_CONF:7: unknown key"
	rm "$RTMEM_CONF"
	wait_until 10 says "cannot"
	now_is "small=first big=first one=first two=first"
	rule_to second | by_rename
	all_from second
}

@test "files of the search order: drop-ins come and go, also in directories that were not there" {
	unset RTMEM_CONF
	mkdir -p "$XDG_CONFIG_HOME/rtmem"
	rule_to first >"$XDG_CONFIG_HOME/rtmem/rtmem.conf"
	victim
	all_from first
	mkdir "$XDG_CONFIG_HOME/rtmem/rtmem.conf.d"
	wait_until 5 eval '[ "$(count policy_reloads_total)" -ge 1 ]' || true
	rule_to second >"$XDG_CONFIG_HOME/rtmem/rtmem.conf.d/10.conf"
	all_from second
	rm -r "$XDG_CONFIG_HOME/rtmem/rtmem.conf.d"
	all_from first
	# the environment of its start counts, whatever the program has made of it
	mv "$XDG_CONFIG_HOME/rtmem" "$XDG_CONFIG_HOME/away"
	all_from jemalloc
	mv "$XDG_CONFIG_HOME/away" "$XDG_CONFIG_HOME/rtmem"
	all_from first
}

@test "what a symbolic link points to may change" {
	mkdir "$BATS_TEST_TMPDIR/elsewhere"
	mv "$RTMEM_CONF" "$BATS_TEST_TMPDIR/elsewhere/real.conf"
	ln -s elsewhere/real.conf "$RTMEM_CONF"
	victim
	all_from first
	rule_to second >"$BATS_TEST_TMPDIR/elsewhere/real.conf"
	all_from second
}

@test "where inotify is refused, changes are seen all the same" {
	LD_PRELOAD='' unshare -Ur sh -c "echo 0 >/proc/sys/user/max_inotify_instances &&
		LD_PRELOAD='$LIB' exec '$PROG/reload_victim'" >"$OUT" 2>"$ERR" 3>&- 9>&- \
		<"$BATS_TEST_TMPDIR/in" &
	VICTIM=$!
	all_from first
	run helper_fds "$VICTIM"
	assert_contains memfd
	refute_contains inotify
	rule_to second | by_rename
	all_from second
}

@test "the program sees no descriptor, and the helper has two" {
	victim
	all_from first
	# what it opens for a moment is gone the next
	two() {
		[ "$(helper_fds "$VICTIM" | sort)" = $'/memfd:rtmem-stats (deleted)\nanon_inode:inotify' ]
	}
	wait_until 5 two || {
		run helper_fds "$VICTIM"
		explain "expected two"
	}
	run find "/proc/$VICTIM/fd" -type l -printf '%l\n'
	refute_contains inotify
	refute_contains memfd
}

@test "a program in which no rule can match is left alone, whatever the policy becomes" {
	policy < <(rule_to first | sed 's/^thread.*/app = something-else/')
	victim
	all_from jemalloc
	rule_to first | by_rename
	run "$RTMEM" reload "$VICTIM"
	assert_failure 1
	assert_output "rtmem reload: process $VICTIM: it cannot be reloaded: no rule named it when it started, its one thread has needed no helper yet, or it was started with raised rights"
	sleep 0.5
	now_is "small=jemalloc big=jemalloc one=jemalloc two=jemalloc"
	[ "$(find "/proc/$VICTIM/task" -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ]
}

@test "a program with pools of its own and no rule says that there is nothing to reload" {
	policy < <(rule_to first | sed 's/^thread.*/app = something-else/')
	victim own
	wait_until 10 "$RTMEM" stat "$VICTIM"
	run "$RTMEM" reload "$VICTIM"
	assert_failure 1
	assert_output "rtmem reload: process $VICTIM (reload_victim): keeps its policy: no rule could match when it started: there are none to change"
}

@test "what changed before there was a helper is found when it starts" {
	victim late "$BATS_TEST_TMPDIR/go"
	wait_until 5 grep -q librtpreload "/proc/$VICTIM/maps"
	sleep 0.3
	rule_to second | by_rename
	sleep 0.3
	touch "$BATS_TEST_TMPDIR/go"
	all_from second
}

@test "pools: size is grown into, what cannot be is said in one line, nothing is shrunk" {
	policy < <(rule_to first "max = 8M")
	victim
	all_from first
	rule_to first "max = 8M" | sed 's/^size.*/size = 7M/' | by_rename
	wait_until 10 eval '[ "$("$RTMEM" stat --openmetrics "$VICTIM" |
		sed -n "s/^rtmem_pool_size_bytes.*} //p")" -ge 7340032 ]'
	run cat "$ERR"
	assert_output ""
	rule_to first "max = 32M" "lock = no" | sed 's/^size.*/size = 1M/' | by_rename
	run "$RTMEM" reload "$VICTIM"
	assert_success
	# the answer says so, too, unless the helper has seen the file before it was asked
	says="; pool \"first\": size max lock as the policy has it now must wait until the program starts again"
	[ "$output" = "$VICTIM (reload_victim): reloaded, 1 rule of 1 file" ] ||
		assert_output "$VICTIM (reload_victim): reloaded, 1 rule of 1 file$says"
	wait_until 5 says "must wait"
	run cat "$ERR"
	assert_output "rtmem: pool \"first\": size max lock as the policy has it now must wait until the program starts again"
	run "$RTMEM" stat "$VICTIM"
	grep -qE "^first .* 7\.[0-9]M +8\.[0-9]M " <<<"$output" || explain "the pool is another size"
	all_from first
}

@test "a child that is forked has the policy of now" {
	victim fork
	all_from first
	rule_to second | by_rename
	wait_until 10 grep -q "^child" "$OUT"
	run grep "^child" "$OUT"
	assert_output "child small=second big=second one=second two=second"
	rule_to third | by_rename
	all_from third
}

@test "rtmem reload: by number, by name, all; each trouble is one line" {
	victim
	all_from first
	run "$RTMEM" reload "$VICTIM"
	assert_success
	assert_output "$VICTIM (reload_victim): reloaded, 1 rule of 1 file"
	run "$RTMEM" reload reload_victim
	assert_success
	run "$RTMEM" reload --all
	assert_contains "$VICTIM (reload_victim): reloaded"
	[ "$(count policy_reloads_total)" = 3 ]
	run "$RTMEM" ps
	grep -qE "^ *$VICTIM reload_victim .* 3 *$" <<<"$output" || explain "not in ps"
	run "$RTMEM" stat "$VICTIM"
	assert_contains "policy: reloaded 3 times, refused 0 times"
	run "$RTMEM" reload 999999999
	assert_failure 1
	assert_output "rtmem reload: process 999999999: no such process"
	run "$RTMEM" reload no-such-program
	assert_failure 1
	assert_output "rtmem reload: no process no-such-program of yours can be reloaded"
	run "$RTMEM" reload $$
	assert_failure 1
	assert_output "rtmem reload: process $$: it runs without the library: start it with rtmem run"
	run as_somebody "$RTMEM" reload "$VICTIM"
	assert_failure 1
	assert_contains "may not be looked at"
	for words in "" "--all 1" "--what"; do
		# shellcheck disable=SC2086 # words are meant
		run "$RTMEM" reload $words
		assert_failure 2
	done
}

# reloads N FROM: so many policies, each of another size rule; their number goes on from FROM.
reloads() {
	local i
	for ((i = $2; i < $2 + $1; i++)); do
		rule_to first "[rule sized]" "app = *" "size = $((i + 100))..$((i + 200))" \
			"callsite = *!nobody_$i" "pool = first" >"$RTMEM_CONF"
		"$RTMEM" reload "$VICTIM" >/dev/null || return 1
	done
}

# blocks_below BYTES: what jemalloc has in blocks after another reload.
blocks_below() {
	reloads 1 900 && [ "$(count jemalloc_allocated_bytes)" -lt "$1" ]
}

@test "policies that were replaced are freed, also while a thread sleeps that followed the first" {
	local had
	victim
	all_from first
	reloads 10 0
	sleep 12
	reloads 1 10
	had=$(count jemalloc_allocated_bytes)
	reloads 100 20
	[ "$(count jemalloc_allocated_bytes)" -gt $((had + 200000)) ]
	wait_until 20 blocks_below $((had + 60000)) || {
		echo "from $had to $(count jemalloc_allocated_bytes)"
		return 1
	}
	! grep . "$ERR" || return 1
}

@test "rtmem reload does not wait for what cannot answer: stopped, or ended meanwhile" {
	victim
	all_from first
	kill -STOP "$VICTIM"
	run timeout 150 "$RTMEM" reload "$VICTIM"
	assert_failure 1
	assert_output "rtmem reload: process $VICTIM (reload_victim): no answer: it is stopped, or its helper thread gets no processor time"
	(sleep 0.5 && kill -9 "$VICTIM") 3>&- &
	run timeout 150 "$RTMEM" reload "$VICTIM"
	assert_failure 1
	assert_output "rtmem reload: process $VICTIM (reload_victim): ended before it answered"
}

# sites_to LETTER RULE…: pools one_LETTER and two_LETTER, and rules in that order.
sites_to() {
	local pool rule
	for pool in one two; do
		printf '[pool %s_%s]\nsize = 1M\n' "$pool" "$1"
	done
	for rule in "${@:2}"; do
		printf '[rule %s]\nthread = rt\ncallsite = reload_victim!%s\ndepth = 2\npool = %s_%s\n' \
			"$rule" "${rule/two/around}" "$rule" "$1"
	done
}

@test "a thread at full speed never gets half of a policy: rules change their numbers 40 times" {
	policy < <(sites_to a one two)
	victim strict
	wait_until 10 now_is strict
	for _ in {1..20}; do
		# other numbers, other pools; and one rule more in front
		{ printf '[rule none]\nthread = rt\ncallsite = no.so\npool = two_b\n' &&
			sites_to b two one; } >"$RTMEM_CONF"
		run "$RTMEM" reload "$VICTIM"
		assert_success
		sites_to a one two >"$RTMEM_CONF"
		run "$RTMEM" reload "$VICTIM"
		assert_success
	done
	exec 9>&-
	wait "$VICTIM" || explain "$(cat "$ERR")"
	VICTIM=
}

# pool_changes: 50 of them in a realtime thread that works until they are through, into $output.
pool_changes() {
	local pid
	cp "$RTMEM_CONF.a" "$RTMEM_CONF"
	rm -f "$BATS_TEST_TMPDIR/enough"
	LD_PRELOAD=$LIB "$ROOT/build/bench/mixed" 1000000 "$BATS_TEST_TMPDIR/enough" \
		>"$OUT" 2>"$ERR" 3>&- 9>&- &
	VICTIM=$!
	# the work is done in a child
	wait_until 10 eval '"$RTMEM" stat "$(pgrep -P $VICTIM)"'
	pid=$(pgrep -P $VICTIM)
	for _ in {1..25}; do
		cp "$RTMEM_CONF.b" "$RTMEM_CONF"
		run "$RTMEM" reload "$pid"
		assert_success
		cp "$RTMEM_CONF.a" "$RTMEM_CONF"
		run "$RTMEM" reload "$pid"
		assert_success
	done
	touch "$BATS_TEST_TMPDIR/enough"
	wait $VICTIM
	run cat "$OUT" "$ERR"
	grep -q " ok$" "$OUT" || explain "not ok"
}

@test "a realtime thread at full speed while its pool changes 50 times: no fault, no system call" {
	cp "$ROOT/bench/bench.conf" "$RTMEM_CONF.a"
	sed 's/^\[pool bench\]/[pool other]/; s/= *bench$/= other/' "$RTMEM_CONF.a" >"$RTMEM_CONF.b"
	# bench/mixed lets the helper run before what is not realtime: others do not count
	pool_changes
	grep -qE "system_calls [0-2] faults 0 " <<<"$output" ||
		explain "system calls or faults"
}

# threads_in POOL: threads of the victim that have it.
threads_in() {
	"$RTMEM" stat --json "$VICTIM" | python3 -c 'import json, sys
print(len([t for t in json.load(sys.stdin)["threads"] if t["pool"] == sys.argv[1]]))' "$1"
}

@test "mpv plays on while all its threads get another pool, and back" {
	everybody() {
		rule_to "$1" | sed 's/^thread.*/thread = */; s/4M/32M/'
	}
	policy < <(everybody first)
	LD_PRELOAD=$LIB mpv --no-config --vo=null --ao=null --no-terminal av://lavfi:sine=d=60 \
		>"$OUT" 2>"$ERR" </dev/null 3>&- 9>&- &
	VICTIM=$!
	wait_until 20 eval '[ "$(threads_in first)" -ge 4 ]'
	everybody second | by_rename
	wait_until 20 eval '[ "$(threads_in second)" -ge 4 ] && [ "$(threads_in first)" = 0 ]'
	# blocks of the first pool are freed by threads of the second
	echo '# nothing' | by_rename
	wait_until 20 eval '[ "$(count policy_reloads_total)" = 2 ]'
	sleep 0.5
	everybody first | by_rename
	wait_until 20 eval '[ "$(threads_in first)" -ge 4 ]'
	kill -0 "$VICTIM"
	run cat "$ERR"
	assert_output ""
}

@test "threads come and go and children are forked while policies of all kinds take turns" {
	local policies=$BATS_TEST_TMPDIR/policies n=0
	mkdir "$policies"
	cat >"$policies/a" <<-END
		[pool a]
		size = 2M
		max = 8M
		[rule names]
		thread = rt*
		pool = a
		[rule site]
		callsite = reload_churn!one
		depth = 3
		pool = a
		kind = audio
		stack = 64K
		recycle = 0.2s
	END
	cat >"$policies/b" <<-END
		[pool b]
		size = 1M
		[rule class]
		sched = rt
		pool = b
		[rule site]
		thread = rt2
		callsite = reload_churn!step
		depth = 2
		pool = b
		[rule exempt]
		size = 100..
		thread = rt
		pool = jemalloc
	END
	printf '[app reload_churn]\nenabled = no\n' >"$policies/c"
	cp "$policies/a" "$RTMEM_CONF"
	LD_PRELOAD=$LIB timeout -s KILL 500 "$PROG/reload_churn" 1500 >"$OUT" 2>"$ERR" 3>&- 9>&- &
	wait_until 10 pgrep -P $! -x reload_churn
	VICTIM=$(pgrep -P $! -x reload_churn)
	while kill -0 "$VICTIM"; do
		for i in a b c b; do
			cp "$policies/$i" "$RTMEM_CONF"
			"$RTMEM" reload "$VICTIM" || break 2
			n=$((n + 1))
		done
	done
	wait $! || explain "$(cat "$ERR")"
	VICTIM=
	[ "$n" -ge 4 ] || explain "only $n reloads"
}
