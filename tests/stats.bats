#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The statistics page, and what ps, stat, top and report make of it, on a real program
# shellcheck disable=SC2013,SC2016,SC2030,SC2031 # each test is a subshell of its own, and knows it
load helper

bats_require_minimum_version 1.5.0

setup() {
	clean_environment
	policy <<-END
		[pool audio]
		size = 1M
		[rule named]
		thread = rt, brief
		pool = audio
	END
}

teardown() {
	tmux -L "rtmem-$BATS_TEST_NUMBER" kill-server 2>/dev/null || true
	[ -z "${VICTIM-}" ] || { kill -9 "$VICTIM" && wait "$VICTIM"; } 2>/dev/null || true
}

# victim [SECONDS [KIB]]: starts stats_victim under the library; waits for its page.
victim() {
	LD_PRELOAD=$LIB "$PROG/stats_victim" "${1:-600}" "${2:-0}" >"$BATS_TEST_TMPDIR/victim" 3>&- &
	VICTIM=$!
	until "$RTMEM" stat "$VICTIM" >/dev/null 2>&1; do
		kill -0 "$VICTIM"
		sleep 0.05
	done
}

# loaded PID: the library has started there.
loaded() {
	[ "$(cat "/proc/$1/comm")" = sleep ] && grep -q librtpreload "/proc/$1/maps" &&
		grep -q '^State:.S' "/proc/$1/status"
}

