#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The policy file as a person meets it: rtmem check, rtmem show, the files and their order.
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and knows it
load helper

# conf NAME: standard input becomes a file of this test; prints nothing.
conf() {
	mkdir -p "$(dirname "$BATS_TEST_TMPDIR/$1")"
	cat >"$BATS_TEST_TMPDIR/$1"
}

# check NAME…: rtmem check of files of this test, with the directory cut from its output.
check() {
	(cd "$BATS_TEST_TMPDIR" && "$RTMEM" check "$@") 2>&1
}

# wrong MESSAGE…: standard input is a policy with these errors, line for line, and no other.
wrong() {
	conf c
	run check c
	assert_failure 1
	[ "$output" = "$(printf '%s\n' "$@")" ] || explain "expected: $(printf '%s\n' "$@")"
}

@test "check counts the files and rules of a policy without errors" {
	conf c <<<$'[rule a]\npool = jemalloc\nthread = a\n[rule b]\npool = jemalloc\nthread = b'
	run check c
	assert_success
	assert_output "1 file, 2 rules: ok"
}

@test "check without a policy has nothing to say" {
	run "$RTMEM" check
	assert_success
	assert_output "0 files, 0 rules: ok"
}

@test "what is installed and every example is without errors and without warnings" {
	for f in "$ROOT"/conf/rtmem.conf "$ROOT"/conf/examples/*.conf; do
		run "$RTMEM" check "$f"
		assert_success
		[[ $output =~ ^1\ file,\ [0-9]+\ rules?:\ ok$ ]] || explain "$f"
	done
}

@test "all errors of all files come in one run, with file and line" {
	conf a <<<$'[pool main]\nsize = much\n\n[rule r]\npool = main\nsched = rt\nprioritty = 5'
	conf b <<<$'[pol q]\n[rule s]\npool = mian'
	run check a b
	assert_failure 1
	assert_output "a:2: size: 'much' is not a size (a number of bytes, or with K, M or G)
a:7: unknown key 'prioritty' in [rule]; did you mean 'priority'?
b:1: unknown section [pol]; did you mean [pool]?
b:3: rule 's' names an unknown pool 'mian'; did you mean 'main'?"
}

@test "errors go to standard error, the good news to standard output" {
	conf good <<<''
	conf bad <<<'[x]'
	run check bad
	assert_failure 1
	[ -z "$("$RTMEM" check "$BATS_TEST_TMPDIR/bad" 2>/dev/null)" ]
	[ -z "$("$RTMEM" check "$BATS_TEST_TMPDIR/good" 2>&1 >/dev/null)" ]
}

@test "an unknown section, and one that was nearly right" {
	wrong "c:1: unknown section [qwertz]; there are [realtime], [app GLOB], [pool NAME] and [rule NAME]" \
		"c:2: unknown section [realtme]; did you mean [realtime]?" <<<$'[qwertz]\n[realtme]'
}

@test "an unknown key, one nearly right, one of another section" {
	wrong "c:2: unknown key 'qwertz' in [realtime]" \
		"c:3: unknown key 'adio' in [realtime]; did you mean 'audio'?" \
		"c:4: unknown key 'when_full' in [realtime]; it belongs in [pool]" \
		<<<$'[realtime]\nqwertz = 1\nadio = yes\nwhen_full = fail'
}

@test "a duplicate key" {
	wrong "c:3: duplicate key 'size': it was given in line 2" <<<$'[pool p]\nsize = 1M\nsize = 2M'
}

@test "bad values: words, sizes, ranges, times, priorities" {
	wrong "c:2: audio: 'maybe' is not one of: yes no" \
		"c:4: size: '0' is outside 1..4194240K" \
		"c:5: max: '5G' is outside 1..4194240K" \
		"c:8: size: '64K..16' is an empty range (its first end is above its second)" \
		"c:9: priority: '1..100' is outside 0..99" \
		"c:10: recycle: '5 min' is not a time (a number with ms or s)" <<'END'
[realtime]
audio = maybe
[pool p]
size = 0
max = 5G
[rule r]
pool = p
size = 64K..16
priority = 1..100
recycle = 5 min
END
}

@test "a pool smaller at most than at least" {
	wrong "c:3: max of pool 'p' is smaller than its size" <<<$'[pool p]\nsize = 4M\nmax = 1M'
}

@test "a rule without a pool, and one with an unknown pool" {
	wrong "c:2: rule 'a' names no pool (pool = NAME, or jemalloc)" \
		"c:4: rule 'b' names an unknown pool 'audoi'; did you mean 'audio'?" \
		<<<$'[pool audio]\n[rule a]\n[rule b]\npool = audoi'
}

@test "a rule that can never match: thread names over 15 bytes, priorities no class has" {
	wrong "c:3: thread: 'sixteen-bytes-xx' can never match: a thread name has at most 15 bytes" \
		"c:7: rule 'b' can never match: no thread of these classes has such a priority (fifo and rr have 1..99, the others 0)" \
		<<<$'[rule a]\npool = jemalloc\nthread = sixteen-bytes-xx\n[rule b]\npool = jemalloc\nsched = other\npriority = 5'
}

@test "a shadowed rule is a warning: the policy works" {
	conf c <<<$'[rule a]\npool = jemalloc\nthread = x\nsched = fifo\n[rule b]\npool = jemalloc\nsched = rt'
	run check c
	assert_success
	assert_output "c:1: warning: rule 'a' can never win: the later rule 'b' (c:5) matches all that it matches
1 file, 2 rules: ok"
}

@test "more than 64 rules for one program are too many, for different programs they are not" {
	{
		echo '[pool p]'
		for i in {1..65}; do printf '[rule r%d]\npool = p\nthread = t%d\n' "$i" "$i"; done
	} | conf same
	run check same
	assert_failure 1
	assert_output "same:194: rule 'r65': 65 rules apply to one program ('any'); at most 64 can"
	{
		echo '[pool p]'
		for i in {1..65}; do printf '[rule r%d]\npool = p\napp = a%d\n' "$i" "$i"; done
	} | conf different
	run check different
	assert_success
}

@test "lines that are neither" {
	wrong "c:1: 'audio' stands before the first section, such as [realtime]" \
		"c:2: a section heading without ']': '[realtime'" \
		"c:3: neither [section] nor key = value: 'audio'" \
		"c:4: text after the ']': 'x'" <<<$'audio = yes\n[realtime\naudio\n[realtime]x'
}

@test "a file that is not there, not readable, not a file" {
	conf secret <<<''
	chmod 0 "$BATS_TEST_TMPDIR/secret"
	chmod 755 "$BATS_TEST_TMPDIR"
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	run check nowhere . pipe
	assert_failure 1
	assert_contains "nowhere: cannot be read: No such file or directory"
	assert_contains ".: cannot be read: is a directory"
	assert_contains "pipe: cannot be read: not a regular file"
	cp "$RTMEM" "$BATS_TEST_TMPDIR/rtmem"
	run unprivileged 64 "$BATS_TEST_TMPDIR/rtmem" check "$BATS_TEST_TMPDIR/secret"
	assert_failure 1
	assert_contains "Permission denied"
}

@test "an enormous file is refused, and fast" {
	head -c 2000000 /dev/zero | tr '\0' '\n' | conf big
	run timeout 150 "$RTMEM" check "$BATS_TEST_TMPDIR/big"
	assert_failure 1
	assert_contains "cannot be read: larger than 1 MiB: not a policy"
	run timeout 150 "$RTMEM" check /dev/zero
	assert_failure 1
}

@test "absurdly many sections or values are refused, and fast" {
	for i in {1..600}; do printf '[pool p%d]\n' "$i"; done | conf sections
	run timeout 150 "$RTMEM" check "$BATS_TEST_TMPDIR/sections"
	assert_failure 1
	[ "${lines[0]}" = "$BATS_TEST_TMPDIR/sections:513: more than 512 [pool] sections" ]
	[ "${#lines[@]}" -eq 88 ]
	{
		printf '[rule r]\npool = jemalloc\napp = '
		for i in {1..9000}; do printf '*a*a*a*b%d, ' "$i"; done
		echo last
	} | conf values
	run timeout 150 "$RTMEM" check "$BATS_TEST_TMPDIR/values"
	assert_failure 1
	assert_output "$BATS_TEST_TMPDIR/values:1: more than 8192 values in the rules up to 'r'"
}

@test "NUL bytes are an error of their line, and only of theirs" {
	printf '[pool p]\nsi\0ze = 1M\nmax = much\n' | conf c
	run check c
	assert_failure 1
	assert_output "c:2: the line has NUL bytes: not text, or not UTF-8
c:3: max: 'much' is not a size (a number of bytes, or with K, M or G)"
}

@test "CRLF, a byte order mark and a missing last newline do not matter" {
	printf '\xef\xbb\xbf[pool p]\r\nsize = 1M\r\nmax = 2M' | conf c
	run check c
	assert_success
	run "$RTMEM" show --conf "$BATS_TEST_TMPDIR/c"
	assert_contains "size         = 1M "
	assert_contains "max          = 2M "
}

@test "nothing of a line of 64 KiB is lost, nor the number of the next" {
	{
		printf '[rule r]\npool = jemalloc\nthread = '
		for i in {1..8190}; do printf 't%05d, ' "$i"; done
		printf 'last\noops = 1\n'
	} | conf c
	run check c
	assert_failure 1
	assert_output "c:4: unknown key 'oops' in [rule]"
	sed -i '$d' "$BATS_TEST_TMPDIR/c"
	run "$RTMEM" explain --conf "$BATS_TEST_TMPDIR/c" --app a --thread last
	assert_success
}

@test "indented lines and names of 63 bytes are what they look like" {
	long=$(printf 'n%.0s' {1..63})
	conf c <<<"  [pool $long]
	size = 1M
		max = 2M
[rule r]
pool = $long"
	run check c
	assert_success
	conf c <<<"[pool n$long]"
	run check c
	assert_failure 1
	assert_contains "c:1: the name of the pool has more than 63 bytes"
}

@test "reading, checking and matching is clean under the address and undefined sanitizers" {
	run make -s -C "$ROOT" check-policy-asan
	assert_success
}

@test "RTMEM_CONF replaces all files, an empty one means no policy" {
	mkdir -p "$XDG_CONFIG_HOME/rtmem"
	echo '[bad]' >"$XDG_CONFIG_HOME/rtmem/rtmem.conf"
	policy <<<$'[rule only]\npool = jemalloc'
	run "$RTMEM" check
	assert_success
	assert_output "1 file, 1 rule: ok"
	RTMEM_CONF='' run "$RTMEM" check
	assert_output "0 files, 0 rules: ok"
	RTMEM_CONF=$BATS_TEST_TMPDIR/nowhere run "$RTMEM" check
	assert_failure 1
	assert_contains "nowhere: cannot be read: No such file or directory"
}

@test "user files are read in order: rtmem.conf, then its drop-ins by name" {
	unset RTMEM_CONF
	dir=$XDG_CONFIG_HOME/rtmem
	mkdir -p "$dir/rtmem.conf.d"
	echo '[pool main]' >"$dir/rtmem.conf"
	echo '[pool b]' >"$dir/rtmem.conf.d/20.conf"
	echo '[pool a]' >"$dir/rtmem.conf.d/10.conf"
	echo '[bad]' >"$dir/rtmem.conf.d/30.conf~"
	echo '[bad]' >"$dir/rtmem.conf.d/.40.conf"
	run "$RTMEM" show
	assert_success
	[ "$(grep -o '^\[pool [mab].*\]' <<<"$output")" = $'[pool main]\n[pool a]\n[pool b]' ] ||
		explain "order"
	XDG_CONFIG_HOME='' run "$RTMEM" show
	assert_contains "[pool main]"
}

@test "a user's file counts only when nobody else can have written it; what is refused is told" {
	unset RTMEM_CONF
	local dir=$XDG_CONFIG_HOME/rtmem conf=$XDG_CONFIG_HOME/rtmem/rtmem.conf what
	mkdir -p "$dir/rtmem.conf.d"
	printf '[pool p]\nsize = 1M\n[rule everybody]\npool = p\n' | tee "$conf" >"$dir/rtmem.conf.d/a.conf"
	run "$RTMEM" check
	assert_contains "1 rule: ok"
	refute_contains "warning"
	for what in "$conf" "$dir" "$XDG_CONFIG_HOME"; do
		chmod o+w "$what"
		run "$RTMEM" check
		assert_success
		assert_contains "$what: warning: not used: others may write it (chmod go-w)"
		chmod o-w "$what"
		chown 4242 "$what"
		run "$RTMEM" show
		assert_contains "$what: warning: not used: it belongs to user 4242"
		chown 0 "$what"
	done
	# the directory of drop-ins says nothing about the file beside it
	chmod g+w "$dir/rtmem.conf.d"
	run "$RTMEM" check
	assert_contains "$dir/rtmem.conf.d: warning: not used: others may write it"
	assert_contains "1 rule: ok"
	# in a directory like /tmp others cannot replace what is ours
	chmod g-w "$dir/rtmem.conf.d"
	chmod 1777 "$XDG_CONFIG_HOME"
	run "$RTMEM" check
	refute_contains "warning"
}

@test "the environment of another user gives root no policy: one line, and plain jemalloc" {
	unset RTMEM_CONF
	mkdir -p "$XDG_CONFIG_HOME/rtmem"
	printf '[pool hog]\nsize = 64M\ncommit = start\n[rule all]\npool = hog\n' >"$XDG_CONFIG_HOME/rtmem/rtmem.conf"
	chown -R 4242:4242 "$XDG_CONFIG_HOME"
	run preloaded sh -c 'grep VmLck /proc/self/status; cat /dev/null; exit 0'
	assert_success
	[ "${#lines[@]}" -eq 2 ] || explain "one line of ours"
	assert_contains "rtmem: $XDG_CONFIG_HOME: not used: it belongs to user 4242"
	[ "$(awk '/VmLck/ {print $2}' <<<"$output")" -lt 1024 ]
	# to that user it is a policy
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" "$HOME"
	run setpriv --reuid=4242 --regid=4242 --clear-groups "$RTMEM" check
	assert_contains "1 rule: ok"
	refute_contains "not used"
}

@test "no policy is looked for in the working directory" {
	unset RTMEM_CONF
	cd "$BATS_TEST_TMPDIR"
	mkdir -p rtmem/rtmem.conf.d rtmem.conf.d
	for f in rtmem.conf rtmem/rtmem.conf rtmem.conf.d/a.conf; do echo '[bad]' >$f; done
	XDG_CONFIG_HOME=. HOME=. run "$RTMEM" check
	assert_success
}

@test "a section with a name seen before replaces that section, across files too" {
	conf a <<<$'[pool p]\nsize = 1M\nlock = no\n[rule r]\npool = p\nthread = x\n[rule s]\npool = p\nthread = y'
	conf b <<<$'[pool p]\nsize = 2M\n[rule r]\npool = jemalloc\nthread = z'
	cat "$BATS_TEST_TMPDIR"/{a,b} | conf one
	run "$RTMEM" show --conf "$BATS_TEST_TMPDIR/one"
	assert_success
	[ "$(grep -c '^\[pool p\]' <<<"$output")" = 1 ]
	assert_contains "size         = 2M "
	assert_contains "lock         = try "
	refute_contains "thread       = x"
	assert_contains "thread       = z"
	run check a b
	assert_success
	assert_output "2 files, 2 rules: ok"
}

@test "a key of [realtime] in a later section replaces that key only" {
	conf c <<<$'[realtime]\nvideo = yes\nreport = yes\n[realtime]\nreport = no'
	run "$RTMEM" show --conf "$BATS_TEST_TMPDIR/c"
	assert_contains "video        = yes              ; $BATS_TEST_TMPDIR/c:2"
	assert_contains "report       = no               ; $BATS_TEST_TMPDIR/c:5"
}

@test "show prints a policy that means the same, with the origin of each value" {
	for f in "$ROOT"/conf/rtmem.conf "$ROOT"/conf/examples/*.conf; do
		"$RTMEM" show --conf "$f" >"$BATS_TEST_TMPDIR/once.conf"
		run "$RTMEM" check "$BATS_TEST_TMPDIR/once.conf"
		assert_success
		"$RTMEM" show --conf "$BATS_TEST_TMPDIR/once.conf" >"$BATS_TEST_TMPDIR/twice.conf"
		diff <(sed 's/ ;.*//; /^;/d' "$BATS_TEST_TMPDIR/once.conf") \
			<(sed 's/ ;.*//; /^;/d' "$BATS_TEST_TMPDIR/twice.conf")
	done
	conf c <<<$'[pool p]\n\nsize = 8192K'
	run "$RTMEM" show --conf "$BATS_TEST_TMPDIR/c"
	assert_contains "size         = 8M               ; $BATS_TEST_TMPDIR/c:3"
	assert_contains "fork         = auto             ; built-in default"
}

