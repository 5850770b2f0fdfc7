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
	run timeout 60 "$RTMEM" audit --json -o "$AUDIT" -- "$@"
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
	run timeout 60 "$RTMEM" audit "$VICTIM"
	assert_success
	assert_contains "audio-victim"
	assert_contains "FIFO 5"
	assert_contains "1000 calls"
	assert_contains "freed by itself 0, by other threads 50"
	assert_contains "PEAK: bytes alive at once"
	# the function, not a folder of that name in a path
	[[ ! $output =~ [[:space:]]main([[:space:]]|$) ]] || explain "main allocates nothing here"
}

@test "a program that is killed leaves its audit" {
	audit_json "$VICTIM" kill
	expect 'fn("small_blocks")["allocations"]' 1000
	run timeout 60 "$RTMEM" audit "$VICTIM" kill
	assert_contains "ended by signal 9"
}

@test "the program is ended after the duration" {
	SECONDS=0
	run timeout 60 "$RTMEM" audit -d 0.3 "$VICTIM" stay
	assert_success
	assert_contains "1000 calls"
	run pgrep -f "^$VICTIM stay"
	assert_failure
}

@test "page faults of a thread that is there to be asked are given" {
	AUDIT=$BATS_TEST_TMPDIR/audit.json
	run timeout 60 "$RTMEM" audit --all -d 0.5 --json -o "$AUDIT" "$VICTIM" stay
	assert_success
	expect '[t["minor_faults"] > 0 for t in p["threads"] if t["tid"] == p["pid"]]' '[True]'
	expect 'fn("main")["allocations"] if 0 else fn("small_blocks")["allocations"]' 1000
}

@test "without a realtime thread it says so; --all audits every thread" {
	run timeout 60 "$RTMEM" audit "$VICTIM" plain
	assert_failure 1
	assert_output "rtmem audit: no realtime thread was seen; --all audits every thread"
	run timeout 60 "$RTMEM" audit --all "$VICTIM" plain
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

@test "the suggested policy is accepted, and a run under it fills no pool" {
	run timeout 60 "$RTMEM" audit --suggest -o "$BATS_TEST_TMPDIR/s.conf" "$VICTIM"
	assert_success
	run "$RTMEM" check "$BATS_TEST_TMPDIR/s.conf"
	assert_success
	refute_contains warning
	run cat "$BATS_TEST_TMPDIR/s.conf"
	assert_contains "at most 251" # 50 blocks of 5000 and what else is alive
	assert_contains "; twice that"
	printf '[realtime]\nreport = yes\n' >>"$BATS_TEST_TMPDIR/s.conf"
	run timeout 60 "$RTMEM" run --conf "$BATS_TEST_TMPDIR/s.conf" "$VICTIM"
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
		run timeout 60 "$RTMEM" audit --suggest -o "$dir/s.conf" "$dir/$name"
		assert_success
		run "$RTMEM" check "$dir/s.conf"
		assert_success
		run timeout 60 "$RTMEM" explain --conf "$dir/s.conf" --app "$name" --sched fifo
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
	run timeout 60 "$RTMEM" audit --html "$BATS_TEST_TMPDIR/a.html" "$VICTIM"
	assert_success
	run grep -ciE 'src=|href=|url\(|@import' "$BATS_TEST_TMPDIR/a.html"
	assert_output 0
	run timeout 60 chromium --headless --no-sandbox --disable-gpu --dump-dom \
		--user-data-dir="$BATS_TEST_TMPDIR/chromium" "file://$BATS_TEST_TMPDIR/a.html"
	assert_success
	assert_contains "Latency of an allocation"
	assert_contains "small_blocks"
	[ "$(grep -o '<rect' <<<"$output" | wc -l)" -ge 8 ] || explain "expected diagrams"
	[ "$(grep -o '<polyline' <<<"$output" | wc -l)" -le 2 ]
}

@test "bad input: one line and an exit code" {
	touch "$BATS_TEST_TMPDIR/begin"
	run timeout 60 "$RTMEM" audit /nonexistent/program
	assert_failure 127
	[ "${#lines[@]}" -eq 1 ]
	run timeout 60 "$RTMEM" audit "$ROOT/README.md"
	assert_failure 126
	[ "${#lines[@]}" -eq 1 ]
	run timeout 60 "$RTMEM" audit
	assert_failure 2
	run timeout 60 "$RTMEM" audit -d soon true
	assert_failure 2
	run timeout 60 "$RTMEM" audit true
	assert_failure 1
	[ "${#lines[@]}" -eq 1 ]
	run timeout 60 "$RTMEM" audit -o /nonexistent/file "$VICTIM"
	assert_failure 1
	[ "${#lines[@]}" -eq 1 ]
	nothing_left
}

@test "a real player: chuck's realtime thread under JACK" {
	start_jack
	export JACK_NO_START_SERVER=1
	AUDIT=$BATS_TEST_TMPDIR/audit.json
	run timeout 60 "$RTMEM" audit -d 3 --json -o "$AUDIT" chuck \
		"$ROOT/bench/demo/notes.ck" 3>&-
	stop_jack
	assert_success
	expect 'any(t["class"].startswith("FIFO") and t["allocations"] > 50 for t in p["threads"])' True
	expect 'max(len(s["frames"]) for s in p["stacks"]) > 4' True
}
