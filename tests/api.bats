#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The native API: rtm_* of <media/RealtimeAlloc.h> and <rtmem.h>.
load helper

# linked CMD…: run a program that is linked with the library.
linked() {
	LD_LIBRARY_PATH=$(dirname "$LIB") "$@"
}

# declared: the functions our headers declare.
declared() {
	find "$ROOT/include" -name '*.h' -exec cat {} + | tr '\n' ' ' |
		grep -oE 'RTM_API [^;{]*;' | sed -E 's/^[^(]*[ *]([A-Za-z0-9_]+)\(.*/\1/' | sort -u
}

@test "every call keeps its contract, every documented failure is returned" {
	run linked "$PROG/api_calls"
	assert_success
	assert_output ""
}

@test "the same when the library is preloaded as well as linked" {
	run preloaded linked "$PROG/api_calls"
	assert_success
	assert_output ""
}

@test "what BeOS lacked keeps its contract: attributes, alignment, sections, figures" {
	for lack in none "1g,2m,thp" io_uring; do
		run linked without "$lack" "$PROG/api_ext"
		assert_success
		# of contiguous memory that is not to be had one line is said for each call
		! grep -q '^rtmem: ' <(grep -v 'contiguous.*: ' <<<"$output") || explain "silence"
		[ "$lack" != none ] || ! pins || assert_output ""
	done
}

@test "a pool's total size is the most that is handed out of it, to the byte" {
	run linked "$PROG/api_total"
	assert_success
	assert_output ""
}

@test "contiguous memory without the privilege: EPERM and one line that says what is missing" {
	run unprivileged 8192 env LD_LIBRARY_PATH="$(dirname "$LIB")" "$PROG/api_ext" unprivileged
	assert_success
	[ "${#lines[@]}" -eq 1 ] || explain "one line"
	assert_contains "rtm_contiguous_alloc: "
	assert_contains "CAP_SYS_ADMIN"
}

@test "tags: a block is booked off whatever way it goes back; each documented failure" {
	run linked "$PROG/api_tags"
	assert_success
	assert_output ""
}

@test "tags of blocks in a rule's pool, freed and resized by its own thread" {
	policy <<-'END'
		[pool mine]
		size = 1M
		[rule r]
		thread = matched
		pool = mine
	END
	run linked "$PROG/api_tags" matched
	assert_success
}

@test "a rule is a tag: every block of malloc in a pool is booked on its rule's, exactly" {
	policy <<-'END'
		[pool shared]
		size = 32M
		[pool other]
		size = 8M
		[rule one]
		thread = one
		pool = shared
		[rule middle]
		thread = one
		size = 5000..8999
		pool = shared
		[rule two]
		thread = two
		pool = shared
		[rule far]
		thread = far
		pool = other
		[rule sites]
		thread = sites
		pool = shared
		[rule site]
		thread = sites
		callsite = api_tags_rules!site
		pool = shared
	END
	run linked "$PROG/api_tags_rules"
	assert_success
	assert_output ""
}

@test "tagged blocks are had and freed without a system call" {
	run linked "$PROG/api_tags" nowait
	assert_success
	assert_output kept
}

@test "a media node in C++: default arguments, a container in a pool, new in a section" {
	run linked "$PROG/api_cxx"
	assert_success
	assert_output ""
}

@test "containers of C++17 in a pool: aligned, bad_alloc when full, no fault on a realtime thread" {
	run linked "$PROG/api_pmr"
	assert_success
	assert_output ""
}

@test "the same containers take ordinary memory when the library is not there" {
	run "$PROG/cxx_pmr_weak"
	assert_success
	assert_output malloc
	run preloaded "$PROG/cxx_pmr_weak"
	assert_success
	assert_output pool
}

@test "rtmem.hpp compiles without a warning, also without exceptions or type information, and wants C++17" {
	local flags
	for flags in -std=c++17 -std=c++20 "-std=c++17 -fno-exceptions" \
		"-std=c++17 -fno-rtti" "-std=c++17 -DRTM_WEAK"; do
		# shellcheck disable=SC2086 # several flags
		printf '#include <rtmem.hpp>\ntemplate class rtmem::allocator<int>;\n' |
			g++ -x c++ $flags -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror \
				-I"$ROOT/include" -fsyntax-only -
	done
	run g++ -x c++ -std=c++14 -I"$ROOT/include" -fsyntax-only -include rtmem.hpp - </dev/null
	assert_failure
	assert_contains "rtmem.hpp needs C++17"
}

