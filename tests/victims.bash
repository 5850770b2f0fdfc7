# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # status, output and lines are bats's
# victims.bash - runs the victim programs of tests/prog under the library

# Every thread of every program is matched: what a realtime thread gets, all get.
match_everything() {
	policy <<-END
		[app *]
		inherit = yes
		[pool p]
		size = 16M
		lock = try
		[rule all]
		app = *
		pool = p
	END
}

# unmatched CMD…: under the library, no policy.
unmatched() {
	RTMEM_CONF='' VICTIM_EXPECT=base LD_PRELOAD=$LIB run timeout 150 "$@"
	assert_success
}

# matched CMD…: under the library, every thread in a pool.
matched() {
	match_everything
	VICTIM_EXPECT=pool LD_PRELOAD=$LIB run timeout 150 "$@"
	assert_success
}

# both_ways NAME [ARG…]: a victim of tests/prog.
both_ways() {
	local name=$1
	shift
	unmatched "$PROG/$name" "$@"
	matched "$PROG/$name" "$@"
}

# public_dir: $PUBLIC/lib.so and $PUBLIC/prog, readable for everybody, wherever the build is.
public_dir() {
	PUBLIC=$(mktemp -d /tmp/rtmem-public.XXXXXX)
	chmod 777 "$PUBLIC"
	cp "$(readlink -f "$LIB")" "$PUBLIC/lib.so"
	cp -r "$PROG" "$PUBLIC/prog"
	chmod -R a+rX "$PUBLIC"
	# policies written from now on stand there
	export BATS_TEST_TMPDIR=$PUBLIC
	if [ -n "$RTMEM_CONF" ]; then
		cp "$RTMEM_CONF" "$PUBLIC/rtmem.conf"
		chmod a+r "$PUBLIC/rtmem.conf"
		RTMEM_CONF=$PUBLIC/rtmem.conf
	fi
}

private_teardown() {
	if [ -n "${PUBLIC-}" ]; then
		rm -rf "$PUBLIC"
	fi
}

# one_line_of_advice: the library said one thing: how much is locked, and how to get more.
one_line_of_advice() {
	[ "$(grep -c 'locked.*of' <<<"$output")" -eq 1 ] || explain "expected one line of advice"
	[ "$(grep -vc '^locked [0-9]*$\|^pool$' <<<"$output")" -eq 1 ] ||
		explain "expected nothing beside one line of advice"
}
