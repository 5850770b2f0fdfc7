#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The rules of the house that can be read off the sources and the objects.
load helper

# layer_of FILE: its layer by tests/layers.txt, longest prefix first; empty when unknown.
layer_of() {
	local name=${1##*/}

	name=${name%.*}
	while :; do
		awk -v n="$name" '!/^#/ { for (i = 2; i <= NF; i++) if ($i == n) { print $1; exit } }' \
			"$ROOT/tests/layers.txt" | grep . && return
		[[ $name == *_* ]] || return 0
		name=${name%_*}
	done
}

# included FILE: the names in its #include "…" lines.
included() {
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\(.*\)".*/\1/p' "$1"
}

sources() {
	find . -path ./build -prune -o -path './.*' -prune -o \
		\( -name '*.[chS]' -o -name '*.sh' -o -name '*.bash' -o -name '*.bats' \) -print |
		sed 's,^\./,,' | sort
}

@test "a file of preload/ includes only its own layer or lower" {
	cd "$ROOT"
	bad=
	for f in preload/*.[ch]; do
		mine=$(layer_of "$f")
		[ -n "$mine" ] || bad+="$f has no layer in tests/layers.txt"$'\n'
		for h in $(included "$f"); do
			[ -e "preload/${h##*/}" ] && [[ $h != ../* ]] || continue
			theirs=$(layer_of "$h")
			[ "${theirs:-99}" -le "${mine:-0}" ] || bad+="$f includes $h"$'\n'
		done
	done
	echo "$bad"
	[ -z "$bad" ]
}

@test "policy/ and include/ know nothing of preload/, and include/ nothing of policy/" {
	cd "$ROOT"
	run grep -snE '#[[:space:]]*include.*preload/' -r policy include
	assert_output ""
	run grep -snE '#[[:space:]]*include.*policy/' -r include
	assert_output ""
	bad=
	for f in policy/*.[ch]; do
		for h in $(included "$f"); do
			[ -e "policy/$h" ] || [ -e "include/$h" ] || [[ $h == ../include/* ]] || bad+="$f includes $h"$'\n'
		done
	done
	echo "$bad"
	[ -z "$bad" ]
}

@test "only parse.c knows inih, only base.c jemalloc's own header, only area.c maps and locks" {
	cd "$ROOT"
	run grep -lE '#[[:space:]]*include <ini\.h>' -r policy preload
	[ "$output" = policy/parse.c ] || [ -z "$output" ]
	run grep -lE '#[[:space:]]*include <jemalloc' -r policy preload
	[ "$output" = preload/base.c ] || [ -z "$output" ]
}

@test "no source file is longer than 420 lines" {
	cd "$ROOT"
	bad=
	for f in $(sources); do
		[[ $f != *.[ch] ]] || [ "$(wc -l <"$f")" -le 420 ] || bad+="$f"$'\n'
	done
	echo "$bad"
	[ -z "$bad" ]
}

@test "every source file names its licence in the first three lines" {
	cd "$ROOT"
	bad=
	for f in $(sources); do
		head -n 3 "$f" | grep -q 'SPDX-License-Identifier: MIT' || bad+="$f"$'\n'
	done
	echo "$bad"
	[ -z "$bad" ]
}

@test "nothing unfinished is marked in the sources" {
	cd "$ROOT"
	run grep -snwE 'TODO|FIXME|XXX' -r preload policy include bench man conf
	assert_output ""
}
