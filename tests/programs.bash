# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # status, output and lines are bats's
# programs.bash - runs real programs bare, under the library, and with every thread of theirs
# in a pool, and compares

# everything_policy [GLOBS]: all threads (of such names) of all programs, children included.
everything_policy() {
	policy <<-END
		[app *]
		inherit = yes
		[pool p]
		size = 8M
		[rule all]
		app = *
		thread = ${1:-*}
		pool = p
	END
}

# same_output FUNCTION [GLOBS]: standard output and status are the same three times. Each time it
# runs in a directory of its own that is called the same.
same_output() {
	local way want want_status got got_status

	for way in bare unmatched matched; do
		rm -rf "$BATS_TEST_TMPDIR/work"
		mkdir -m 777 "$BATS_TEST_TMPDIR/work"
		got_status=0
		got=$(
			cd "$BATS_TEST_TMPDIR/work" || exit 99
			case $way in
			unmatched) export LD_PRELOAD=$LIB RTMEM_CONF='' ;;
			matched) export LD_PRELOAD=$LIB && everything_policy "${2:-*}" ;;
			esac
			"$1" 2>"$BATS_TEST_TMPDIR/stderr"
		) || got_status=$?
		if [ "$way" = bare ]; then
			want=$got
			want_status=$got_status
			if [ -z "$want" ] || [ "$want_status" -ne 0 ]; then
				differs "the bare program itself"
			fi
		elif [ "$got" != "$want" ] || [ "$got_status" -ne "$want_status" ]; then
			differs "$way"
		fi
	done
}

differs() {
	printf '%s:\nstatus %s, wanted %s\n--- wanted\n%s\n--- got\n%s\n--- stderr\n%s\n' "$1" \
		"$got_status" "$want_status" "${want:0:2000}" "${got:0:2000}" \
		"$(tail -n 30 "$BATS_TEST_TMPDIR/stderr")" >&2
	return 1
}

# stop PID…: asks them to end, waits, kills what is left.
stop() {
	local pid

	for pid; do
		kill "$pid" 2>/dev/null || true
	done
	for pid; do
		for _ in {1..200}; do
			! gone "$pid" || break
			sleep 0.05
		done
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

# gone PID: it has ended (it may be waiting to be waited for).
gone() {
	! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null
}

# in_public CMD…: with a library and a directory for the test that other users can reach.
in_public() {
	local dir

	dir=$(mktemp -d /tmp/rtmem-public.XXXXXX)
	chmod 755 "$dir"
	cp "$(readlink -f "$LIB")" "$dir/lib.so"
	BATS_TEST_TMPDIR=$dir HOME=$dir LIB=$dir/lib.so run "$@"
	rm -rf "$dir"
	assert_success
}
