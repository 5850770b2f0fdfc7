#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The manual pages say what there is: all of it, and nothing else
load helper

@test "mandoc has nothing to warn about" {
	run mandoc -T lint -W warning "$ROOT"/man/*.[1-8]
	assert_output ""
}

# page_keys: "section|key|default" of every key in rtmem.conf(5), in order.
page_keys() {
	awk '/^\.Ss \[/ { split($2, s, /[][]/); section = s[2] }
		/^\.It Cm .* Pq default: / {
			key = $3
			sub(/.* Pq default: /, "")
			print section "|" key "|" $0
		}' "$ROOT/man/rtmem.conf.5"
}

# tool_keys: the same from the table that the parser uses.
tool_keys() {
	"$RTMEM" keys | awk -F '\t' '{
		value = $4 != "" ? $4 : $1 $2 == "poolmax" ? "the size" : "none"
		print $1 "|" $2 "|" value }'
}

@test "rtmem.conf(5) has every key with its default, in order, and no other" {
	[ "$(tool_keys | wc -l)" -ge 20 ]
	diff <(page_keys) <(tool_keys)
}

@test "rtmem.conf(5) names every word that a key can have" {
	local section key type words word
	while IFS='|' read -r section key type _ words _; do
		[[ $type == word || $type == *class* ]] || continue
		for word in $words; do
			grep -qE "(^|[ ,])$word( |,|$)" "$ROOT/man/rtmem.conf.5" ||
				explain "[$section] $key = $word is not in the page"
		done
	done < <("$RTMEM" keys | tr '\t' '|')
}

commands() {
	"$RTMEM" --help | sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p'
}

# tool_options COMMAND: its long options and aliases, one a line, as --help has them.
tool_options() {
	"$RTMEM" "$1" --help | sed -n '/^  [ -]/{s/^ *//;s/  .*//;p}' |
		grep -oE '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,' | sort
}

# page_options COMMAND: the same from rtmem(1), with the two that every command has.
page_options() {
	{
		printf '%s\n' --help -h --version
		sed -n "/^\.Ss rtmem $1\$/,/^\.S[sh] /p" "$ROOT/man/rtmem.1" |
			grep '^\.It Fl' | grep -oE 'Fl -?[a-z][a-z-]*' | sed 's/Fl /-/'
	} | sort
}

@test "rtmem(1) has a section for every command, and for no other" {
	[ "$(commands | wc -l)" -ge 4 ]
	diff <(sed -n 's/^\.Ss rtmem //p' "$ROOT/man/rtmem.1" | sort) <(commands | sort)
	for command in $(commands); do
		grep -qE "^\.Cm $command\$" "$ROOT/man/rtmem.1"
	done
}

@test "rtmem(1) has every option of every command, and no other" {
	for command in $(commands); do
		diff <(page_options "$command") <(tool_options "$command") ||
			explain "options of rtmem $command"
	done
}

@test "rtmem(1) has every exit code" {
	local code
	for command in $(commands); do
		for code in $("$RTMEM" "$command" --help |
			sed -n '/^exit codes/,$s/^  \([a-z0-9]*\) .*/\1/p'); do
			sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EX/p' "$ROOT/man/rtmem.1" |
				grep -qx "\.It $code" || explain "exit code $code"
		done
	done
}

@test "every environment variable that is read is in a page" {
	local name
	while read -r name; do
		grep -qE "^\.It Ev .*\b$name\b" "$ROOT"/man/*.[157] || explain "$name"
	done < <(grep -rhoE 'getenv\("[A-Z_]+"' "$ROOT/policy" "$ROOT/preload" |
		grep -oE '[A-Z_]+' | sort -u)
}

# messages: each message of the library as a pattern, its values being any text; log.c
# itself only repeats what others said.
messages() {
	perl -0777 -ne '
		while (/\blog_(?:line|once|post|misuse)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g) {
			my $text = join "", map { s/^"|"$//gr } $1 =~ /"(?:[^"\\]|\\.)*"/g;
			$text =~ s/\\"//g;
			print join(".*", map { quotemeta } split /%[a-z]+/, $text, -1), "\n"
				unless $ARGV =~ /log.c$/;
		}' "$ROOT"/preload/*/*.c | sort -u
}

