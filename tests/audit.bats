#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rtmem audit: which realtime thread of a program allocates what, from where
# shellcheck disable=SC2030,SC2031 # each test has an AUDIT of its own
load helper
load programs
load media

VICTIM=$PROG/audit_victim

teardown() {
	stop_jack
	[ -z "${RUNNING-}" ] || { kill -9 "$RUNNING" && wait "$RUNNING"; } 2>/dev/null || true
}

# figure FILE EXPRESSION: of the first process p of an audit in JSON; fn(NAME) is the
# stack whose first frame is that function.
figure() {
	python3 - "$@" <<-'END'
		import json, sys
		p = json.load(open(sys.argv[1]))["processes"][0]
		def fn(name):
		    found = [s for s in p["stacks"] if s["frames"][0]["function"] == name]
		    assert len(found) == 1, (name, len(found))
		    return found[0]
		print(eval(sys.argv[2]))
	END
}

# expect EXPRESSION VALUE: in $AUDIT
expect() {
	run figure "$AUDIT" "$1"
	assert_output "$2"
}

audit_json() {
	AUDIT=$BATS_TEST_TMPDIR/audit.json
	run timeout 150 "$RTMEM" audit --json -o "$AUDIT" -- "$@"
	assert_success
}

nothing_left() {
	run bash -c 'ls -d /dev/shm/rtmem-audit-* /tmp/rtmem-audit-* 2>/dev/null | while read -r d; do
		[ "$d" -nt "$1" ] && echo "$d"; done' _ "$BATS_TEST_TMPDIR/begin"
	assert_output ""
}

@test "the numbers of a realtime thread are exact, function by function" {
	audit_json "$VICTIM"
	expect 'fn("small_blocks")["allocations"]' 1000
	expect 'fn("small_blocks")["bytes"]' 100000
	expect 'fn("small_blocks")["freed_by_itself"]' 1000
	expect 'fn("small_blocks")["freed_by_others"]' 0
	expect 'fn("small_blocks")["live_peak"]' 128
	expect 'fn("small_blocks")["sizes"]' '[[128, 1000]]'
	expect 'fn("large_blocks")["allocations"]' 50
	expect 'fn("large_blocks")["freed_by_itself"]' 0
	expect 'fn("large_blocks")["freed_by_others"]' 50
	expect 'fn("large_blocks")["live_peak"]' $((50 * 5024))
	expect 'fn("large_blocks")["live"]' 0
	expect 'fn("small_blocks")["freed_by"]' None
	expect 'fn("large_blocks")["freed_by"]["frames"][0]["function"]' main
	expect 'fn("large_blocks")["largest"]' 5000
	expect 'sum(n for _, n in fn("small_blocks")["latency_us"])' 1000
	expect '[t["name"] + " " + t["class"] for t in p["threads"]]' "['audio-victim FIFO 5']"
}

@test "stacks have functions with source lines, from the caller of malloc to the thread's start" {
	local line
	audit_json "$VICTIM"
	expect '[f["function"] for f in fn("large_blocks")["frames"]][:3]' \
		"['large_blocks', 'worker', 'start_thread']"
	line=$(grep -n 'kept\[i\] = malloc' "$ROOT/tests/prog/audit_victim.c" | cut -d: -f1)
	expect 'fn("large_blocks")["frames"][0]["line"]' "$line"
}

@test "the table shows threads, stacks and what each figure means" {
	run timeout 150 "$RTMEM" audit "$VICTIM"
	assert_success
	assert_contains "audio-victim"
	assert_contains "FIFO 5"
	assert_contains "1000 calls"
	assert_contains "freed by itself 0, by other threads 50"
	assert_contains "PEAK: bytes alive at once"
	grep -qE "^      freed by .* \([0-9]+\)$" <<<"$output" || explain "nobody freed them"
	# the function, not a folder of that name in a path: it frees, and allocates nothing here
	[ "$(grep -cE "^ +main([[:space:]]|$)" <<<"$output")" -eq 1 ] || explain "main is there once"
}

@test "programs that end as soon as they have begun leave their audit, each of them" {
	# shellcheck disable=SC2016 # expanded inside
	run timeout 120 "$RTMEM" audit --all bash -c 'for i in {1..30}; do /bin/true & done; wait'
	assert_success
	[ "$(grep -c '^Audit of .*/true, ' <<<"$output")" -eq 30 ] || explain "some are missing"
}

@test "a program that is killed leaves its audit" {
	audit_json "$VICTIM" kill
	expect 'fn("small_blocks")["allocations"]' 1000
	run timeout 150 "$RTMEM" audit "$VICTIM" kill
	assert_contains "ended by signal 9"
}