@test "show --app leaves out what does not concern the program" {
	policy <<'END'
[app mpv]
inherit = yes
[app vlc]
inherit = yes
[pool used]
[pool unused]
[rule mine]
app = mpv
pool = used
[rule other]
app = vlc
pool = unused
END
	run "$RTMEM" show --app /usr/bin/mpv
	assert_success
	assert_contains "[app mpv]"
	assert_contains "[pool used]"
	assert_contains "[rule mine]"
	refute_contains "vlc"
	refute_contains "unused"
}

@test "show of a policy with errors prints the errors and no policy" {
	policy <<<'[x]'
	run "$RTMEM" show
	assert_failure 1
	assert_output "$RTMEM_CONF:1: unknown section [x]; there are [realtime], [app GLOB], [pool NAME] and [rule NAME]"
}

# bare: standard input without the origins that show writes behind each line.
bare() {
	sed 's/ *; [^;]*$//'
}

# shows TEXT: the policy that is shown has this line, before the comment.
shows() {
	printf '%s\n' "$output" | bare | grep -qxF "$1" || explain "no line: $1"
}

@test "comments and quotes mean what people expect, and show writes them so that they mean the same" {
	policy <<-'END'
		[realtime] # switches
		report = yes # mine
		[pool 'p one'] ; here
		size = "2M" # and here
		[rule a#b;c]
		app          = "player" # mine
		thread       = "DSP #1", 'a, b', !"!x", don't, C#, q;, " lead"
		callsite     = "player!Foo::bar(int, char)", lib.so!Foo::baz(int, char), !libz.so!"f, g"
		pool         = "p one"
	END
	run "$RTMEM" check
	assert_output "1 file, 1 rule: ok"
	run "$RTMEM" show
	shows 'report       = yes'
	shows '[pool p one]'
	shows 'size         = 2M'
	shows 'app          = player'
	shows "thread       = \"DSP #1\", \"a, b\", !\"!x\", don't, C#, q;, \" lead\""
	shows 'callsite     = "player!Foo::bar(int, char)", "lib.so!Foo::baz(int, char)", !"libz.so!f, g"'
	shows 'pool         = p one'
	printf '%s\n' "$output" | bare >"$BATS_TEST_TMPDIR/again"
	RTMEM_CONF=$BATS_TEST_TMPDIR/again run "$RTMEM" show
	[ "$(printf '%s\n' "$output" | bare | grep -v '^;')" = "$(grep -v '^;' "$BATS_TEST_TMPDIR/again")" ]
	run "$RTMEM" explain --app player --thread 'DSP #1' --callsite 'player!Foo::bar(int, char)'
	assert_success
	run "$RTMEM" explain --app player --thread '!x' --callsite 'player!Foo::bar(int, char)'
	assert_failure 1
}

@test "a quote that is not closed is an error of its line" {
	wrong "c:2: thread: '\"a' has a quote that is not closed" <<<$'[rule r]\nthread = "a, b\npool = p\n[pool p]'
	wrong 'c:1: a quote that is not closed: "p' <<<$'[pool "p]'
}

# warned POLICY MESSAGE...: the policy is good, and each message is a warning.
warned() {
	policy <<<"$1"
	shift
	run "$RTMEM" check
	assert_success
	for message; do assert_contains "warning: $message"; done
}

@test "what is surely not meant is found, with what probably was" {
	warned $'[pool p]\n[rule r]\npool = p\n[rule r]\nsched = rt\npool = p' \
		"[rule r] stands in line 2 of this file, too"
	warned $'[pool p]\n[rule r]\nkind = video\npool = p' "rule 'r' is off: [realtime] says video = no"
	warned $'[pool p]\n[rule r]\napp = player\ncallsite = process, player\npool = p' \
		"callsite: 'process' is compared with files, not with functions; did you mean '*!process'?"
	warned $'[pool p]\n[rule r]\ncallsite = !Foo::bar, libfoo!x\npool = p' \
		"callsite: 'Foo::bar' is compared with files, not with functions; did you mean '!*!Foo::bar'?" \
		"callsite: no library's file is called 'libfoo'; did you mean 'libfoo.so*'?"
	warned $'[pool p]\n[rule r]\nthread = T\xf6ne\npool = p' "the line is not UTF-8 (Latin-1?)"
	warned $'[pool p]\n[rule r]\nthread = To\xcc\x88ne\npool = p' "an accent is a character of its own"
	wrong "c:3: priority: '50-80' is no range; did you mean '50..80'?" <<<$'[pool p]\n[rule r]\npriority = 50-80\npool = p'
	# and what is meant draws none
	warned $'[pool p]\n; T\xf6ne\n[rule r]\napp = player\nthread = Töne\ncallsite = player, lib*.so.6!f, /opt/x!Foo::bar\npool = p'
	refute_contains "warning"
}

@test "programs that run under another name are found: links, scripts" {
	cd "$BATS_TEST_TMPDIR"
	mkdir bin
	cp /bin/true bin/true3.11
	ln -s true3.11 bin/true3
	printf '#!%s/bin/true3\n' "$PWD" >bin/player
	chmod +x bin/player
	PATH=$PWD/bin:$PATH warned $'[pool p]\n[app true3]\ninherit = no\n[rule r]\napp = player, nosuch\npool = p\n[rule s]\napp = true3, true3.11\npool = p' \
		"app: 'true3' leads to $PWD/bin/true3.11, and that is what counts; write true3.11" \
		"app: 'player' is a script that runs on $PWD/bin/true3.11, which is what counts"
	[ "$(grep -c warning <<<"$output")" -eq 2 ]
}

@test "a path may be written with or without the /usr that /bin and /lib lead to" {
	policy <<<$'[pool p]\n[rule r]\napp = /bin/player\ncallsite = /lib/a/libx.so\npool = p'
	run "$RTMEM" explain --app /usr/bin/player --callsite /usr/lib/a/libx.so
	assert_success
	policy <<<$'[pool p]\n[rule r]\napp = /usr/bin/player\ncallsite = /usr/lib/a/libx.so\npool = p'
	run "$RTMEM" explain --app /bin/player --callsite /lib/a/libx.so
	assert_success
	run "$RTMEM" explain --app /opt/bin/player --callsite /lib/a/libx.so
	assert_failure 1
}

@test "enabled and inherit are two things: each is decided by the last section that says it" {
	policy <<-'END'
		[pool p]
		[rule r]
		pool = p
		[app *]
		enabled = no
		[app player]
		enabled = yes
	END
	run "$RTMEM" explain --app sh
	assert_failure 1
	run "$RTMEM" explain --app player
	assert_success
	# what a shell starts has the preload, whatever the shell is
	run preloaded sh -c 'printenv LD_PRELOAD; true'
	assert_output "$LIB"
	printf '[app *]\nenabled = yes\n' >>"$RTMEM_CONF"
	run preloaded sh -c 'printenv LD_PRELOAD; true'
	assert_output "$LIB"
	printf '[app dash]\ninherit = no\n' >>"$RTMEM_CONF"
	run preloaded sh -c 'printenv LD_PRELOAD; true'
	assert_output ""
}

@test "every command has --help with its exit codes, and --version" {
	run "$RTMEM" --help
	assert_success
	for c in run check explain show; do
		assert_contains "  $c "
		"$RTMEM" "$c" --help | grep -q '^exit codes:'
		[ "$("$RTMEM" "$c" --version)" = "$("$RTMEM" --version)" ]
	done
	[[ $("$RTMEM" --version) =~ ^rtmem\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "wrong usage is 2 and says what was wrong" {
	for args in '' 'chekc' 'check --bogus' 'show operand' 'show --app' 'explain' 'explain --app'; do
		# shellcheck disable=SC2086 # the words are meant to be split
		run "$RTMEM" $args
		assert_failure 2
		[ -n "$output" ]
	done
}

@test "--help-keys and keys list the same keys, each with a help text" {
	"$RTMEM" keys >"$BATS_TEST_TMPDIR/keys"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/keys")" -ge 26 ]
	help=$("$RTMEM" --help-keys)
	while IFS=$'\t' read -r section key _; do
		[[ $help == *"[$section"* && $help == *"  $key "* ]] || explain "$section.$key"
	done <"$BATS_TEST_TMPDIR/keys"
	run awk -F'\t' 'NF != 6 || $6 == "" || $1 == "" || $2 == ""' "$BATS_TEST_TMPDIR/keys"
	assert_output ""
}

@test "a script under a bad policy is told once, not by every command in it" {
	policy <<<"[pool"
	run preloaded bash -c 'ls / >/dev/null; /bin/true; perl -e 1; echo done'
	assert_success
	[ "$(grep -c 'no rule is used' <<<"$output")" -eq 1 ] || explain "one line"
	assert_contains "done"
}

@test "what a script under a bad policy leaves behind does not repeat the line" {
	policy <<<"[pool"
	# a group of its own, as a terminal gives every command line one; the child outlives its parent
	run setsid -w env LD_PRELOAD="$LIB" bash -c '(bash -c "sleep 0.3; /bin/true; perl -e 1; echo late" &) ; sleep 0.8; echo done'
	assert_success
	[ "$(grep -c 'no rule is used' <<<"$output")" -eq 1 ] || explain "one line"
	assert_contains late
}
