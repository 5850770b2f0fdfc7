#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Pages and audits of programs that mean harm: what the tool makes of a forgery, and what
# the library makes of what others write into its pages. The tool is the one built with the
# address and undefined-behaviour sanitizers.
load helper

bats_require_minimum_version 1.5.0

TOOL=$ROOT/build/asan/rtmem

setup() {
	clean_environment
	export ASAN_OPTIONS=detect_leaks=0:exitcode=99 UBSAN_OPTIONS=halt_on_error=1:exitcode=99
	chmod 755 "$BATS_TEST_TMPDIR"
}

teardown() {
	for pid in ${FAKE-} ${VICTIM-}; do
		{ kill -9 "$pid" && wait "$pid"; } 2>/dev/null || true
	done
}

# fake MODE [ARG…]: a forgery of that kind runs as nobody; $FAKE is its number.
fake() {
	rm -f "$BATS_TEST_TMPDIR/fake" # of the one before
	as_root=()
	[[ $1 = elsewhere || ${2-} = map:* ]] || as_root=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	"${as_root[@]}" "$PROG/fake_page" "$@" >"$BATS_TEST_TMPDIR/fake" 3>&- &
	FAKE=$!
	until [ -s "$BATS_TEST_TMPDIR/fake" ]; do
		kill -0 "$FAKE"
		sleep 0.02
	done
}

# harmless: the last `run` found nothing for the sanitizers, and nothing a terminal obeys.
harmless() {
	[ "$status" -le 2 ] || explain "it broke"
	! LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' <<<"$output" || explain "control characters"
	! LC_ALL=C.UTF-8 grep -qaP '[\x{80}-\x{9f}\x{202a}-\x{202e}]' <<<"$output" || explain "C1"
	iconv -f UTF-8 -t UTF-8 <<<"$output" >/dev/null || explain "no UTF-8"
}

# looked_at: every way to look at $FAKE is harmless.
looked_at() {
	local html=$BATS_TEST_TMPDIR/r.html

	for command in "ps" "stat $FAKE" "stat --json $FAKE" "stat --openmetrics $FAKE" \
		"top --batch --count 1 $FAKE" "reload $FAKE" \
		"report --json --html $html --seconds 0.2 --pid $FAKE"; do
		rm -f "$html"
		# shellcheck disable=SC2086 # words
		run timeout -s KILL 60 "$TOOL" $command
		harmless
		[[ $command != *json* || $status -ne 0 ]] || python3 -m json.tool <<<"$output" >/dev/null
		[ ! -e "$html" ] || ! grep -qi '<script' "$html"
	done
}

damaged() {
	run timeout -s KILL 60 "$TOOL" stat "$FAKE"
	assert_failure 1
	assert_output "rtmem stat: process $FAKE: its statistics page is damaged or of another version"
}

@test "figures as large as they can be, names that end nowhere: every view stays in bounds" {
	fake figures 1000000000
	run timeout 60 "$TOOL" stat "$FAKE"
	assert_success # it is looked at, not refused
	assert_contains "?]0;EVIL??[31m"
	looked_at
}

@test "a clock that cannot be: times are not known, nothing else changes" {
	for hz in 1 9223372036854775808 18446744073709551615; do
		fake figures $hz
		looked_at
		kill -9 "$FAKE"
		fake low $hz
		looked_at
		kill -9 "$FAKE"
	done
	fake low 100000000000
	looked_at
}

@test "records over each other, more than a program has, a page too large: damaged" {
	fake many 1000000 40
	damaged
	kill -9 "$FAKE"
	fake many 16777216 2
	damaged
	kill -9 "$FAKE"
	fake many 1000000 2
	damaged
	for n in {0..39}; do
		kill -9 "$FAKE"
		fake wild "$n"
		damaged
	done
}

@test "a page that is always being written, one that shrinks: given up" {
	fake odd
	damaged
	looked_at
	kill -9 "$FAKE"
	fake shrinks
	looked_at
}

@test "a thousand threads of the helper's name with full tables are not searched to the end" {
	fake threads 200 10000
	run strace -f -qq -e trace=readlinkat,readlink -o "$BATS_TEST_TMPDIR/calls" \
		"$RTMEM" stat "$FAKE"
	assert_failure 1
	# 200 times 10,000 otherwise
	[ "$(wc -l <"$BATS_TEST_TMPDIR/calls")" -lt 100000 ] || explain "too many calls"
}

@test "what has a page's name and is another file is not opened, nor written" {
	local file=$BATS_TEST_TMPDIR/file
	fake figures 1000000000
	cat "/proc/$FAKE/fd/3" >"$file" # a whole page, on a disk, of root
	kill -9 "$FAKE"
	chmod 644 "$file"
	for what in "$file" /dev/zero; do
		before=$(sha256sum "$file")
		fake elsewhere "$what"
		[[ $(readlink "/proc/$FAKE/fd/"*) == *"/memfd:rtmem-stats (deleted)"* ]]
		run strace -f -qq -e trace=openat,pwrite64,pread64 -o "$BATS_TEST_TMPDIR/calls" \
			"$RTMEM" stat --openmetrics
		assert_success
		# shellcheck disable=SC2010 # of strace
		! grep -E "/proc/$FAKE/task/.*(O_RDWR|O_WRONLY)|pwrite64" "$BATS_TEST_TMPDIR/calls"
		run timeout 60 "$TOOL" stat "$FAKE"
		assert_failure 1
		[ "$(sha256sum "$file")" = "$before" ]
		kill -9 "$FAKE"
	done
}