# the_page PID: path of the page of a process.
the_page() {
	local task fd
	for task in "/proc/$1"/task/*; do
		[ "$(cat "$task/comm" 2>/dev/null)" = rtmem-helper ] || continue
		for fd in "$task"/fd/*; do
			[[ $(readlink "$fd") != /memfd:rtmem-stats* ]] || echo "$fd"
		done
	done
}

# json EXPR: evaluates a python expression on the object d read from $output.
json() {
	python3 -c 'import json, sys; d = json.load(sys.stdin); t = {x["name"]: x for x in d["threads"] + d["ended"]}
p = {x["name"]: x for x in d["pools"]}; r = {x["name"]: x for x in d["rules"]}
sys.exit(0 if ('"$1"') else "not so: " + sys.argv[1])' "$1" <<<"$output" || explain "$1"
}

# has EXPR: the same of the process, now; for wait_until.
has() {
	output=$("$RTMEM" stat --json "$VICTIM") && json "$1"
}

@test "the layout of the page is what readers elsewhere rely on" {
	run "$UNIT/stats_layout"
	assert_success
}

@test "ps lists a program with its pools, threads and policy" {
	victim
	run "$RTMEM" ps
	assert_success
	grep -qE "^ *$VICTIM stats_victim +1 +1\.[0-9]M +[12]/[23] +0 +$BATS_TEST_TMPDIR" <<<"$output" ||
		explain "no such line"
}

@test "ps says why a program has no figures" {
	LD_PRELOAD=$LIB sleep 600 3>&- &
	VICTIM=$!
	wait_until 5 loaded "$VICTIM"
	run "$RTMEM" ps
	assert_success
	grep -qE "^ *$VICTIM sleep .*\(no realtime thread\)" <<<"$output" || explain "no such line"
	run "$RTMEM" stat "$VICTIM"
	assert_failure 1
	assert_contains "no figures"
}

@test "stat counts what the threads do, and keeps threads that have ended" {
	victim
	# it allocates all the time, as fast as it is let
	wait_until 5 has 't["rt"]["allocations"] > 1000 and t["rt"]["frees"] > 1000'
	run "$RTMEM" stat --json "$VICTIM"
	assert_success
	json 't["rt"]["allocations"] > 1000 and t["rt"]["frees"] > 1000'
	json 't["rt"]["matched"] and t["rt"]["rule"] == "named" and t["rt"]["pool"] == "audio"'
	json 't["rt"]["largest_bytes"] == 40000 and t["rt"]["fallbacks"] == 0'
	json '0 < t["rt"]["allocation_seconds"]["0.5"] <= t["rt"]["allocation_seconds"]["0.999"]'
	json 't["rt"]["allocation_seconds"]["0.9999"] <= t["rt"]["slowest_allocation_seconds"] * 1.07'
	json 'not t["stats_victim"]["matched"] and t["stats_victim"]["allocations"] == 0'
	json 'r["named"]["allocations"] >= t["rt"]["allocations"]'
	json '[s[0] for s in r["named"]["sizes"]][-4:] == [128, 256, 2048, 65536]'
	json 'abs(sum(s[1] for s in r["named"]["sizes"]) - r["named"]["allocations"]) < 100'
	json 'd["jemalloc_resident_bytes"] > d["jemalloc_allocated_bytes"] > 0'
	json 'p["audio"]["locked_bytes"] == p["audio"]["size_bytes"] >= 1 << 20'
	json 'p["audio"]["peak_bytes"] >= p["audio"]["used_bytes"] > 0'
	wait_until 5 has 'd["ended_threads"] == 1'
	run "$RTMEM" stat "$VICTIM"
	grep -qE "^ *$VICTIM stats_victim +OTHER +- +- +- +- +- " <<<"$output" || explain "counts what is not counted"
	run "$RTMEM" stat --json "$VICTIM"
	json 't["brief"]["matched"] and d["ended_threads"] == 1 and d["matched_threads"] == 1'
}

@test "a pool that is full shows at the pool, at the thread, and in ps" {
	victim 600 2000
	# the other thread may find no part of the pool either
	wait_until 5 has '0 < t["rt"]["fallbacks"] <= p["audio"]["full"]'
	run "$RTMEM" stat --json "$VICTIM"
	json '0 < t["rt"]["fallbacks"] <= p["audio"]["full"]'
	run "$RTMEM" stat "$VICTIM"
	assert_contains "[#########"
}

@test "the parts of a pool, and how many are left, are shown" {
	policy <<-END
		[pool audio]
		size = 128K
		max  = 8M
		[rule audio]
		thread = rt
		pool = audio
	END
	victim
	wait_until 5 has 'p["audio"]["parts"] == 1 and p["audio"]["free_parts"] == 0'
	run "$RTMEM" stat "$VICTIM"
	assert_success
	assert_contains " 0/1 "
	kill "$VICTIM"
	# full: it grows, by parts
	victim 600 2000
	wait_until 5 has 'p["audio"]["parts"] > 8'
}

@test "what interrupts a thread is counted, and what interrupts it within malloc and free" {
	LD_PRELOAD=$LIB "$PROG/stats_busy" 600 3>&- &
	VICTIM=$!
	wait_until 5 has 't["rt"]["involuntary_waits"] > 0 and 0 < t["rt"]["interrupted_calls"]'
	run "$RTMEM" stat --json "$VICTIM"
	json 't["rt"]["involuntary_waits"] > 0'
	json '0 < t["rt"]["interrupted_calls"] < t["rt"]["allocations"] / 10'
	json 't["rt"]["system_calls"] == 0'
}

@test "calls are counted only while somebody watches" {
	counting() {
		[ "$(od -An -tu4 -j44 -N4 "$page" | tr -d ' ')" = "$1" ]
	}
	victim
	page=$(the_page "$VICTIM")
	wait_until 5 counting 0 || explain "still counting"
	"$RTMEM" stat "$VICTIM" >/dev/null
	counting 1 || wait_until 5 eval '"$RTMEM" stat "$VICTIM" && counting 1' || explain "not counting"
}

# The text format, strictly: HELP and TYPE before samples, no sample twice, counters end
# with _total, values are numbers.
metrics_sound() {
	awk '
	/^# HELP / { if ($3 in help) bad("HELP twice"); help[$3] = NF > 3; next }
	/^# TYPE / { if (!($3 in help)) bad("TYPE before HELP"); type[$3] = $4
		if ($4 == "counter" && $3 !~ /_total$/) bad("counter without _total"); next }
	/^# EOF$/ { eof = NR; next }
	!/^[a-z_]+\{([a-z]+="([^"\\]|\\.)*",?)*\} [0-9.e+-]+$/ { bad("not a sample") }
	{ name = $0; sub(/\{.*/, "", name); base = name; sub(/_count$/, "", base)
		sub(/_(bucket|sum)$/, "", base)
		if (!(name in type) && type[base] != "summary" && type[base] != "histogram") bad("no TYPE")
		key = $0; sub(/\} .*/, "", key); if (seen[key]++) bad("sample twice"); n++ }
	function bad(why) { print why ": " $0; wrong = 1 }
	END { exit wrong || n < 20 || eof != NR }'
}

@test "stat --openmetrics is what Prometheus reads" {
	victim
	run "$RTMEM" stat --openmetrics "$VICTIM"
	assert_success
	metrics_sound <<<"$output" || explain "not sound"
	assert_contains "rtmem_pool_full_total{pid=\"$VICTIM\",program=\"stats_victim\",pool=\"audio\"} 0"
	# the check itself can fail
	run metrics_sound <<<"rtmem_x{} 1"
	assert_failure
}