@test "the program is ended after the duration" {
	SECONDS=0
	run timeout 150 "$RTMEM" audit -d 0.3 "$VICTIM" stay
	assert_success
	assert_contains "1000 calls"
	run pgrep -f "^$VICTIM stay"
	assert_failure
}

@test "page faults of a thread that is there to be asked are given" {
	AUDIT=$BATS_TEST_TMPDIR/audit.json
	run timeout 150 "$RTMEM" audit --all -d 0.5 --json -o "$AUDIT" "$VICTIM" stay
	assert_success
	expect '[t["minor_faults"] > 0 for t in p["threads"] if t["tid"] == p["pid"]]' '[True]'
	expect 'fn("main")["allocations"] if 0 else fn("small_blocks")["allocations"]' 1000
}

@test "without a realtime thread it says so; --all audits every thread" {
	run timeout 150 "$RTMEM" audit "$VICTIM" plain
	assert_failure 1
	assert_output "rtmem audit: no realtime thread was seen; --all audits every thread"
	run timeout 150 "$RTMEM" audit --all "$VICTIM" plain
	assert_success
	assert_contains "500 calls"
	assert_contains "1000 calls"
}

@test "what a script starts is audited, also where the policy says inherit = no" {
	policy <<-END
		[app *]
		inherit = no
	END
	audit_json sh -c "'$VICTIM'; true"
	run python3 -c 'import json, sys
print([p["program"].split("/")[-1] for p in json.load(open(sys.argv[1]))["processes"]])' "$AUDIT"
	assert_output "['audit_victim']"
}

@test "in a PID namespace threads are those of the program, with our numbers" {
	AUDIT=$BATS_TEST_TMPDIR/audit.json
	policy <<-'END'
		[pool p]
		size = 1M
		[rule r]
		sched = rt
		pool = p
	END
	for i in 1 2; do
		if [ "$i" = 1 ]; then
			run timeout 60 "$RTMEM" audit --json -o "$AUDIT" -- \
				unshare -pf --mount-proc "$PROG/leader_gone" 1
		else
			LD_PRELOAD=$LIB unshare -pf --mount-proc "$PROG/leader_gone" 60 \
				>"$BATS_TEST_TMPDIR/pid" 3>&- &
			until [ -s "$BATS_TEST_TMPDIR/pid" ]; do sleep 0.05; done
			RUNNING=$(pgrep -P $! leader_gone)
			run timeout 60 "$RTMEM" audit --json -o "$AUDIT" -d 1 -p "$RUNNING"
		fi
		assert_success
		expect 'p["threads"][0]["name"]' player
		expect 'p["pid"] > 10 and p["threads"][0]["tid"] > 10 and p["stacks"][0]["tid"] > 10' True
		expect 'p["threads"][0]["minor_faults"] is not None' True
	done
}

@test "a daemon that the command leaves behind is audited on" {
	AUDIT=$BATS_TEST_TMPDIR/audit.json
	audit_json "$PROG/leader_gone" 2 daemon
	expect 'p["threads"][0]["name"]' daemon
	expect 'p["threads"][0]["allocations"] >= 200' True
	run timeout 60 "$RTMEM" audit -d 2 -o "$AUDIT" -- "$PROG/leader_gone" 20 daemon
	assert_success
	RUNNING=$(sed -n 's/^rtmem audit: process \([0-9]*\) goes on$/\1/p' <<<"$output")
	kill -0 "$RUNNING"
}

@test "hundreds of processes that have nothing to say take no room" {
	: >"$BATS_TEST_TMPDIR/begin"
	# shellcheck disable=SC2016
	audit_json sh -c 'i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i + 1)); done; exec "$0"' "$VICTIM"
	expect 'fn("small_blocks")["allocations"]' 1000
	nothing_left
}

@test "the suggested policy is accepted, and a run under it fills no pool" {
	run timeout 150 "$RTMEM" audit --suggest -o "$BATS_TEST_TMPDIR/s.conf" "$VICTIM"
	assert_success
	run "$RTMEM" check "$BATS_TEST_TMPDIR/s.conf"
	assert_success
	refute_contains warning
	run cat "$BATS_TEST_TMPDIR/s.conf"
	assert_contains "at most 251" # 50 blocks of 5000 and what else is alive
	assert_contains "; twice that"
	printf '[realtime]\nreport = yes\n' >>"$BATS_TEST_TMPDIR/s.conf"
	run timeout 150 "$RTMEM" run --conf "$BATS_TEST_TMPDIR/s.conf" "$VICTIM"
	assert_success
	assert_contains 'pool "audit-victim"'
	assert_contains "full 0 times"
}

