#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rtmem explain: which rule wins, and that it says why.
load helper

rules() {
	policy <<'END'
[app closed]
enabled = no
[pool audio]
size = 2M
max = 8M
lock = require
[pool video]
[rule any-rt]
sched = rt
pool = audio
[rule mpv-audio]
app = mpv, /opt/*/player
thread = ao*, !ao-gui
size = 16..64K
kind = audio
pool = audio
[rule sited]
app = sited
callsite = libav*!av_*, !*!av_frame*
depth = 2
pool = video
[rule pictures]
app = pictures
kind = video
pool = video
[rule exempt]
app = quiet
pool = jemalloc
END
}

# wins RULE OPTION…: explain names it as the winner.
wins() {
	local rule=$1

	shift
	run "$RTMEM" explain "$@"
	assert_success
	assert_contains "winner: rule $rule ($RTMEM_CONF:"
}

# none OPTION…: no rule wins.
none() {
	run "$RTMEM" explain "$@"
	assert_failure 1
	assert_contains "jemalloc"
	refute_contains "winner"
}

setup() {
	clean_environment
	rules
}

@test "scheduling class and priority decide" {
	wins any-rt --app x --sched fifo
	wins any-rt --app x --sched rr:50
	wins any-rt --app x --sched deadline
	wins any-rt --app x --priority 5
	none --app x
	none --app x --sched other
	none --app x --sched batch
}

@test "the last matching rule wins" {
	wins mpv-audio --app mpv --thread ao --sched rr:5 --size 64
	wins any-rt --app mpv --thread ao --sched rr:5 --size 8
	wins any-rt --app mpv --thread x --sched rr:5 --size 64
}

@test "programs: basename, or the full path when the glob has a slash" {
	wins mpv-audio --app /usr/bin/mpv --thread ao --size 64
	wins mpv-audio --app /opt/x/player --thread ao --size 64
	none --app /srv/x/player --thread ao --size 64
}

@test "a leading ! excludes a thread" {
	wins mpv-audio --app mpv --thread ao/pulse --size 64
	none --app mpv --thread ao-gui --size 64
}

@test "sizes include both ends of a range" {
	wins mpv-audio --app mpv --thread ao --size 16
	wins mpv-audio --app mpv --thread ao --size 64K
	none --app mpv --thread ao --size 15
	none --app mpv --thread ao --size 65537
	none --app mpv --thread ao
	assert_contains "no --size was given"
}

@test "call sites: among the nearest depth callers, a negated one vetoes" {
	wins sited --app sited --callsite /usr/lib/libavcodec.so.59!av_malloc
	wins sited --app sited --callsite libc.so.6!f --callsite libavutil.so!av_x
	none --app sited --callsite a!f --callsite b!g --callsite libavutil.so!av_x
	none --app sited --callsite libavutil.so!av_x --callsite libavutil.so!av_frame_get
	none --app sited --callsite libavutil.so
	none --app sited
	assert_contains "no --callsite was given"
}

@test "a rule of a kind that is switched off does not win, and explain says so" {
	none --app pictures
	assert_contains "no   kind = video   (switched off in [realtime])"
	printf '[realtime]\nvideo = yes\n' >>"$RTMEM_CONF"
	wins pictures --app pictures
}

@test "pool = jemalloc exempts" {
	wins exempt --app quiet --sched fifo:80
	assert_contains "served by: jemalloc (exempt)"
}

@test "a program that is not enabled has no rules" {
	none --app closed --sched fifo
	assert_contains "[app closed] ($RTMEM_CONF:1): enabled = no"
}

@test "each rule tried is shown, last first, with each condition and its verdict" {
	run "$RTMEM" explain --app mpv --thread ao --sched rr:5 --size 8
	assert_success
	[ "$(grep -o '^rule [a-z-]*' <<<"$output")" = $'rule exempt\nrule pictures\nrule sited\nrule mpv-audio\nrule any-rt' ] ||
		explain "order"
	assert_contains "rule mpv-audio ($RTMEM_CONF:11): no
  yes  app = mpv, /opt/*/player   (mpv)
  yes  thread = ao*, !ao-gui   (ao)
  no   size = 16..64K   (8)
  yes  kind = audio   (switched on in [realtime])"
	assert_contains "served by: pool audio, size = 2M, max = 8M, lock = require,"
}

@test "the kernel's 15 bytes of a thread name are what is matched" {
	policy <<<$'[rule r]\npool = jemalloc\nthread = abcdefghijklmno'
	wins r --app x --thread abcdefghijklmnopqrst
	assert_contains "15 bytes"
}

@test "a policy with errors is not explained" {
	echo '[bad]' >>"$RTMEM_CONF"
	run "$RTMEM" explain --app x --sched fifo
	assert_failure 1
	refute_contains "winner"
	assert_contains "unknown section [bad]"
}

@test "questions that make no sense are refused" {
	for args in '--thread x' '--app x --sched rt' '--app x --sched fifo:100' '--app x --sched other:5' \
		'--app x --size many' '--app x --priority -1' '--app x --sched fifo --priority 0' '--app x y'; do
		# shellcheck disable=SC2086 # the words are meant to be split
		run "$RTMEM" explain $args
		assert_failure 2
	done
}

@test "options are written in every way of getopt_long, and end at the first operand" {
	for args in '--app mpv-x --sched fifo' '--app=mpv-x --sched=fifo' '-a mpv-x -s fifo' \
		'-ampv-x -sfifo' '--ap mpv-x --sch=fifo' '-s fifo -a other -a mpv-x --'; do
		# shellcheck disable=SC2086 # the words are meant to be split
		run "$RTMEM" explain $args
		assert_success
		assert_contains "program mpv-x, "
		assert_contains "class fifo"
	done
	run "$RTMEM" run -v echo -v --conf
	assert_contains "-v --conf"
	while IFS='|' read -r args said; do
		# shellcheck disable=SC2086 # likewise
		run "$RTMEM" $args
		assert_failure 2
		assert_output "rtmem ${args%% *}: $said (see rtmem ${args%% *} --help)"
	done <<-'END'
		stat --none=1 2|unknown option '--none=1'
		stat -jx 1|unknown option '-jx'
		stat --json=1 2|no value is taken by '--json'
		explain -a|a value is missing after '-a'
		explain --s x|unknown option '--s'
	END
}