@test "what the other families hold shows in stat, top, JSON and metrics" {
	local fifo=$BATS_TEST_TMPDIR/fifo
	# where nothing can be pinned there is none
	local contiguous="contiguous +library +1 +12K +12K" bytes="8192, 12288"
	pins || contiguous='' bytes=8192
	mkfifo "$fifo"
	LD_LIBRARY_PATH=$(dirname "$LIB") "$PROG/compat_all" wait <"$fifo" >/dev/null 3>&- &
	VICTIM=$!
	exec 4>"$fifo"
	until "$RTMEM" stat "$VICTIM" >/dev/null 2>&1; do
		kill -0 "$VICTIM"
		sleep 0.05
	done
	run "$RTMEM" stat "$VICTIM"
	assert_success
	for row in "com.example.driver +program +1 +1.0K +1.0K" \
		"com.example.driver +program +1 +24 +24" \
		".untagged. +rule +1 +1.0K +1.0K" "$contiguous" \
		"CMMemoryPool +library +1 +1.0M +1.0M" \
		"CMMemoryPool +library +1 +8.0K +8.0K"; do
		grep -qE "^$row *$" <<<"$output" || explain "no $row"
	done
	for pool in OSMalloc area_malloc; do
		grep -q "^$pool " <<<"$output" || explain "no pool $pool"
	done
	run "$RTMEM" top --batch --count 1 "$VICTIM"
	assert_success
	grep -qE "^com.example.driver +program +1 +24 +24 *$" <<<"$output" || explain "no tag in top"
	run "$RTMEM" stat --json "$VICTIM"
	json 'sorted(t["used_bytes"] for t in d["tags"]) == [24, 1000, 1008, '"$bytes"', 1048576]'
	run "$RTMEM" stat --openmetrics "$VICTIM"
	metrics_sound <<<"$output" || explain "not sound"
	assert_contains "tag=\"com.example.driver\"} 1000"
	assert_contains "tag=\"com.example.driver\",nr=\"2\"} 24"
	exec 4>&-
	wait "$VICTIM"
	VICTIM=
}

# held RULE: of the tag of a rule, blocks and bytes.
held() {
	"$RTMEM" stat --json "$VICTIM" | python3 -c 'import json, sys
for t in json.load(sys.stdin)["tags"]:
	if t["name"] == sys.argv[1] and t["kind"] == "rule": print(t["blocks"], t["used_bytes"])' "$1"
}

@test "what a rule has in its pool is known while nobody watches, and stays its own" {
	victim 600 200
	# 50 blocks of 4096 bytes that stay, and what is on its way just then
	until read -r blocks bytes < <(held named) && [ "${blocks:-0}" -eq 50 ]; do
		kill -0 "$VICTIM"
		sleep 0.1
	done
	[ "$bytes" -ge $((50 * 4096)) ] && [ "$bytes" -le $((50 * 4500)) ] ||
		explain "$bytes bytes in $blocks blocks"
	# another rule serves the thread from now on: those blocks are still the first one's
	sed 's/rule named/rule other/' "$RTMEM_CONF" >"$RTMEM_CONF.new"
	mv "$RTMEM_CONF.new" "$RTMEM_CONF"
	run "$RTMEM" reload "$VICTIM"
	assert_success
	until [ "$(held named)" = "50 $bytes" ] && [ -n "$(held other)" ]; do
		kill -0 "$VICTIM"
		sleep 0.1
	done
	read -r blocks bytes < <(held other)
	[ "$blocks" -le 6 ] || explain "$blocks blocks of the new rule"
}

# collected DIRECTORY: what node_exporter's textfile collector makes of the files in it.
collected() {
	local log=$BATS_TEST_TMPDIR/exporter.log port
	prometheus-node-exporter --collector.disable-defaults --collector.textfile \
		--collector.textfile.directory="$1" --web.listen-address=127.0.0.1:0 >"$log" 2>&1 3>&- &
	EXPORTER=$!
	until port=$(sed -n 's/.*Listening on.*address=127.0.0.1:\([0-9]*\).*/\1/p' "$log") && [ -n "$port" ]; do
		kill -0 "$EXPORTER"
		sleep 0.1
	done
	python3 -c 'import sys, urllib.request
print(urllib.request.urlopen("http://127.0.0.1:%s/metrics" % sys.argv[1]).read().decode())' "$port"
	kill "$EXPORTER"
}

@test "promtool finds no fault with the metrics, and node_exporter passes them on" {
	victim
	first=$VICTIM
	LD_PRELOAD=$LIB "$PROG/stats_victim" 600 >/dev/null 3>&- &
	second=$!
	until "$RTMEM" stat "$second" >/dev/null 2>&1; do sleep 0.05; done
	mkdir "$BATS_TEST_TMPDIR/collect"
	"$RTMEM" stat --openmetrics >"$BATS_TEST_TMPDIR/collect/rtmem.prom"
	kill "$second"
	run promtool check metrics <"$BATS_TEST_TMPDIR/collect/rtmem.prom"
	assert_success
	assert_output ""
	run promtool check metrics <<<'rtmem_x{a=} 1'
	assert_failure
	run collected "$BATS_TEST_TMPDIR/collect"
	assert_contains "node_textfile_scrape_error 0"
	for pid in "$first" "$second"; do
		grep -qE "^rtmem_thread_allocations_total\{.*pid=\"$pid\".*thread=\"rt\".*\} [1-9]" <<<"$output" ||
			explain "nothing of $pid"
	done
}

@test "metrics of all processes are metrics also when there is none" {
	run setpriv --reuid=65533 --regid=65533 --clear-groups --inh-caps=-all "$RTMEM" stat --openmetrics
	assert_success
	assert_output "# EOF"
}

