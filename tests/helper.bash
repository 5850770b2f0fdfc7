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

# A user whom no other test shares, nor another run of them: the kernel charges pins to the
# user, and gives them back a little later.
SOME_USER=$((40000 + $$ % 20000))

# as_somebody [OPTION…] CMD…: as that user, with these options of setpriv.
as_somebody() {
	setpriv --reuid="$SOME_USER" --regid="$SOME_USER" --clear-groups "$@"
}

# unprivileged CMD…: as that user, without capabilities, memlock limited to $1 KiB.
unprivileged() {
	local kib=$1
	shift
	(
		ulimit -l "$kib"
		as_somebody --inh-caps=-all "$@"
	)
}

# without WHAT CMD…: as on a machine that lacks it (tests/prog/without.c); WHAT none: as it is.
# CMD may begin with preloaded or unprivileged.
without() {
	local lacking=("$PROG/without" "$1")
	[ "$1" != none ] || lacking=()
	shift
	case $1 in
	preloaded) preloaded "${lacking[@]}" "${@:2}" ;;
	unprivileged) unprivileged "$2" "${lacking[@]}" "${@:3}" ;;
	*) "${lacking[@]}" "$@" ;;
	esac
}

# pins: can pages be pinned here? Where a test expects something else without.
pins() {
	"$PROG/machine" pins
}

# wait_until SECONDS CMD…: until CMD succeeds. So long it takes at most on a machine that has
# nothing else to do; others get a minute and more.
wait_until() {
	local end=$((SECONDS + $1 + 60))

	shift
	while [ "$SECONDS" -lt "$end" ]; do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}

# on_terminal CMD…: the words CMD, one string, on a terminal of its own, whether the machine
# has pseudo terminals or not.
on_terminal() {
	with_terminals script -qec "$1" /dev/null
}

# with_terminals CMD…: where there are no pseudo terminals, with a mount of them of its own.
with_terminals() {
	if script -qec true /dev/null >/dev/null 2>&1; then
		"$@"
	else
		# shellcheck disable=SC2016 # expanded inside
		unshare -m sh -c 'mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts &&
			mount --bind /dev/pts/ptmx /dev/ptmx && exec "$@"' sh "$@"
	fi
}

GROUPS_MADE=()

# memory_group LIMIT [PARENT]: a memory cgroup with that limit; its directory is left in
# $group, to be removed with remove_groups. Where there are none to be had, what stands in
# /sys/fs/cgroup is made up: then $group is "made up LIMIT".
memory_group() {
	local base=/sys/fs/cgroup/memory limit=memory.limit_in_bytes

	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		base=/sys/fs/cgroup limit=memory.max
		echo +memory 2>/dev/null >"${2:-$base}/cgroup.subtree_control" || true
	fi
	if [[ ${2-} == made* ]]; then
		group=$2
		return
	fi
	group=${2:-$base}/rtmem-test-$$-${#GROUPS_MADE[@]}
	if mkdir "$group" 2>/dev/null && [ -e "$group/$limit" ]; then
		GROUPS_MADE+=("$group")
		[ "$1" = max ] || echo "$1" >"$group/$limit"
	else
		rmdir "$group" 2>/dev/null || true
		# shellcheck disable=SC2034 # of the caller
		group="made up $(numfmt --from=iec "$1")"
	fi
}

# in_group GROUP CMD…
in_group() {
	local dir=$1
	shift
	if [[ $dir == "made up "* ]]; then
		version2 "${dir##* }" 1000000 0 "$@"
	else
		# shellcheck disable=SC2016 # expanded inside
		bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$dir" "$@"
	fi
}

# version2 MAX CURRENT INACTIVE CMD…: run CMD where the root group of version 2 says so.
version2() {
	# shellcheck disable=SC2016 # expanded inside
	unshare -m bash -c 'mount -t tmpfs none /sys/fs/cgroup && cd /sys/fs/cgroup &&
		echo "$1" >memory.max && echo "$2" >memory.current &&
		printf "anon 5\nfile 9\ninactive_file %s\n" "$3" >memory.stat && cd / &&
		shift 3 && exec "$@"' version2 "$@"
}

remove_groups() {
	local i
	for ((i = ${#GROUPS_MADE[@]} - 1; i >= 0; i--)); do
		rmdir "${GROUPS_MADE[i]}"
	done
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