# shellcheck disable=SC2016 # $ENV is for perl
@test "librtpreload(7) explains every message that the library prints" {
	local pattern
	[ "$(messages | wc -l)" -ge 5 ]
	while IFS= read -r pattern; do
		PATTERN=$pattern perl -ne '/^\.It "(.*)"/ && $1 =~ /^$ENV{PATTERN}/ and $found = 1;
			END { exit !$found }' "$ROOT/man/librtpreload.7" ||
			explain "not in the page: $pattern"
	done < <(messages)
}

# C++ operators, the __libc_ family and our own versioned names are covered by their kind.
@test "librtpreload(7) has every name that the library puts before the program's" {
	local name
	[ "$(nm -D --defined-only "$LIB" | wc -l)" -ge 50 ]
	while read -r name; do
		grep -qE "^\.(Fn|Va) .*\b$name\b" "$ROOT/man/librtpreload.7" || explain "$name"
	done < <(nm -D --defined-only "$LIB" | awk '$3 !~ /@|^_|^RTMEM/ { print $3 }')
}

# declared DIR…: the functions that public headers there declare.
declared() {
	find "${@/#/$ROOT/include/}" -name '*.h' -exec cat {} + | tr '\n' ' ' |
		grep -oE 'RTM_API [^;{]*;' | sed -E 's/^[^(]*[ *]([A-Za-z0-9_]+)\(.*/\1/' | sort -u
}

@test "section 3 names every public function, shows how it is called and says what it does" {
	local name
	[ "$(declared . | wc -l)" -ge 70 ]
	while read -r name; do
		grep -qE "^\.Nm $name( ,)?$" "$ROOT"/man/*.3 || explain "$name is in no NAME"
		sed -n '/^\.Sh SYN/,/^\.Sh DES/p' "$ROOT"/man/*.3 |
			grep -qE "^\.F[no] $name( |$)" || explain "$name is in no SYNOPSIS"
		sed -n '/^\.Sh DES/,/^\.Sh SEE/p' "$ROOT"/man/*.3 |
			grep -qE "^\.(It )?Fn .*\b$name\b" || explain "nothing is said about $name"
	done < <(declared .)
}

@test "rtmem_compat(3) says of each call of another family where it comes from and what differs" {
	local name n=0 page=$ROOT/man/rtmem_compat.3
	while read -r name; do
		sed -n '/^\.Ss/,/^Differences/p' "$page" | grep -qE "^\.It Fn .*\b$name\b" ||
			explain "$name"
		n=$((n + 1))
	done < <(declared intime libkern CoreMedia drivers)
	[ "$n" -ge 37 ]
	[ "$(grep -c '^\.Ss' "$page")" -eq 4 ]
	[ "$(grep -c '^Origin: ' "$page")" -eq 4 ]
	[ "$(grep -c '^Differences:' "$page")" -eq 4 ]
}

@test "every public function says in its header whether a realtime thread may call it" {
	local header
	while read -r header; do
		awk -v header="$header" '/^\/\*/ { about = "" } { about = about $0 }
			/RTM_API/ { if (about !~ /[Rr]ealtime|above/) { print header ": " $0; bad = 1 } }
			END { exit bad }' "$header" || explain "in $header"
	done < <(grep -rl RTM_API "$ROOT/include" | grep -v decl)
}

@test "what the pages refer to among themselves is there" {
	local page sec
	while read -r page sec; do
		[ -e "$ROOT/man/$page.$sec" ] ||
			grep -qE "^\.Nm $page( |$)" "$ROOT"/man/*."$sec" || explain "$page($sec)"
	done < <(grep -hoE '^\.Xr (rtm|librtp|media_)[^ ]* [1-8]' "$ROOT"/man/*.[1-8] |
		cut -d' ' -f2- | sort -u)
}

@test "examples in rtmem.conf(5) are valid policies" {
	awk -v dir="$BATS_TEST_TMPDIR" '/^\.Sh EXAMPLES/ { examples = 1 }
		/^\.Ed/ { inside = 0 }
		examples && inside { print > (dir "/" n ".conf") }
		/^\.Bd -literal/ { inside = 1; n++ }' "$ROOT/man/rtmem.conf.5"
	[ "$(find "$BATS_TEST_TMPDIR" -name '*.conf' | wc -l)" -ge 3 ]
	for file in "$BATS_TEST_TMPDIR"/*.conf; do
		run "$RTMEM" check "$file"
		assert_success
		refute_contains warning
	done
}