@test "names cannot break JSON, metrics or the terminal" {
	policy <<-END
		[pool a"b]
		size = 1M
		[rule named]
		thread = rt
		pool = a"b
	END
	victim
	run "$RTMEM" stat --json "$VICTIM"
	json '"a\"b" in p'
	run "$RTMEM" stat --openmetrics "$VICTIM"
	metrics_sound <<<"$output" || explain "not sound"
}

# playing PROGRAM ARG...: starts it under the library; VICTIM is its number when its thread
# is a realtime one.
playing() {
	LD_PRELOAD=$LIB "$@" >"$BATS_TEST_TMPDIR/playing" 3>&- &
	VICTIM=$!
	until [ -s "$BATS_TEST_TMPDIR/playing" ]; do
		kill -0 "$VICTIM"
		sleep 0.05
	done
}

@test "a process whose main thread has left by pthread_exit is found by every command" {
	policy <<-'END'
		[pool p]
		size = 1M
		[rule r]
		sched = rt
		pool = p
	END
	playing "$PROG/leader_gone" 60
	grep -q '^State:.*Z' "/proc/$VICTIM/status"
	run "$RTMEM" ps
	grep -qE "^ *$VICTIM leader_gone " <<<"$output" || explain "ps"
	run "$RTMEM" stat -j "$VICTIM"
	assert_success
	json 't["player"]["allocations"] > 10'
	run "$RTMEM" top -b -n 1 leader_gone
	assert_contains "$VICTIM"
	run "$RTMEM" report -d 1 -p "$VICTIM"
	assert_success
	assert_contains "leader_gone ($VICTIM)"
	run "$RTMEM" reload leader_gone
	assert_output "$VICTIM (leader_gone): reloaded, 1 rule of 1 file"
	run "$RTMEM" audit -d 1 -p "$VICTIM"
	assert_success
	assert_contains "Audit of $PROG/leader_gone, process $VICTIM"
	grep -qE "^player +[0-9]+ FIFO 10 " <<<"$output" || explain "audit"
}

@test "a program is found by its name: in UTF-8, and when its file was removed or replaced" {
	local name new
	for name in "Spiéler ♫" "old (deleted)" gone replaced; do
		cp "$PROG/stats_victim" "$BATS_TEST_TMPDIR/$name"
		LD_PRELOAD=$LIB "$BATS_TEST_TMPDIR/$name" 30 0 >/dev/null 3>&- &
		VICTIM=$!
		until "$RTMEM" stat "$VICTIM" >/dev/null 2>&1; do
			kill -0 "$VICTIM"
			sleep 0.05
		done
		[ "$name" != gone ] || rm "$BATS_TEST_TMPDIR/$name"
		new=$BATS_TEST_TMPDIR/new
		[ "$name" != replaced ] || { cp /bin/true "$new" && mv "$new" "$BATS_TEST_TMPDIR/$name"; }
		run "$RTMEM" reload "$name"
		assert_output "$VICTIM ($name): reloaded, 1 rule of 1 file"
		run "$RTMEM" top -b -n 1 "$name"
		assert_contains "$VICTIM"
		run "$RTMEM" stat -j "$VICTIM"
		python3 -c 'import json, sys; p = json.load(sys.stdin)["program"]
sys.exit(p != sys.argv[1] and p)' "$name" <<<"$output"
		kill -9 "$VICTIM" && wait "$VICTIM" || true
	done
}

@test "every series of the metrics is another one, however pools and rules are called" {
	policy <<-'END'
		[pool mä]
		size = 1M
		commit = start
		[pool mö]
		size = 1M
		commit = start
		[rule l‮]
		thread = rt
		size = 0..64
		pool = mä
		[rule l‭]
		thread = rt
		size = 65..
		pool = mö
	END
	victim
	run "$RTMEM" stat -o "$VICTIM"
	assert_success
	[ "$(grep -v '^#' <<<"$output" | sed 's/} .*/}/' | sort | uniq -d | wc -l)" -eq 0 ]
	assert_contains 'pool="mä"'
	assert_contains 'pool="mö"'
}

@test "the page belongs to the user, and goes with the process, also after SIGKILL" {
	victim
	page=$(the_page "$VICTIM")
	[ "$(stat -L -c %a "$page")" = 600 ]
	run as_somebody "$RTMEM" stat "$VICTIM"
	assert_failure 1
	assert_contains "may not be looked at"
	kill -9 "$VICTIM"
	wait "$VICTIM" || true
	run "$RTMEM" stat "$VICTIM"
	assert_failure 1
	assert_output "rtmem stat: process $VICTIM: no such process"
	[ ! -e "$page" ]
}

@test "a program that closes every descriptor keeps its page, and a child has none of it" {
	LD_PRELOAD=$LIB "$PROG/stats_closer" >"$BATS_TEST_TMPDIR/closer" 3>&- &
	VICTIM=$!
	wait_until 5 has 't["rt"]["allocations"] > 0'
	wait_until 5 pgrep -P "$VICTIM"
	run "$RTMEM" stat --json "$VICTIM"
	assert_success
	json 't["rt"]["allocations"] > 0'
	child=$(pgrep -P "$VICTIM")
	run grep -c rtmem-stats "/proc/$child/maps"
	assert_output 0
}

@test "a damaged page is refused in one line, whatever stands in it" {
	victim
	page=$(the_page "$VICTIM")
	kill -STOP "$VICTIM"
	head -c 512 "$page" >"$BATS_TEST_TMPDIR/head"
	# magic, version, size, odd sequence, a section beyond the end, more records than fit
	for damage in 0:0 8:9 16:7 24:1 136:4294967295 144:4294967295; do
		python3 -c 'import sys; at, value = sys.argv[1].split(":")
f = open(sys.argv[2], "r+b", buffering=0); f.seek(int(at))
f.write(int(value).to_bytes(4, "little"))' "$damage" "$page"
		run timeout 150 "$RTMEM" stat "$VICTIM"
		assert_failure 1
		assert_output "rtmem stat: process $VICTIM: its statistics page is damaged or of another version"
		dd if="$BATS_TEST_TMPDIR/head" of="$page" conv=notrunc status=none
	done
	# nobody can take the memory away from under the program
	run truncate -s 0 "$page"
	assert_failure
}

@test "a file of that name that is no page is refused" {
	python3 -c 'import os, time, ctypes
ctypes.CDLL(None).prctl(15, b"rtmem-helper")
fd = os.memfd_create("rtmem-stats"); os.write(fd, b"x" * 100); time.sleep(600)' 3>&- &
	VICTIM=$!
	written() {
		local fd
		for fd in "/proc/$VICTIM"/fd/*; do
			[[ $(readlink "$fd") != /memfd:rtmem-stats* ]] || [ "$(stat -Lc %s "$fd")" = 100 ] && return
		done
		return 1
	}
	wait_until 5 eval 'readlink "/proc/$VICTIM"/fd/* | grep memfd && written'
	run timeout 150 "$RTMEM" stat "$VICTIM"
	assert_failure 1
	assert_contains "damaged"
}

@test "a program that ends while it is looked at is an answer, not a hang" {
	LD_PRELOAD=$LIB "$PROG/stats_victim" 1 >/dev/null 3>&- &
	VICTIM=$!
	# its threads end, and it with them: the last that could be had is an answer
	while run timeout 150 "$RTMEM" stat --json "$VICTIM" && [ "$status" -eq 0 ]; do
		json 'd["ended_threads"] <= 2'
	done
	assert_failure 1
	[[ $output == *"no figures"* || $output == *"no such process"* ]] || explain "another answer"
	wait "$VICTIM"
	VICTIM=
}

@test "no page for a program that gained rights by being started" {
	dir=$(mktemp -d /tmp/rtmem-test.XXXXXX)
	TRUSTED=$(dirname "$(cc -print-file-name=libc.so.6)")/librtmem-stats-trusted.so
	install -m 4755 "$(readlink -f "$LIB")" "$TRUSTED"
	cp "$PROG/stats_victim" "$dir/setuid"
	chmod 755 "$dir"
	chmod 4755 "$dir/setuid"
	LD_PRELOAD=librtmem-stats-trusted.so setpriv --reuid="$SOME_USER" --regid="$SOME_USER" --clear-groups \
		"$dir/setuid" 600 >/dev/null 3>&- &
	VICTIM=$!
	wait_until 5 grep -q librtmem "/proc/$VICTIM/maps"
	wait_until 5 eval '[ "$(find "/proc/$VICTIM/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge 2 ]'
	rm -rf "$TRUSTED" "$dir"
	run the_page "$VICTIM"
	assert_output ""
	run grep -c librtmem "/proc/$VICTIM/maps"
	[ "$output" -gt 0 ] || explain "the library was not loaded"
}

# screen WIDTH HEIGHT COMMAND: runs it on a terminal of that size. A server that was told to
# end may still hold the socket: then once more.
screen() {
	local i
	for i in {1..30}; do
		with_terminals tmux -L "rtmem-$BATS_TEST_NUMBER" -f /dev/null new-session -d -x "$1" -y "$2" \
			"$3; echo left with \$?; sleep 600" 3>&- 2>/dev/null && return 0
		sleep 0.1
	done
	explain "tmux does not start after $i tries"
}

# seen TEXT: waits until the terminal shows it.
seen() {
	local i
	for i in {1..600}; do
		output=$(tmux -L "rtmem-$BATS_TEST_NUMBER" capture-pane -p)
		[[ $output != *"$1"* ]] || return 0
		sleep 0.1
	done
	explain "$1 is not on the screen after $((i / 10)) s"
}

press() {
	tmux -L "rtmem-$BATS_TEST_NUMBER" send-keys "$@"
}

@test "top fills a terminal of 80 x 24 with processes, pools, threads, rules and rates" {
	victim
	screen 80 24 "$RTMEM top -d 0.5 $VICTIM"
	seen "POOL "
	seen "THREAD "
	seen "k     "
	grep -qE "^ *$VICTIM stats_victim" <<<"$output" || explain "no process"
	grep -qE "^audio +\[" <<<"$output" || explain "no pool"
	grep -qE "^ *[0-9]+ rt +[A-Z]+.* named +[0-9.]+k +[0-9.]+k +[0-9.]+[nu]s" <<<"$output" ||
		explain "no thread with rates"
	grep -qE "^named +audio" <<<"$output" || explain "no rule"
	grep -qE "^stats_victim \($VICTIM\): calls counted for" <<<"$output" || explain "no summary"
	refute_contains "SYSC"
	seen "threads by ALLOC/s"
	press Right Right Right Right Right Right Right
	seen "SYSC"
	grep -qE "^ *[0-9]+ rt +" <<<"$output" || explain "the name has gone with the columns"
	press '<'
	seen "threads by RULE"
	press Tab Tab Tab
	seen "processes, unsorted"
	press h
	seen "THREADS   threads of a rule / threads known"
	press h
	press q
	seen "left with 0"
}

@test "top begins with a process that has something to show, and shows another on request" {
	# a lower number, and nothing to show
	LD_PRELOAD=$LIB sleep 600 3>&- &
	idle=$!
	victim
	screen 80 24 "$RTMEM top -d 0.5"
	seen "calls counted for"
	grep -qE "^> *[0-9]+ .* [1-9][0-9]*/[0-9]+ " <<<"$output" || explain "an idle one"
	press Down Down Down Down Down Down Down Down Up Up Up Up Up Up Up Up Up Up Up Up Up Up Up Up
	seen ">"
	kill "$idle"
	press q
	seen "left with 0"
}

@test "top sorts, survives a terminal of any size, and the end of its process" {
	victim
	screen 80 24 "$RTMEM top -d 0.3 $VICTIM"
	seen "THREAD "
	first=$(grep -nE " rt +" <<<"$output" | cut -d: -f1)
	press r
	lower() {
		seen "THREAD " && [ "$(grep -nE " rt +" <<<"$output" | cut -d: -f1)" -gt "$first" ]
	}
	wait_until 5 lower || explain "not sorted"
	for size in 20x3 200x60 80x24; do
		tmux -L "rtmem-$BATS_TEST_NUMBER" resize-window -x "${size%x*}" -y "${size#*x}"
		sleep 0.4
	done
	seen "THREAD "
	kill "$VICTIM"
	wait "$VICTIM" || true
	seen "has ended"
	seen "left with 0"
}

@test "top uses colour for trouble, and none under NO_COLOR" {
	victim 600 2000
	screen 80 24 "env TERM=screen $RTMEM top -d 0.5 $VICTIM"
	seen "[#########"
	run tmux -L "rtmem-$BATS_TEST_NUMBER" capture-pane -p -e
	assert_contains $'\e[31m'
	press q
	seen "left with"
	tmux -L "rtmem-$BATS_TEST_NUMBER" kill-server
	screen 80 24 "env NO_COLOR=1 $RTMEM top -d 0.5 $VICTIM"
	seen "[#########"
	run tmux -L "rtmem-$BATS_TEST_NUMBER" capture-pane -p -e
	refute_contains $'\e[31m'
}

@test "top --batch writes so many looks, by number and by name" {
	victim
	run "$RTMEM" top -b -n 2 -d 0.3 "$VICTIM"
	assert_success
	[ "$(grep -c '^rtmem top - ' <<<"$output")" -eq 2 ]
	run "$RTMEM" top --batch --count=1 stats_victim
	assert_success
	assert_contains "stats_victim ($VICTIM)"
	run "$RTMEM" top -b -n 1 no-such-program
	assert_failure 1
	assert_output "rtmem top: no process no-such-program of yours runs with the library"
	run "$RTMEM" top "$VICTIM" </dev/null
	assert_failure 1
	assert_contains "--batch"
	run "$RTMEM" top -b -n 0
	assert_failure 2
	run "$RTMEM" top -b -n 1 999999999
	assert_failure 1
	assert_contains "no such process"
}

@test "top goes on counting, however short its looks" {
	victim
	run "$RTMEM" top -b -n 25 -d 0.2 "$VICTIM"
	assert_success
	# the first look may come too early; 3 s later nobody would be counting any more
	[ "$(grep -cE "^ *[0-9]+ rt .* [0-9.]+k +[0-9.]+k " <<<"$output")" -ge 20 ] || explain "no rates"
}

@test "top --batch ends with its process" {
	victim 4
	run timeout 150 "$RTMEM" top -b -d 0.5 "$VICTIM"
	assert_success
}

@test "report runs a program to its end and says that the promise was kept" {
	run "$RTMEM" report -o "$BATS_TEST_TMPDIR/text" "$PROG/stats_victim" 1.5
	assert_success
	assert_output "done"
	output=$(cat "$BATS_TEST_TMPDIR/text")
	assert_contains "the program returned 0"
	assert_contains "[  kept] pool audio: all of its 1.0M are locked"
	assert_contains "[  kept] pool audio: was never full"
	grep -qE '\[  kept\] thread rt .*: no system call within [1-9][0-9]+ calls of malloc and free' <<<"$output" ||
		explain "no line of the calls"
	refute_contains broken
	grep -qE "^brief +[A-Z]+.* named +[0-9]+ +[0-9]+ +[0-9.]+[nu]s" <<<"$output" ||
		explain "no line of a thread that has ended"
	grep -qE "^rt +" <<<"$output" || explain "no line of the other"
}

@test "report says what was broken, with the cure, and exits 1" {
	run "$RTMEM" report "$PROG/stats_victim" 1 2000
	assert_failure 1
	assert_contains "[broken] pool audio: was full"
	assert_contains "raise size = in [pool audio]"
	public=$(mktemp -d /tmp/rtmem-test.XXXXXX)
	mkdir -p "$public/build" "$public/prog"
	cp "$RTMEM" "$(readlink -f "$LIB")" "$public/build"
	cp "$PROG/stats_victim" "$RTMEM_CONF" "$public"
	chmod -R a+rX "$public"
	RTMEM_CONF=$public/rtmem.conf run unprivileged 64 "$public/build/rtmem" report "$public/stats_victim" 1
	rm -rf "$public"
	assert_failure 1
	assert_contains "are not locked: raise RLIMIT_MEMLOCK"
}

@test "report says where system calls were made within malloc and free" {
	printf '[realtime]\nreport = yes\n' >>"$RTMEM_CONF"
	run "$RTMEM" report "$PROG/stats_victim" 0.5 100000
	assert_failure 1
	grep -qE '\[broken\] thread rt .*: [1-9][0-9]* system calls within malloc and free: its pool was too small' \
		<<<"$output" || explain "no such line"
}

@test "report says whether page faults were the allocator's or other code's" {
	run "$RTMEM" report --json -o "$BATS_TEST_TMPDIR/small" -d 2 "$PROG/stats_victim" 60 0 8
	assert_failure 1
	python3 - "$BATS_TEST_TMPDIR/small" <<-'END'
		import json, sys
		r = json.load(open(sys.argv[1]))
		tid = [t["tid"] for t in r["process"]["threads"] if t["name"] == "rt"][0]
		f = [f for f in r["faults"] if f["tid"] == tid][0]
		# the victim touches its new blocks itself; jemalloc touches what it keeps about them
		assert f["elsewhere"] > f["within"] > 0, f
		assert any("page faults in the library: its pool was too small" in v["text"]
		           and v["mark"] == "broken" for v in r["verdicts"]), r["verdicts"]
	END
	sed -i 's/^size.*/size = 64M/' "$RTMEM_CONF"
	# for as long as it takes to see the thread, whatever else the machine has to do
	for seconds in 1 4 16 64; do
		run "$RTMEM" report --json -o "$BATS_TEST_TMPDIR/large" -d "$seconds" "$PROG/stats_victim" 600 0 8
		assert_success
		run python3 -c 'import json, sys
print([f["within"] for f in json.load(open(sys.argv[1]))["faults"]])' "$BATS_TEST_TMPDIR/large"
		[ "$output" = "[]" ] || break
	done
	[[ $output == "[0]" || $output == "[0, 0]" ]] || explain "faults in a pool"
}

@test "report finds the program behind a wrapper, and ends it after the time asked for" {
	run "$RTMEM" report -d 1500ms sh -c "'$PROG/stats_victim' 60; true"
	assert_success
	assert_contains "stats_victim ("
	assert_contains "the program was asked to end after 1.5 s"
	run pgrep -f "^$PROG/stats_victim 60\$"
	assert_failure
}

@test "report goes on with a daemon that the command leaves behind" {
	policy <<-'END'
		[pool p]
		size = 1M
		[rule r]
		sched = rt
		pool = p
	END
	run timeout 30 "$RTMEM" report "$PROG/leader_gone" 2 daemon
	assert_success
	assert_contains "the program returned 0"
	grep -qE '^daemon +FIFO 10 +r +[1-9][0-9]+ ' <<<"$output" || explain "what the daemon did"
	# in a session of its own it is not ours to end
	run timeout 30 "$RTMEM" report -d 2 "$PROG/leader_gone" 20 daemon
	assert_success
	VICTIM=$(sed -n 's/.*; process \([0-9]*\), which it started, goes on/\1/p' <<<"$output")
	kill "$VICTIM"
}

@test "report of a command that leaves nothing of ours behind ends with it" {
	run timeout 10 "$RTMEM" report sh -c 'sleep 60 >/dev/null 2>&1 3>&- & exit 3'
	pkill -x -f "sleep 60" || true
	assert_failure 1
	assert_contains "ended before there were figures"
}

@test "report knows how the program ended, and leaves its output and interrupts to it" {
	run "$RTMEM" report sh -c 'exit 3'
	assert_failure 1
	assert_output "rtmem report: the program ended before there were figures: no rule names it, it has one thread and not a realtime one, or it was too brief"
	run -127 "$RTMEM" report no-such-program-here
	LD_PRELOAD='' "$RTMEM" report -o "$BATS_TEST_TMPDIR/text" "$PROG/stats_victim" 600 >/dev/null 3>&- &
	VICTIM=$!
	watched() {
		"$RTMEM" stat --json "$(pgrep -P "$VICTIM" stats_victim)" | grep -q '"name":"rt".*"allocations":[1-9]'
	}
	wait_until 5 watched
	sleep 1 # of watching
	kill -9 "$(pgrep -P "$VICTIM" stats_victim)"
	wait "$VICTIM" || true
	grep "was ended by signal 9" "$BATS_TEST_TMPDIR/text"
	grep -E "^rt +.* named +[0-9.]+k" "$BATS_TEST_TMPDIR/text"
}

@test "report --pid watches a process that runs, and lets it go on" {
	victim
	run "$RTMEM" report --json -d 1 -p "$VICTIM"
	assert_success
	report=$output
	output=$(python3 -c 'import json, sys; r = json.load(sys.stdin)
assert r["end"] == "the program goes on" and r["verdicts"], r
print(json.dumps(r["process"]))' <<<"$report")
	json 't["rt"]["allocations"] > 1000'
	kill -0 "$VICTIM"
	run "$RTMEM" report -d 1 -p 999999999
	assert_failure 1
	assert_output "rtmem report: process 999999999: no such process"
	for words in "" "-d 0 true" "-p 1 true" "-p x" "-d x -p 1" "-c f -p 1"; do
		# shellcheck disable=SC2086 # words are meant
		run "$RTMEM" report $words
		assert_failure 2
	done
}

# policy_text: standard input instead of the policy of setup().
policy_text() {
	cat >"$RTMEM_CONF"
}

@test "a thread that is counted makes no system call and takes no page fault either" {
	{ printf '[realtime]\nreport = yes\n'; cat "$ROOT/bench/bench.conf"; } | policy_text
	LD_PRELOAD=$LIB "$ROOT/build/bench/mixed" 3000000 >"$BATS_TEST_TMPDIR/mixed" 3>&- &
	local mixed=$! child
	# the work is done in a child; counting begins when somebody looks
	while child=$(pgrep -P "$mixed" | head -1); kill -0 "$mixed" 2>/dev/null; do
		[ -n "$child" ] || continue
		run "$RTMEM" stat --json "$child"
		[ "$status" -eq 0 ] &&
			json 'max(x["allocations"] for x in t.values()) > 10000' 2>/dev/null && break
		sleep 0.05
	done
	json 'max(x["allocations"] for x in t.values()) > 10000'
	wait "$mixed"
	# two: see lends() in realtime.bats; counting would make one a call
	grep "system_calls [0-2] faults 0 " "$BATS_TEST_TMPDIR/mixed"
}

@test "report --html is one page that loads nothing and shows the times" {
	run "$RTMEM" report --html "$BATS_TEST_TMPDIR/page.html" "$PROG/stats_victim" 1
	assert_success
	python3 - "$BATS_TEST_TMPDIR/page.html" <<-'END'
		import sys, html.parser
		open_tags, seen = [], set()
		class Page(html.parser.HTMLParser):
		    def handle_starttag(self, tag, attrs):
		        seen.add(tag)
		        assert not any(k in ("src", "href") for k, v in attrs), (tag, attrs)
		        if tag != "meta": open_tags.append(tag)
		    def handle_endtag(self, tag):
		        assert open_tags.pop() == tag, tag
		Page().feed(open(sys.argv[1]).read())
		assert not open_tags and {"table", "svg", "rect", "figcaption"} <= seen, seen
	END
	run "$RTMEM" report --html /nonexistent/x "$PROG/stats_victim" 0.5
	assert_failure 1
	assert_contains "/nonexistent/x: No such file"
}

@test "wrong usage: no process, no number, two of them" {
	for words in "" x "1 2" "-1" "--nonsense 1"; do
		# shellcheck disable=SC2086 # words are meant
		run "$RTMEM" stat $words
		assert_failure 2
	done
	run "$RTMEM" ps 1
	assert_failure 2
}

@test "rtmem(1) explains every column of every table" {
	victim
	run "$RTMEM" stat "$VICTIM"
	output+=$(printf "\n"; "$RTMEM" report -d 0.3 -p "$VICTIM" | grep "^THREAD")
	for title in $(grep -E "^ *(PID|POOL|TID|RULE|THREAD) " <<<"$output"); do
		grep -qx "\.It Ic $title" "$ROOT/man/rtmem.1" || explain "column $title"
	done
}
