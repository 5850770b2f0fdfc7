#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh [FILE.bats|UNIT…] - runs the unit programs and the bats files, one after the other
#
# Prints one line per test, the output of what failed, the time per file, and at the end
# "N passed, N failed" (kept in $B/check.summary as well). Exit 1 when anything failed.
# A test that was skipped did not pass, so it counts as failed. Nothing here can hang:
# a unit program and a bats test have 10 minutes, a bats file an hour, which
# only a machine that is busy with others needs.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-600}
passed=0
failed=0
broken=()

# verdict STATUS NAME: one more passed or failed
verdict() {
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $2"
	else
		failed=$((failed + 1))
		broken+=("$2")
		echo "not ok $2"
	fi
}

run_unit() {
	local out status

	out=$(timeout -k 5 600 "$1" </dev/null 2>&1)
	status=$?
	verdict "$status" "unit/${1##*/}"
	[ "$status" -eq 0 ] || printf '%s\n(exit status %s)\n' "$out" "$status" | sed 's/^/# /'
}

# count_tap NAME: reads TAP, passes it on, and counts by the plan: what was planned and
# left no result (a file that died or ran out of time) has failed.
count_tap() {
	local name=$1 line planned=0 good=0 bad=0

	while IFS= read -r line; do
		echo "$line"
		case $line in
		1..*) planned=${line#1..} ;;
		"ok "*"# skip"*) broken+=("$name: skipped: ${line#ok }") bad=$((bad + 1)) ;;
		"ok "*) good=$((good + 1)) ;;
		"not ok "*) broken+=("$name: ${line#not ok }") bad=$((bad + 1)) ;;
		esac
	done
	if [ $((good + bad)) -lt "$planned" ] || [ $((good + bad)) -eq 0 ]; then
		broken+=("$name: $((planned - good - bad)) tests left no result")
		bad=$((planned > good ? planned - good : 1))
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
}

run_bats() {
	local start=$SECONDS

	echo "# $1"
	count_tap "${1##*/}" < <(timeout -k 10 3600 bats --tap "$1" </dev/null 2>&1)
	echo "# $1 took $((SECONDS - start)) s"
}

run_all() {
	local t

	for t in "$@"; do
		case $t in
		*.bats) run_bats "$t" ;;
		*) run_unit "$t" ;;
		esac
	done
}

# Unit programs are named by their sources: a stale binary is not a test. One that a bats
# file runs, with arguments or beside others, is counted there.
everything() {
	local t

	for t in tests/unit/*.c; do
		[ -e "$t" ] || continue
		t=$(basename "$t" .c)
		grep -qE "UNIT\"?/$t\b" tests/*.bats || echo "$B/unit/$t"
	done
	for t in tests/*.bats; do
		[ -e "$t" ] && echo "$t"
	done
}

if [ $# -eq 0 ]; then
	mapfile -t list < <(everything)
	set -- "${list[@]}"
fi
run_all "$@"
if [ ${#broken[@]} -gt 0 ]; then
	echo "# failed:"
	printf '#   %s\n' "${broken[@]}"
fi
mkdir -p "$B"
echo "$passed passed, $failed failed" | tee "$B/check.summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