@test "an audit that lies is bounded; its objects are what the process has mapped" {
	mkfifo -m 666 "$BATS_TEST_TMPDIR/fifo"
	for object in "$BATS_TEST_TMPDIR/fifo" /dev/zero /etc/shadow; do
		fake audit "$object"
		for form in "" --json --suggest; do
			# shellcheck disable=SC2086 # none or one
			run timeout -s KILL 60 "$TOOL" audit $form -d 0.2 -p "$FAKE"
			assert_success
			harmless
		done
		run strace -f -qq -e trace=openat -o "$BATS_TEST_TMPDIR/calls" \
			timeout -s KILL 60 "$RTMEM" audit -d 0.2 -p "$FAKE"
		run grep -F "$object" "$BATS_TEST_TMPDIR/calls"
		assert_output ""
		kill -9 "$FAKE"
	done
	for length in 0 8 100 4096 100000; do
		fake audit x "$length"
		run timeout -s KILL 60 "$TOOL" audit -d 0.2 -p "$FAKE"
		harmless
		kill -9 "$FAKE"
	done
}

# An object with a function whose name a terminal would obey.
evil_object() {
	local plain=SYMBOL_THAT_A_TERMINAL_WOULD_OBEY so=$BATS_TEST_TMPDIR/evil.so

	printf '.text\n.globl %s\n.type %s,@function\n%s:\n.fill 4096,1,0x90\n.size %s,4096\n' \
		$plain $plain $plain $plain >"$BATS_TEST_TMPDIR/e.s"
	cc -shared -nostdlib -o "$so" "$BATS_TEST_TMPDIR/e.s"
	python3 - "$so" $plain <<-'END'
		import sys
		b, plain = open(sys.argv[1], "rb").read(), sys.argv[2].encode()
		evil = (b"\x1b]0;SYMBOL\x07\x1b[31m\xc2\x9b\x9b<script>" + b"_" * 99)[:len(plain)]
		open(sys.argv[1], "wb").write(b.replace(plain, evil))
	END
	chmod 644 "$so"
}

@test "names of functions reach no terminal, page or JSON as they are" {
	evil_object
	at=0x$(readelf -SW "$BATS_TEST_TMPDIR/evil.so" | awk '{ sub(/^ *\[ */, "") } $2 == ".text" { print $5 }')
	fake audit "map:$BATS_TEST_TMPDIR/evil.so" "$at"
	run timeout 60 "$TOOL" audit -d 0.2 -p "$FAKE"
	assert_success
	assert_contains "?]0;SYMBOL??[31m"
	harmless
	run timeout 60 "$TOOL" audit --json -d 0.2 -p "$FAKE"
	assert_contains "?]0;SYMBOL??[31m"
	harmless
	python3 -m json.tool <<<"$output" >/dev/null
	run timeout 60 "$TOOL" audit --html "$BATS_TEST_TMPDIR/a.html" -d 0.2 -p "$FAKE"
	assert_success
	[ "$(grep -ci '<script' "$BATS_TEST_TMPDIR/a.html")" -eq 1 ]
}

@test "a report is not written through a link of another user, wherever it is in the path" {
	local dir=$BATS_TEST_TMPDIR/d out

	victim
	mkdir -m 755 "$dir" "$dir/real"
	chown nobody "$dir"
	ln -s "$BATS_TEST_TMPDIR/stolen" "$dir/file"
	ln -s real "$dir/folder"
	chown -h nobody "$dir/file" "$dir/folder"
	ln -s "$dir/real/mine.txt" "$BATS_TEST_TMPDIR/mine"
	for out in "$dir/file" "$dir/folder/x"; do
		for command in audit report; do
			run timeout 60 "$RTMEM" $command --seconds 0.2 -o "$out" --pid "$VICTIM"
			[ $command = report ] || run timeout 60 "$RTMEM" audit -d 0.2 -o "$out" --pid "$VICTIM"
			assert_failure 1
			assert_contains "$out: Too many levels of symbolic links"
		done
	done
	[ ! -e "$BATS_TEST_TMPDIR/stolen" ]
	[ -z "$(ls "$dir/real")" ]
	run timeout 60 "$RTMEM" audit -d 0.2 -o "$BATS_TEST_TMPDIR/mine" -p "$VICTIM"
	assert_success
	[ -s "$dir/real/mine.txt" ]
	run bash -c "timeout 60 '$RTMEM' audit -d 0.2 -o /dev/stdout -p $VICTIM | cat"
	assert_contains "Audit of"
}