@test "names that are not ASCII, or no text at all, make valid JSON and policies" {
	local dir=$BATS_TEST_TMPDIR name

	for name in 'hör"<b>' $'x\xff\xed\xa0\x80y' 'a, [b]; !c*'; do
		cp "$VICTIM" "$dir/$name"
		audit_json "$dir/$name"
		expect 'fn("small_blocks")["allocations"]' 1000
		run timeout 150 "$RTMEM" audit --suggest -o "$dir/s.conf" "$dir/$name"
		assert_success
		run "$RTMEM" check "$dir/s.conf"
		assert_success
		run timeout 150 "$RTMEM" explain --conf "$dir/s.conf" --app "$name" --sched fifo
		assert_success
	done
}

@test "under a policy the pool serves, and the audit is the same" {
	policy <<-END
		[pool p]
		size = 4M
		[rule rt]
		sched = rt
		pool = p
	END
	audit_json "$VICTIM"
	expect 'fn("small_blocks")["allocations"]' 1000
	expect 'fn("large_blocks")["freed_by_others"]' 50
	expect 'p["threads"][0]["system_calls"]' 0
}

@test "the page with diagrams is complete in itself" {
	run timeout 150 "$RTMEM" audit --html "$BATS_TEST_TMPDIR/a.html" "$VICTIM"
	assert_success
	run grep -ciE 'src=|href=|url\(|@import' "$BATS_TEST_TMPDIR/a.html"
	assert_output 0
	run timeout 150 chromium --headless --no-sandbox --disable-gpu --dump-dom \
		--user-data-dir="$BATS_TEST_TMPDIR/chromium" "file://$BATS_TEST_TMPDIR/a.html"
	assert_success
	assert_contains "Latency of an allocation"
	assert_contains "small_blocks"
	[ "$(grep -o '<rect' <<<"$output" | wc -l)" -ge 8 ] || explain "expected diagrams"
	[ "$(grep -o '<polyline' <<<"$output" | wc -l)" -le 2 ]
}

@test "bad input: one line and an exit code" {
	touch "$BATS_TEST_TMPDIR/begin"
	run timeout 150 "$RTMEM" audit /nonexistent/program
	assert_failure 127
	[ "${#lines[@]}" -eq 1 ]
	run timeout 150 "$RTMEM" audit "$ROOT/README.md"
	assert_failure 126
	[ "${#lines[@]}" -eq 1 ]
	run timeout 150 "$RTMEM" audit
	assert_failure 2
	run timeout 150 "$RTMEM" audit -d soon true
	assert_failure 2
	run timeout 150 "$RTMEM" audit true
	assert_failure 1
	[ "${#lines[@]}" -eq 1 ]
	run timeout 150 "$RTMEM" audit -o /nonexistent/file "$VICTIM"
	assert_failure 1
	[ "${#lines[@]}" -eq 1 ]
	nothing_left
}

@test "a real player: chuck's realtime thread under JACK" {
	start_jack
	export JACK_NO_START_SERVER=1
	AUDIT=$BATS_TEST_TMPDIR/audit.json
	run timeout 150 "$RTMEM" audit -d 3 --json -o "$AUDIT" chuck \
		"$ROOT/bench/demo/notes.ck" 3>&-
	stop_jack
	assert_success
	expect 'any(t["class"].startswith("FIFO") and t["allocations"] > 50 for t in p["threads"])' True
	expect 'max(len(s["frames"]) for s in p["stacks"]) > 4' True
}

@test "from the doctor to the proof: chuck under the policy that its audit suggests" {
	start_jack
	export JACK_NO_START_SERVER=1 RTMEM_CONF='' CONF=$BATS_TEST_TMPDIR/chuck.conf
	run "$RTMEM" doctor chuck 3>&-
	assert_contains "[ WARNING ] rules: no rule of the policy applies to this program"
	run timeout 150 "$RTMEM" audit -d 3 --suggest -o "$CONF" chuck "$ROOT/bench/demo/notes.ck" 3>&-
	assert_success
	run "$RTMEM" check "$CONF"
	assert_success
	run "$RTMEM" doctor --conf "$CONF" chuck 3>&-
	assert_contains "[ OK ]      rules: "
	run timeout 150 "$RTMEM" report --conf "$CONF" -d 3 --json -o "$BATS_TEST_TMPDIR/report" \
		chuck "$ROOT/bench/demo/notes.ck" 3>&-
	stop_jack
	assert_success
	python3 - "$BATS_TEST_TMPDIR/report" <<-'END'
		import json, sys
		r = json.load(open(sys.argv[1]))
		t = [t for t in r["process"]["threads"] + r["process"]["ended"] if t["matched"]]
		assert t and all(x["class"].startswith("FIFO") for x in t), t
		assert sum(x["allocations"] for x in t) > 100, t
		assert all(x["system_calls"] == 0 and x["fallbacks"] == 0 for x in t), t
		assert r["faults"] and all(f["within"] == 0 for f in r["faults"]), r["faults"]
		assert not [v for v in r["verdicts"] if v["mark"] == "broken"], r["verdicts"]
	END
}

