#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The completion scripts, as the shells use them
load helper

# complete WORD…: what bash would offer for the last word, in $output.
complete_words() {
	"$RTMEM" completion bash >"$BATS_TEST_TMPDIR/rtmem"
	run bash --norc -c 'source "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _rtmem
		printf "%s\n" "${COMPREPLY[@]}"' - "$BATS_TEST_TMPDIR/rtmem" "$@"
	assert_success
}

commands() {
	"$RTMEM" --help | sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p'
}

@test "bash completes every command" {
	[ "$(commands | wc -l)" -ge 6 ]
	complete_words rtmem ''
	for command in $(commands); do
		grep -qx "$command" <<<"$output" || explain "$command"
	done
	complete_words rtmem ex
	assert_output explain
}

@test "bash completes every long option of every command, after others too" {
	for command in $(commands); do
		complete_words rtmem "$command" --version -
		for option in $("$RTMEM" "$command" --help | grep -oE '^  .{4}--[a-z]+' | cut -c7-); do
			grep -qx -- "$option" <<<"$output" || explain "$command $option"
		done
	done
	complete_words rtmem explain --ca
	assert_output --callsite
}

@test "bash completes values: files, directories, programs, scheduling classes" {
	cd "$BATS_TEST_TMPDIR"
	mkdir only-a-dir
	touch only-a-file
	complete_words rtmem run --conf only-a-f
	assert_output only-a-file
	complete_words rtmem doctor -r only-a
	assert_output only-a-dir
	complete_words rtmem check only-a-f
	assert_output only-a-file
	complete_words rtmem show --app printen
	assert_output printenv
	complete_words rtmem explain --sched f
	assert_output fifo
	complete_words rtmem explain -s ''
	[ "${#lines[@]}" -eq 6 ] || explain "six classes"
}

@test "bash completes a program for run and doctor, and behind it that program's files" {
	cd "$BATS_TEST_TMPDIR"
	touch song
	for command in run doctor; do
		complete_words rtmem "$command" printen
		assert_output printenv
	done
	complete_words rtmem run -v printen
	assert_contains printenv
	complete_words rtmem run printenv so
	assert_output song
}

# shellcheck disable=SC2016 # zsh expands it
@test "bash and zsh complete the processes that have figures, where a process is asked for" {
	local pid words
	# what _arguments would do with a list of words
	local script='_arguments() { local s; for s; do
			[[ $s != *PID*:\(* ]] || eval "print -l -- ${${s##*:\(}%\)}"; done; }
		run() { local -a words=("$@[2,-1]"); local CURRENT=$(($# - 1)); source $1; }
		run "$@"'
	policy <<-END
		[pool p]
		size = 64K
		[rule r]
		thread = rt
		pool = p
	END
	LD_PRELOAD=$LIB "$PROG/stats_victim" 60 3>&- >"$BATS_TEST_TMPDIR/out" &
	pid=$!
	PATH=$ROOT/build:$PATH
	until rtmem stat "$pid" >/dev/null 2>&1; do
		kill -0 "$pid"
		sleep 0.05
	done
	rtmem completion zsh >"$BATS_TEST_TMPDIR/_rtmem"
	for words in stat top "report --pid"; do
		# shellcheck disable=SC2086 # words
		complete_words rtmem $words "$pid"
		assert_output "$pid"
		# shellcheck disable=SC2086 # words
		run zsh -fc "$script" - "$BATS_TEST_TMPDIR/_rtmem" rtmem $words ''
		grep -qx "$pid" <<<"$output" || explain "$words"
	done
	kill "$pid"
}

@test "shellcheck and zsh accept the scripts, and zsh's has every command and option" {
	"$RTMEM" completion bash | shellcheck -
	"$RTMEM" completion zsh >"$BATS_TEST_TMPDIR/_rtmem"
	zsh -n "$BATS_TEST_TMPDIR/_rtmem"
	for command in $(commands); do
		grep -q "^	'$command:" "$BATS_TEST_TMPDIR/_rtmem" || explain "$command"
		for option in $("$RTMEM" "$command" --help | grep -oE '^  .{4}--[a-z]+' | cut -c7-); do
			sed -n "/^	$command)/,/;;/p" "$BATS_TEST_TMPDIR/_rtmem" |
				grep -qE -- "${option}[=,[]" || explain "$command $option"
		done
	done
}

# shellcheck disable=SC2016 # zsh expands it
@test "zsh hands the words of the table to its own completers" {
	"$RTMEM" completion zsh >"$BATS_TEST_TMPDIR/_rtmem"
	local script='_arguments() { print -l -- "$@"; }; _describe() { print -l -- $commands; }
		compadd() { :; }
		run() { local -a words=("$@[2,-1]"); local CURRENT=$(($# - 1)); source $1; }
		run "$@"'
	run zsh -fc "$script" - "$BATS_TEST_TMPDIR/_rtmem" rtmem ''
	assert_success
	[ "${#lines[@]}" -eq "$(commands | wc -l)" ] || explain "one line a command"
	run zsh -fc "$script" - "$BATS_TEST_TMPDIR/_rtmem" rtmem explain --sched ''
	assert_success
	assert_contains ":(other fifo rr batch idle deadline)"
	assert_contains "the program's"
}

@test "another shell's name is wrong usage" {
	run "$RTMEM" completion fish
	assert_failure 2
	run "$RTMEM" completion
	assert_failure 2
}
