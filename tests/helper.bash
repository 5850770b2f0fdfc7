# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# helper.bash - loaded by every .bats file: a clean environment and a few asserts
#
# Every test gets: an empty HOME and XDG_CONFIG_HOME below $BATS_TEST_TMPDIR, no policy
# (RTMEM_CONF empty) unless it writes one with `policy`, no LD_PRELOAD.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export ROOT
LIB=${RTMEM_TEST_LIB:-$ROOT/build/librtpreload.so}
RTMEM=$ROOT/build/rtmem
PROG=$ROOT/build/prog # compiled tests/prog/*.c
UNIT=$ROOT/build/unit # compiled tests/unit/*.c
export LIB RTMEM PROG UNIT

clean_environment() {
	unset LD_PRELOAD MALLOC_CONF MALLOC_DEBUG GLIBC_TUNABLES
	export HOME=$BATS_TEST_TMPDIR/home XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/home/.config
	mkdir -p "$XDG_CONFIG_HOME"
	export RTMEM_CONF='' LC_ALL=C
}

setup() {
	clean_environment
}

# policy: standard input becomes the policy of the programs this test starts.
policy() {
	RTMEM_CONF=$BATS_TEST_TMPDIR/rtmem.conf
	export RTMEM_CONF
	cat >"$RTMEM_CONF"
}

# preloaded CMD…: run CMD under the library (nothing else in the environment changes).
preloaded() {
	LD_PRELOAD=$LIB "$@"
}

# unprivileged CMD…: as nobody, without capabilities, memlock limited to $1 KiB.
unprivileged() {
	local kib=$1
	shift
	(
		ulimit -l "$kib"
		exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
	)
}

# assert_success / assert_failure [CODE] / assert_output TEXT / assert_contains TEXT:
# about the last `run`; on failure they show what was run and seen.
explain() {
	printf '%s\nstatus: %s\noutput:\n%s\n' "$1" "${status-}" "${output-}" >&2
	return 1
}
assert_success() {
	[ "$status" -eq 0 ] || explain "expected success"
}
assert_failure() {
	if [ $# -gt 0 ]; then
		[ "$status" -eq "$1" ] || explain "expected exit code $1"
	else
		[ "$status" -ne 0 ] || explain "expected failure"
	fi
}
assert_output() {
	[ "$output" = "$1" ] || explain "expected output: $1"
}
assert_contains() {
	[[ "$output" == *"$1"* ]] || explain "expected to contain: $1"
}
refute_contains() {
	[[ "$output" != *"$1"* ]] || explain "expected not to contain: $1"
}