# ---- a process that runs ----

# running: starts the victim under the library and the policy; it begins when descriptor 9
# is closed.
running() {
	mkfifo "$BATS_TEST_TMPDIR/go"
	LD_PRELOAD=$LIB "$VICTIM" wait <"$BATS_TEST_TMPDIR/go" >"$BATS_TEST_TMPDIR/said" 3>&- &
	RUNNING=$!
	exec 9>"$BATS_TEST_TMPDIR/go"
	wait_until 10 "$RTMEM" stat "$RUNNING"
}

# word OFFSET: eight bytes of the statistics page of the process.
word() {
	local fd
	for fd in /proc/"$RUNNING"/task/*/fd/*; do
		[[ $(readlink "$fd") != /memfd:rtmem-stats* ]] || od -An -td8 -j"$1" -N8 "$fd" | tr -d ' '
	done
}

going() {
	[ "$(word 440)" != 0 ]
}

# joined OPTION…: an audit of it in the background, which has begun.
joined() {
	AUDIT=$BATS_TEST_TMPDIR/audit.json
	"$RTMEM" audit --json -o "$AUDIT" "$@" -p "$RUNNING" 2>"$BATS_TEST_TMPDIR/err" 3>&- 9>&- &
	AUDITOR=$!
	wait_until 10 going
}

# through: the victim has done its work, and says so.
through() {
	grep -qx through "$BATS_TEST_TMPDIR/said"
}

# it_goes: the victim does its work, and the audit ends when it is interrupted.
it_goes() {
	exec 9>&-
	wait_until 5 through
	sleep 0.2
	kill -INT "$AUDITOR"
	wait "$AUDITOR"
	kill -0 "$RUNNING"
	wait_until 3 not_going
}

not_going() {
	! going
}

pool_for() {
	policy <<-END
		[pool p]
		size = 1M
		[rule r]
		$1
		pool = p
	END
}

same_numbers() {
	expect 'fn("small_blocks")["allocations"]' 1000
	expect 'fn("small_blocks")["freed_by_itself"]' 1000
	expect 'fn("large_blocks")["live_peak"]' $((50 * 5024))
	expect 'fn("large_blocks")["freed_by_others"]' 50
	expect 'fn("large_blocks")["freed_by"]["name"]' audit_victim
	expect 'fn("large_blocks")["freed_by"]["tid"] == p["pid"]' True
	expect 'fn("large_blocks")["freed_by"]["frames"][0]["function"]' main
	expect '[f["function"] for f in fn("large_blocks")["frames"]][:3]' \
		"['large_blocks', 'worker', 'start_thread']"
}

@test "a process that runs is audited like one that is started, and goes on" {
	pool_for "sched = rt"
	running
	joined
	it_goes
	same_numbers
	expect '[(t["name"], t["class"], t["frees_of_others"], t["minor_faults"]) for t in p["threads"]]' \
		"[('audio-victim', 'FIFO 5', 1, 0)]" # the block from before
	run grep -c rtmem-audit "/proc/$RUNNING/maps"
	assert_output 0
	run timeout 150 "$RTMEM" audit --all -d 0.3 -p "$RUNNING"
	assert_success
	assert_contains "Counted from the moment the audit began"
}

@test "an audit goes on when its process gets another policy: other rule, other pool, none" {
	for rule in "sched = other" "sched = rt" "thread = nobody"; do
		pool_for "sched = rt"
		rm -f "$BATS_TEST_TMPDIR/go"
		running
		joined
		pool_for "$rule"
		sed -i -e 's/\[pool p\]/[pool other]/' -e 's/pool = p/pool = other/' -e 's/rule r/rule o/' "$RTMEM_CONF"
		run timeout 150 "$RTMEM" reload "$RUNNING"
		assert_success
		it_goes
		same_numbers
		kill -9 "$RUNNING"
		wait "$RUNNING" || true
	done
	RUNNING=
}

@test "also a realtime thread that no rule names, and with --all every thread" {
	pool_for "thread = nobody"
	running
	run timeout 150 "$RTMEM" audit -d 0.3 -p "$RUNNING"
	assert_success
	# it is forgotten again
	run "$RTMEM" stat --json "$RUNNING"
	assert_contains '"matched_threads":0'
	joined
	it_goes
	same_numbers
	run timeout 150 "$RTMEM" audit --json -o "$AUDIT" -a -d 0.3 -p "$RUNNING"
	assert_success
	expect 'sorted(t["class"] for t in p["threads"])' "['OTHER']"
}

@test "an audit of a process ends when its reader is killed; two at once are refused" {
	pool_for "sched = rt"
	running
	joined
	run timeout 150 "$RTMEM" audit -p "$RUNNING"
	assert_failure 1
	assert_output "rtmem audit: process $RUNNING: another rtmem audit is at it"
	kill -9 "$AUDITOR"
	wait "$AUDITOR" || true
	wait_until 8 not_going
	joined
	it_goes
	same_numbers
	exec 9>&-
}

@test "a process that is killed during its audit leaves what was seen" {
	pool_for "sched = rt"
	running
	joined
	exec 9>&-
	wait_until 5 through
	sleep 0.5
	kill -9 "$RUNNING"
	wait "$AUDITOR"
	same_numbers
	grep -x "rtmem audit: the program has ended" "$BATS_TEST_TMPDIR/err"
}

@test "an audit ends with a line when its process becomes another program" {
	pool_for "thread = nobody"
	mkfifo "$BATS_TEST_TMPDIR/go"
	LD_PRELOAD=$LIB python3 -c 'import os, sys, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
sys.stdin.read()
os.execvp("sleep", ["sleep", "30"])' <"$BATS_TEST_TMPDIR/go" 3>&- &
	RUNNING=$!
	exec 9>"$BATS_TEST_TMPDIR/go"
	wait_until 10 "$RTMEM" stat "$RUNNING"
	joined --all
	exec 9>&-
	wait "$AUDITOR"
	kill -0 "$RUNNING"
	grep -x "rtmem audit: the program has ended" "$BATS_TEST_TMPDIR/err"
	expect 'any(t["allocations"] for t in p["threads"])' True
}

@test "bad input with --pid: one line and an exit code, never a hang" {
	run timeout 150 "$RTMEM" audit -p 999999999
	assert_failure 1
	assert_output "rtmem audit: process 999999999: no such process"
	sleep 600 3>&- &
	RUNNING=$!
	run timeout 150 "$RTMEM" audit -p "$RUNNING"
	assert_failure 1
	assert_output "rtmem audit: process $RUNNING: it runs without the library: start it with rtmem run"
	kill "$RUNNING"
	LD_PRELOAD=$LIB sleep 600 3>&- &
	RUNNING=$!
	wait_until 5 grep -q librtpreload "/proc/$RUNNING/maps"
	wait_until 5 grep -q "^State:.S" "/proc/$RUNNING/status"
	run timeout 150 "$RTMEM" audit -p "$RUNNING"
	assert_failure 1
	assert_contains "no rule names it"
	[ "${#lines[@]}" -eq 1 ]
	kill "$RUNNING"
	pool_for "sched = rt"
	running
	run as_somebody "$RTMEM" audit -p "$RUNNING"
	assert_failure 1
	assert_output "rtmem audit: process $RUNNING: it may not be looked at: ask as its user or as root"
	kill -STOP "$RUNNING"
	run timeout 150 "$RTMEM" audit -p "$RUNNING"
	assert_failure 1
	assert_output "rtmem audit: process $RUNNING: its helper thread does not answer"
	for words in "-p x" "-p 1 true" "-p 1 -c f"; do
		# shellcheck disable=SC2086 # words are meant
		run "$RTMEM" audit $words
		assert_failure 2
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "a program that is audited since its start is not audited twice" {
	pool_for "sched = rt"
	"$RTMEM" audit -o /dev/null "$VICTIM" stay 3>&- &
	AUDITOR=$!
	wait_until 5 pgrep -P "$AUDITOR"
	RUNNING=$(pgrep -P "$AUDITOR")
	wait_until 5 "$RTMEM" stat "$RUNNING"
	run timeout 150 "$RTMEM" audit -p "$RUNNING"
	kill "$AUDITOR"
	wait "$AUDITOR"
	assert_failure 1
	assert_output "rtmem audit: process $RUNNING: it was started by rtmem audit, which is at it"
	RUNNING=
}