@test "each public header compiles alone, as C11, C17 and C++11 to C++20, without a warning" {
	for header in $(cd "$ROOT/include" && find . -name '*.h'); do
		for weak in "" -DRTM_WEAK; do
			for std in c11 gnu17; do
				printf '#include <%s>\nint used;\n' "$header" |
					gcc -x c -std=$std -Wall -Wextra -Wpedantic -Werror $weak \
						-I"$ROOT/include" -fsyntax-only -
			done
			for std in c++11 c++20; do
				printf '#include <%s>\nint used;\n' "$header" |
					g++ -x c++ -std=$std -Wall -Wextra -Wpedantic -Werror $weak \
						-I"$ROOT/include" -fsyntax-only -
			done
		done
	done
}

@test "a program with weak symbols uses pools when preloaded and malloc when not" {
	run "$PROG/api_weak"
	assert_success
	assert_output malloc
	run preloaded "$PROG/api_weak"
	assert_success
	assert_output pool
}

@test "the same in programs that are compiled for a fixed address" {
	local flags
	for flags in "gcc -O0 -fno-pic -no-pie" "gcc -O2 -fno-pic -no-pie" "gcc -O2 -fno-plt -no-pie" \
		"gcc -O2 -fpie -no-pie" "g++ -x c++ -O2 -fno-pic -no-pie"; do
		# shellcheck disable=SC2086 # a command and its flags
		$flags -D_GNU_SOURCE -I"$ROOT/include" -o "$BATS_TEST_TMPDIR/fixed" \
			"$ROOT/tests/prog/api_weak.c"
		run "$BATS_TEST_TMPDIR/fixed"
		assert_success
		assert_output malloc
		run preloaded "$BATS_TEST_TMPDIR/fixed"
		assert_success
		[ "$output" = pool ] || explain "pool ($flags)"
	done
}

@test "four threads hammer one small pool: no block is damaged, none is lost" {
	run linked "$PROG/api_threads"
	assert_success
	assert_output ""
}

@test "MALLOC_DEBUG unset or 0: no junk is written" {
	run linked "$PROG/api_debug"
	assert_success
	assert_contains "fresh 00"
	refute_contains "new 7f"
	refute_contains "freed 7d"
	MALLOC_DEBUG=0 run linked "$PROG/api_debug"
	assert_success
	assert_contains "fresh 00"
}

@test "MALLOC_DEBUG set: fresh pools hold 7b, new blocks 7f, freed blocks 7d" {
	for level in 1 yes 2 17 ""; do
		MALLOC_DEBUG=$level run linked "$PROG/api_debug"
		assert_success
		assert_output $'fresh 7b\nnew 7f\ngrown 7f\nfreed 7d'
	done
}

@test "MALLOC_DEBUG above 1 names the damaged block and aborts; 1 does not look" {
	for how in overrun underrun use-after-free; do
		MALLOC_DEBUG=2 run linked "$PROG/api_debug" "$how"
		assert_failure 134
		assert_contains "rtmem: "
		[[ "$output" =~ 0x[0-9a-f]+ ]]
		refute_contains "not noticed"
	done
	MALLOC_DEBUG=1 run linked "$PROG/api_debug" underrun
	assert_success
	assert_contains "not noticed"
}

@test "MALLOC_DEBUG is ignored in a set-user-ID program" {
	victim=$BATS_TEST_TMPDIR/setuid # by run path: the loader ignores LD_LIBRARY_PATH there too
	gcc -std=gnu17 -I"$ROOT/include" -o "$victim" "$ROOT/tests/prog/api_debug.c" \
		-L"$ROOT/build" -Wl,-rpath,"$ROOT/build" -lrtpreload
	chown "$SOME_USER" "$victim"
	chmod 4755 "$victim"
	MALLOC_DEBUG=2 run "$victim"
	assert_success
	refute_contains "7f"
}