# victim: a program with a realtime thread and a page, both of which go on.
victim() {
	policy <<-END
		[pool p]
		size = 1M
		[rule r]
		thread = rt, brief
		pool = p
	END
	LD_PRELOAD=$LIB "$PROG/stats_victim" 60 >/dev/null 3>&- &
	VICTIM=$!
	until "$RTMEM" stat "$VICTIM" >/dev/null 2>&1; do
		kill -0 "$VICTIM"
		sleep 0.05
	done
}

# scribble NAME SECONDS [BYTE]: writes all over the file of that name of $VICTIM.
scribble() {
	python3 - "$@" "$VICTIM" <<-'END'
		import glob, os, random, sys, time
		name, seconds, pid = sys.argv[1], float(sys.argv[2]), sys.argv[3]
		for fd in glob.glob(f"/proc/{pid}/task/*/fd/*"):
		    try:
		        if os.readlink(fd) == f"/memfd:{name} (deleted)":
		            f = os.open(fd, os.O_RDWR)
		            break
		    except OSError:
		        pass
		size, end = os.fstat(f).st_size, time.time() + seconds
		while time.time() < end:
		    for byte in (0, 255, random.randrange(256)):
		        os.pwrite(f, bytes([byte]) * size, 0)
		        time.sleep(0.005)
	END
}

@test "whatever is written into its statistics page, the program goes on, and the page comes back" {
	victim
	scribble rtmem-stats 2
	kill -0 "$VICTIM"
	# what readers may ask stays theirs: an audit that was begun ends when nobody beats
	for _ in {1..100}; do
		"$RTMEM" stat "$VICTIM" >"$BATS_TEST_TMPDIR/stat" 2>&1 && break
		sleep 0.1
	done
	grep -q "^rt\|rt " "$BATS_TEST_TMPDIR/stat"
	kill -0 "$VICTIM"
}

@test "whatever is written into the file of its audit, the program goes on" {
	victim
	"$TOOL" audit --all -o "$BATS_TEST_TMPDIR/out" -p "$VICTIM" 3>&- &
	local audit=$!
	until grep -q rtmem-audit "/proc/$VICTIM/maps"; do
		kill -0 "$audit"
		sleep 0.05
	done
	scribble rtmem-audit 2
	kill -INT "$audit"
	status=0
	wait "$audit" || status=$?
	[ "$status" -le 1 ]
	kill -0 "$VICTIM"
	run timeout 60 "$RTMEM" audit -d 0.5 -p "$VICTIM"
	assert_success # the next one is as if nothing had been
}

@test "a full /dev/shm and /tmp do not end an audited program: one line says there is no room" {
	for size in 4k 64k 1m; do
		# shellcheck disable=SC2016 # expanded inside
		run unshare -m bash -c 'mount -t tmpfs -o size=$1 none /dev/shm &&
			mount -t tmpfs -o size=$1 none /tmp && cd / &&
			timeout 60 "$2" audit --all -- bash -c "/bin/true; echo done \$?"' _ $size "$RTMEM"
		assert_contains "done 0"
		assert_contains "no room in /"
	done
}

@test "an audit of a program with a limit on the size of files goes without" {
	# shellcheck disable=SC2016 # expanded inside
	run timeout 60 "$RTMEM" audit --all -- bash -c 'echo done'
	assert_contains "done"
	# shellcheck disable=SC2016 # expanded inside
	run bash -c 'ulimit -f 8; LD_PRELOAD=$LIB RTMEM_AUDIT=$1 RTMEM_AUDIT_ALL=1 bash -c "echo done"' \
		_ "$BATS_TEST_TMPDIR"
	assert_success
	assert_contains "done"
	assert_contains "no room"
}

@test "an audit that is killed leaves nothing behind, and its program goes on" {
	local before left

	before=$(ls -d /dev/shm/rtmem-audit-* /tmp/rtmem-audit-* 2>/dev/null || true)
	# shellcheck disable=SC2016 # expanded inside
	"$RTMEM" audit --all -- bash -c 'echo $$ >"$1"; exec sleep 60' _ "$BATS_TEST_TMPDIR/pid" 3>&- &
	local audit=$!
	until [ -s "$BATS_TEST_TMPDIR/pid" ]; do sleep 0.05; done
	VICTIM=$(cat "$BATS_TEST_TMPDIR/pid")
	left=$(ls -d /dev/shm/rtmem-audit-* /tmp/rtmem-audit-* 2>/dev/null || true)
	[ "$left" != "$before" ]
	kill -9 "$audit"
	wait "$audit" || true
	for _ in {1..100}; do
		left=$(ls -d /dev/shm/rtmem-audit-* /tmp/rtmem-audit-* 2>/dev/null || true)
		[ "$left" != "$before" ] || break
		sleep 0.1
	done
	[ "$left" = "$before" ] || explain "left: $left"
	kill -0 "$VICTIM"
}
