#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The rules of the house that can be read off the sources and the objects.
load helper

# rooms_of ROOM: the rooms that it may use, itself among them; empty when there is none.
rooms_of() {
	sed -n "s,^$1: *,$1 ,p" "$ROOT/tests/rooms.txt"
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

# room_of HEADER FILE: in which it is, as FILE includes it; include/ is none.
room_of() {
	case $1 in
	policy/* | preload/*) echo "${1%/*}" ;;
	include/*) ;;
	*/*) [ ! -e "preload/$1" ] || echo "preload/${1%/*}" ;;
	*) [ ! -e "${2%/*}/$1" ] || echo "${2%/*}" ;;
	esac
}

@test "a file includes only its own room or one below" {
	cd "$ROOT"
	bad=
	for f in policy/*/*.[ch] preload/*/*.[chS]; do
		mine=$(rooms_of "${f%/*}")
		[ -n "$mine" ] || bad+="$f has no room in tests/rooms.txt"$'\n'
		for h in $(included "$f"); do
			theirs=$(room_of "$h" "$f")
			[[ -z $theirs || " $mine " == *" $theirs "* ]] || bad+="$f includes $h"$'\n'
		done
	done
	echo "$bad"
	[ -z "$bad" ]
}

# names_of FLAG ROOM: "ROOM NAME" for what its objects define or ask for.
names_of() {
	local objects=$ROOT/build/pic/$2

	[[ $2 != policy/* ]] || objects=$ROOT/build/tool/$2
	nm "$1" "$objects"/*.o | awk -v r="$2" 'NF >= 2 && !/:$/ { print r, $NF }'
}

# An include is one way to reach another room, a declaration of one's own is another.
@test "nor does it call a name of a room above" {
	cd "$ROOT"
	local defined=$BATS_TEST_TMPDIR/defined asked=$BATS_TEST_TMPDIR/asked
	while read -r room; do
		names_of --defined-only "$room" >>"$defined"
		names_of --undefined-only "$room" >>"$asked"
	done < <(sed -n 's/^\([a-z/]*\):.*/\1/p' tests/rooms.txt)
	# what the linker turns into a function of os/own*.c
	sed 's,.*--wrap=,preload/os ,' build/own.wrap >"$BATS_TEST_TMPDIR/wrapped"
	run awk 'FILENAME ~ /rooms.txt$/ {
			if (!/^#/) { room = substr($1, 1, length($1) - 1); may[room, room]
				for (i = 2; i <= NF; i++) may[room, $i] }
			next }
		# the tool has libc as it is
		FILENAME ~ /asked$/ {
			if ($2 in home && !(($1, home[$2]) in may) && !($1 ~ /^policy/ && home[$2] ~ /^preload/))
				print $1 " calls " $2 " of " home[$2]
			next }
		{ home[$2] = $1 }' tests/rooms.txt "$defined" "$BATS_TEST_TMPDIR/wrapped" "$asked"
	[ "$(wc -l <"$asked")" -gt 500 ]
	assert_output ""
}

@test "policy/ and include/ know nothing of preload/, and include/ nothing of policy/" {
	cd "$ROOT"
	run grep -snE '#[[:space:]]*include.*preload/' -r policy include
	assert_output ""
	run grep -snE '#[[:space:]]*include.*policy/' -r include
	assert_output ""
}

@test "only parse.c knows inih, only base.c jemalloc's own header, only area.c maps and locks" {
	cd "$ROOT"
	run grep -lE '#[[:space:]]*include <ini\.h>' -r policy preload
	[ "$output" = policy/model/parse.c ] || [ -z "$output" ]
	run grep -lE '#[[:space:]]*include <jemalloc' -r policy preload
	[ "$output" = preload/os/base.c ] || [ -z "$output" ]
}

@test "the formatter has run no lines of a comment together" {
	cd "$ROOT"
	run grep -rnE '^ \*[[:alnum:]]' --include='*.[ch]' preload policy include tests bench
	assert_output ""
}

@test "no comment and no page has a word of tests/words.txt" {
	cd "$ROOT"
	run find preload policy include man conf -name '*.[chS1-9]' -o -name '*.hpp' -o -name '*.conf' -o -name '*.md'
	mapfile -t files <<<"$output"
	run ./tests/words.pl "${files[@]}" README.md CONTRIBUTING.md CHANGELOG.md
	assert_output ""
	echo '/* It takes whatever comes. */' >"$BATS_TEST_TMPDIR/bad.c"
	run ./tests/words.pl "$BATS_TEST_TMPDIR/bad.c"
	assert_failure 1
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

# The objects on the realtime path, one a line.
realtime_objects() {
	sed -n 's/^\([a-z_]*\):.*/\1/p' "$ROOT/tests/realtime-names.txt"
}

# allowed OBJECT NAME: is NAME in OBJECT's line?
allowed() {
	local pattern patterns

	read -ra patterns < <(sed -n "s/^$1://p" "$ROOT/tests/realtime-names.txt")
	for pattern in "${patterns[@]}"; do
		# shellcheck disable=SC2053 # a pattern is meant
		[[ $2 != $pattern ]] || return 0
	done
	return 1
}

@test "the realtime path reaches only the outside names that tests/realtime-names.txt allows" {
	cd "$ROOT"
	mapfile -t objects < <(realtime_objects)
	mapfile -t paths < <(printf 'build/pic/preload/*/%s.o\n' "${objects[@]}")
	# shellcheck disable=SC2048,SC2086 # patterns
	nm --defined-only ${paths[*]} | awk 'NF == 3 { print $3 }' >"$BATS_TEST_TMPDIR/own"
	bad=
	for o in "${objects[@]}"; do
		for n in $(nm -u build/pic/preload/*/"$o.o" | awk 'NF == 2 { print $2 }' | grep -vxFf "$BATS_TEST_TMPDIR/own"); do
			[ "$n" = _GLOBAL_OFFSET_TABLE_ ] || allowed "$o" "$n" || bad+="$o.o reaches $n"$'\n'
		done
	done
	echo "$bad"
	[ -z "$bad" ]
}

@test "of the realtime path only the lock has system calls in it" {
	cd "$ROOT"
	mapfile -t objects < <(realtime_objects)
	for o in "${objects[@]}"; do
		[ "$o" = lock ] && continue
		run bash -c "objdump -d --no-show-raw-insn build/pic/preload/*/$o.o | grep -w syscall"
		[ -z "$output" ] || explain "$o.o makes a system call"
	done
}

# call_graph: who refers to whom in the library, and what a program's or a slot's functions are.
call_graph() {
	local objects=("$ROOT"/build/pic/preload/entry/entry{,_cxx}.o)

	objdump -d --no-show-raw-insn "$LIB" >"$BATS_TEST_TMPDIR/code"
	awk -f "$ROOT/tests/callgraph.awk" "$BATS_TEST_TMPDIR/code" >"$BATS_TEST_TMPDIR/graph"
	{
		nm --defined-only "${objects[@]}" | awk '$2 == "T" { print $3 }'
		nm "$LIB" | awk '$3 ~ /^route_(malloc|free)(_|$)/ { print $3 }'
	} >"$BATS_TEST_TMPDIR/names"
	# the names that objdump prints for them: one a place
	awk 'NR == FNR { at[$3] = $1; next }
		FILENAME ~ /names$/ { root[at[$1]]; next }
		/^[0-9a-f]+ <.*>:$/ && $1 in root { gsub(/[<>:]/, "", $2); print $2 }' \
		<(nm "$LIB" | awk 'NF == 3') "$BATS_TEST_TMPDIR/names" "$BATS_TEST_TMPDIR/code" \
		>"$BATS_TEST_TMPDIR/roots"
}

# reached GATE…: each step "CALLER CALLEE" on the ways from there that go through none of these
# and not into jemalloc.
reached() {
	awk -v gates="$*" 'BEGIN { n = split(gates, g); for (i = 1; i <= n; i++) closed[g[i]] }
		NR == FNR { todo[++end] = $1; seen[$1]; next }
		{ callees[$1] = callees[$1] " " $2 }
		END {
			for (at = 1; at <= end; at++) {
				n = split(callees[todo[at]], c)
				for (i = 1; i <= n; i++) {
					print todo[at], c[i]
					if (!(c[i] in seen) && !(c[i] in closed) && c[i] !~ /^je_/) {
						seen[c[i]]
						todo[++end] = c[i]
					}
				}
			}
		}' "$BATS_TEST_TMPDIR/roots" "$BATS_TEST_TMPDIR/graph"
}

@test "malloc and free of a matched thread come to a lock only where tests/realtime-locks.txt says" {
	call_graph
	mapfile -t gates < <(sed -n 's/^\([a-z_]*\):.*/\1/p' "$ROOT/tests/realtime-locks.txt")
	reached "${gates[@]}" >"$BATS_TEST_TMPDIR/steps"
	for name in cache_miss cache_overflow heap_serve heap_release heap_push parts_take_these pool_adopt; do
		grep -q " $name$" "$BATS_TEST_TMPDIR/steps" || explain "$name is not looked at"
	done
	run grep -E ' lock_(acquire|release|try)' "$BATS_TEST_TMPDIR/steps"
	assert_output ""
	bad=
	while read -r caller callee; do
		grep -q "^$callee:" "$ROOT/tests/realtime-locks.txt" || continue
		grep -qw "^$callee:.* $caller" "$ROOT/tests/realtime-locks.txt" || bad+="$caller calls $callee"$'\n'
	done <"$BATS_TEST_TMPDIR/steps"
	echo "$bad"
	[ -z "$bad" ]
	# each exception is one, so that the test sees what it is about
	for gate in "${gates[@]}"; do
		reached "${gates[@]/#$gate/-}" | grep -qE ' lock_(acquire|release)' ||
			explain "$gate comes to no lock"
	done
}

@test "the library's thread-local storage stays small, and initial-exec" {
	run bash -c "readelf -lW '$LIB' | awk '\$1 == \"TLS\" { print \$6 }'"
	assert_success
	# jemalloc's own is 2.6 KB; what we add stays under 256 bytes
	[ "$((output))" -lt $((2600 + 256)) ] || explain "too much static TLS"
	run bash -c "readelf -dW '$LIB' | grep -c STATIC_TLS"
	assert_output 1
	run bash -c "nm -D -u '$LIB' | grep -c __tls_get_addr"
	assert_output 0
}