@test "a double free, or a pointer into a block, is one line and an abort" {
	for how in double double-by-free double-mixed middle odd underrun; do
		run linked "$PROG/api_misuse" "$how"
		assert_failure 134
		[ "${#lines[@]}" -eq 1 ] || explain "one line ($how)"
		assert_contains "rtmem: "
		assert_contains "misuse"
	done
}

@test "a child goes on with the pools of its parent" {
	run linked "$PROG/api_fork"
	assert_success
	assert_output ""
}

@test "every declared function is exported under our version, and nothing else is" {
	names=$(declared)
	[ "$(wc -l <<<"$names")" -gt 20 ]
	exported=$(nm -D --defined-only "$LIB" | awk '$2 == "T" && /@@RTMEM_/ { sub(/@.*/, "", $3); print $3 }' | sort)
	for name in $names; do
		grep -qx "$name" <<<"$exported" || explain "$name is not exported"
	done
	for name in $exported; do
		grep -qrw "$name" "$ROOT/include" || explain "$name is in no header"
	done
}

@test "interposed names are exported without a version, private ones not at all" {
	run nm -D --defined-only "$LIB"
	assert_success
	for name in malloc calloc realloc reallocarray free free_sized free_aligned_sized \
		posix_memalign aligned_alloc memalign valloc pvalloc malloc_usable_size \
		malloc_trim mallopt mallinfo mallinfo2 malloc_info malloc_stats \
		__libc_malloc __libc_calloc __libc_realloc __libc_free __libc_memalign \
		_Znwm _Znam _ZdlPv _ZdaPv _ZnwmSt11align_val_t _ZdlPvmSt11align_val_t \
		mallocx rallocx xallocx sallocx dallocx sdallocx nallocx mallctl \
		mallctlnametomib mallctlbymib malloc_stats_print malloc_conf; do
		grep -qE " [A-Z] $name\$" <<<"$output" || explain "$name"
	done
	run grep -E ' (je_|ini_|area_|heap_|pool_|pools_|route_|cache_|thread_|base_|log_|site_|init_|policy_|match_|helper_)' <<<"$output"
	assert_output ""
}

@test "a default pool as large as the policy says" {
	policy <<-'END'
		[realtime]
		default_pool = 3M
	END
	run linked "$PROG/api_default"
	assert_success
	assert_contains "size 3145728"
}

@test "allocator = no in the policy: pools are not locked" {
	policy <<-'END'
		[realtime]
		allocator = no
	END
	run linked "$PROG/api_default"
	assert_success
	assert_contains "locked 0"
}

@test "a pool that cannot be locked is made and reported, unless the lock is forced" {
	run unprivileged 64 env LD_LIBRARY_PATH="$(dirname "$LIB")" "$PROG/api_default" forced
	assert_success
	assert_contains "forced -12"
	assert_contains "RLIMIT_MEMLOCK"
}

@test "threads and objects are locked when their kind of media is switched on" {
	run linked "$PROG/api_media" audio
	assert_success
	assert_output ""
	policy <<-'END'
		[realtime]
		audio = no
		video = yes
	END
	run linked "$PROG/api_media" video
	assert_success
	assert_output ""
}

@test "threads and objects are left alone when it is switched off" {
	policy <<-'END'
		[realtime]
		audio = no
	END
	run linked "$PROG/api_media" off
	assert_success
	assert_output ""
}

@test "threads and objects that the limit does not allow to lock are said to be unavailable" {
	run unprivileged 64 env LD_LIBRARY_PATH="$(dirname "$LIB")" "$PROG/api_media" limit
	assert_success
}

@test "of another thread's stack no more is locked than is in use and was asked for" {
	run unprivileged 64 env LD_LIBRARY_PATH="$(dirname "$LIB")" "$PROG/api_media" little
	assert_success
	assert_output ""
}

@test "a media node written for BeOS compiles and plays, in C and in C++" {
	run linked "$PROG/api_beos_node"
	assert_success
	assert_output "played 4096000"
	run linked "$PROG/beos_node"
	assert_success
	assert_output "played 4096000"
}
