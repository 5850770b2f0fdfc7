#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The probes: what is in the file, and what a tracer sees that attaches to them
load helper

# notes: each probe of the library once: NAME SEMAPHORE ARGUMENTS, sorted. Addresses and
# registers are the compiler's: a semaphore is yes or no, an argument its size.
notes() {
	readelf -n "$LIB" | awk '
		$1 == "Provider:" { provider = $2 }
		$1 == "Name:" { name = $2 }
		$1 == "Location:" { semaphore = $NF ~ /^0x0+$/ ? "no" : "yes" }
		$1 == "Arguments:" {
			for (i = 2; i <= NF; i++)
				sub(/@.*/, "", $i)
			sub(/^ *Arguments: */, "")
			print provider ":" name, semaphore, $0
		}' | sort -u
}

@test "the library has six probes, of which those of calls have a switch" {
	run notes
	assert_output "rtmem:alloc yes 8 8 8 8
rtmem:fallback no 8 8
rtmem:free yes 8 8
rtmem:full no 8 8
rtmem:refill yes 8 8
rtmem:rule no 4 8 8 8"
}

@test "no probe stands in the functions of a call that the pool can serve" {
	bad=
	for f in malloc free route_malloc_simple route_free_cached cache_miss cache_alloc_huge cache_overflow \
		cache_free_odd heap_serve heap_serve_free heap_serve_returned heap_serve_more \
		heap_release route_free_slow; do
		read -r at size < <(nm -S "$LIB" | awk -v f="$f" '$4 == f { print $1, $2 }')
		[ -n "$size" ]
		for p in $(readelf -n "$LIB" | sed -n 's/ *Location: \(0x[0-9a-f]*\),.*/\1/p'); do
			((p < 0x$at || p >= 0x$at + 0x$size)) || bad+="$f "
		done
	done
	[ -z "$bad" ] || explain "probes in $bad"
}

@test "librtpreload(7) describes every probe, and no other, with as many arguments" {
	diff <(notes | awk '{ print $1, NF - 2 }') \
		<(sed -n 's/^\.It Sy \(rtmem:[a-z]*\) Ar /\1 /p' "$ROOT/man/librtpreload.7" |
			awk '{ print $1, NF - 1 }' | sort)
}

# What a probe's breakpoint prints before the program goes on.
gdb_prints() {
	printf '%s\n' "break -probe-stap rtmem:$1" commands silent "printf $2" continue end
}

@test "a debugger sees each probe with the values of the program" {
	policy <<-END
		[pool audio]
		size = 1M
		[rule named]
		thread = rt
		pool = audio
	END
	{
		printf '%s\n' 'set debuginfod enabled off' 'set confirm off' 'set pagination off' \
			"set environment LD_PRELOAD $LIB" 'set startup-with-shell off' \
			'break main' run
		# shellcheck disable=SC2016 # the dollars are gdb's
		{
			gdb_prints rule '"\nrule %d %s [%s] [%s]\n", $_probe_arg0, (char *)$_probe_arg1, (char *)$_probe_arg2, (char *)$_probe_arg3'
			for p in refill full fallback; do
				gdb_prints $p "\"\\n$p %d %s\\n\", \$_probe_arg0, (char *)\$_probe_arg1"
			done
			printf '%s\n' 'break -probe-stap rtmem:alloc' 'condition $bpnum $_probe_arg1 == 12345' continue \
				'set $block = $_probe_arg0' \
				'printf "\nalloc %p %d %s\n", $block, $_probe_arg1, (char *)$_probe_arg2' \
				'printf "\nticks %d\n", $_probe_arg3 > 0 && $_probe_arg3 < 1000000000000' \
				'break -probe-stap rtmem:free' 'condition $bpnum $_probe_arg0 == $block' continue \
				'printf "\nfree %p\n", $_probe_arg0' kill
		}
	} >"$BATS_TEST_TMPDIR/script"
	run timeout 150 gdb -nx -batch -x "$BATS_TEST_TMPDIR/script" "$PROG/probe_victim" </dev/null
	tid=$(sed -n 's/^tid //p' <<<"$output")
	block=$(sed -n 's/^free //p' <<<"$output")
	[ -n "$tid" ] && [ -n "$block" ] || explain "no thread and no block"
	assert_contains "rule $tid rt [named] []"
	# 2 MiB and the 8 bytes up to the end of a block
	assert_contains "full 2097152 audio"
	assert_contains "fallback 2097152 audio"
	assert_contains "refill 100000 audio"
	assert_contains "alloc $block 12345 named"
	assert_contains "ticks 1"
	assert_contains "block $block"
}
