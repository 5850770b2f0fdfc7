#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The other families of calls on the same pools: INtime, OSMalloc, CMMemoryPool, area_malloc.
load helper

# linked CMD…: run a program that is linked with the library.
linked() {
	LD_LIBRARY_PATH=$(dirname "$LIB") "$@"
}

# What a machine may lack: huge pages of a size, transparent ones, io_uring. Each test below
# is tried without each, whatever this one lacks.
LACKS=(none 1g 2m "1g,2m,thp" io_uring)

# Where nothing can be pinned there is no contiguous memory, and one line says so.
says_no_more() {
	if [ "$1" = io_uring ] || ! pins; then
		assert_output "rtmem: AllocateRtMemoryEx: it cannot be pinned: io_uring is forbidden (kernel.io_uring_disabled)"
	else
		assert_output ""
	fi
}

@test "contiguous memory is found, verified, pinned, and stays where it is; no source that fails is the last" {
	for lack in "${LACKS[@]}"; do
		run without "$lack" "$UNIT/phys"
		assert_success
	done
}

@test "memory between two addresses is found as long as there is any, however low it lies" {
	run "$UNIT/phys" range
	assert_success
}

@test "without CAP_SYS_ADMIN: 16 single pages, a huge page that is proved contiguous, and no more" {
	for lack in "${LACKS[@]}"; do
		run without "$lack" unprivileged 8192 "$UNIT/phys" small
		assert_success
	done
}

@test "AllocateRtMemoryEx: contiguous, between filters, aligned; each documented error" {
	for lack in "${LACKS[@]}"; do
		run linked without "$lack" "$PROG/compat_intime"
		assert_success
		says_no_more "$lack"
	done
}

@test "AllocateRtMemoryEx from below 4 GiB" {
	for lack in none io_uring; do
		run linked without "$lack" "$PROG/compat_intime" filter
		assert_success
	done
}

@test "AllocateRtMemoryEx: what it gave stays where it is while memory is compacted around it" {
	run linked "$PROG/compat_intime" stays
	assert_success
	says_no_more none
}

@test "RTHANDLE: memory shared by handle and by name, waiting for names, each documented status" {
	run linked "$PROG/compat_rthandle"
	assert_success
	says_no_more none
	run linked without io_uring "$PROG/compat_rthandle"
	assert_success
}

@test "AllocateRtMemoryEx without the privilege: 16 pages in a row, up to 2 MiB, else E_MEM and one line that says what" {
	for lack in "${LACKS[@]}"; do
		run without "$lack" unprivileged 8192 env LD_LIBRARY_PATH="$(dirname "$LIB")" \
			"$PROG/compat_intime" unprivileged
		assert_success
		assert_contains "CAP_SYS_ADMIN"
	done
}

@test "AllocateRtMemoryEx in a full address space: E_VMEM" {
	run linked "$PROG/compat_intime" vmem
	assert_success
	assert_output ""
}

@test "OSMalloc: tags, wired and pageable blocks, accounts, threads" {
	run linked "$PROG/compat_osmalloc"
	assert_success
	assert_output ""
}

@test "OSMalloc_noblock, OSMalloc_nowait and OSFree make no system call" {
	run linked "$PROG/compat_osmalloc" nowait
	assert_success
	assert_output kept
}

@test "what OSMalloc_noblock is refused is there for a later call, within the stock limit" {
	run unprivileged 8192 env LD_LIBRARY_PATH="$(dirname "$LIB")" "$PROG/compat_osmalloc" grows
	assert_success
	assert_output ""
}

@test "a caller's bug is a panic of OSMalloc: one line that names it, and abort" {
	while IFS=: read -r how says; do
		run linked "$PROG/compat_osmalloc" "$how"
		assert_failure 134
		[ "${#lines[@]}" -eq 1 ] || explain "one line ($how)"
		assert_contains "rtmem: panic: OS"
		assert_contains "$says"
	done <<-'END'
		no tag:is not a tag
		foreign tag:is not a tag
		blocks left:tag "the tag" still has 1 blocks
		stale tag:is not a tag
		wrong tag:belongs to tag "the tag", not "the other"
		wrong size:has 100 bytes, not 101
		double free:was freed already
		foreign block:is not a block of OSMalloc
		null block:is not a block of OSMalloc
		inside a block:is not a block of OSMalloc
	END
}

@test "OSMalloc where nothing more may be wired: NULL and one line, never a lesser thing" {
	run unprivileged 64 env LD_LIBRARY_PATH="$(dirname "$LIB")" "$PROG/compat_osmalloc" limit
	assert_success
	assert_contains "could be wired"
}

@test "CMMemoryPool: reuse by size without a fault, age-out, flush, invalidate, outlived" {
	run linked "$PROG/compat_cmmemorypool"
	assert_success
	assert_output ""
}

@test "Core Foundation's values, and block buffers that outlive their pool; each documented failure" {
	run linked "$PROG/compat_coremedia"
	assert_success
	assert_output ""
}

@test "CMMemoryPool: a block that is not the allocator's is one line and an abort" {
	for how in "double free" "foreign block" "inside a block" "foreign object"; do
		run linked "$PROG/compat_cmmemorypool" "$how"
		assert_failure 134
		[ "${#lines[@]}" -eq 1 ] || explain "one line ($how)"
		assert_contains "rtmem: CF"
	done
}

@test "area_malloc: the module, every specification, sharing across exec, each failure" {
	for lack in none "1g,2m,thp" io_uring; do
		run linked without "$lack" "$PROG/compat_area_malloc"
		assert_success
		! grep -q . <(grep -v 'contiguous pool was not made' <<<"$output") || explain "silence"
	done
}

@test "area_malloc: a block that is not the pool's is one line and an abort" {
	for how in "double free" "other pool" "foreign block" "inside a block" "deleted pool"; do
		run linked "$PROG/compat_area_malloc" "$how"
		assert_failure 134
		[ "${#lines[@]}" -eq 1 ] || explain "one line ($how)"
		assert_contains "rtmem: "
	done
}

@test "area_malloc where nothing may be locked: no pool rather than a lesser one" {
	run unprivileged 64 env LD_LIBRARY_PATH="$(dirname "$LIB")" "$PROG/compat_area_malloc" limit
	assert_success
	assert_contains "a contiguous pool was not made: "
}

@test "bad input for every call: the documented answer, or one line and an end; the rest is sound" {
	run linked without io_uring "$PROG/compat_bad"
	assert_success
	run linked "$PROG/compat_bad"
	assert_success
	[[ "$output" =~ answers\ [0-9]{3}\ ends\ [0-9]{3}$ ]] || explain "not all of it"
	# each call of the families is among them
	for name in $(nm -D --defined-only "$LIB" | sed -n 's/.* T \(.*\)@@RTMEM_.*/\1/p' |
		grep -E '^(OS|CM[MB]|rtm_(cf|cm|area|get_module|put_module|tag)|.*Rt[A-Z])'); do
		macro=$(sed -n "s/^#define \([A-Za-z_]*\)[[:space:]]*$name\$/\1/p" "$ROOT"/include/*/*.h)
		grep -qwE "$name|${macro:-$name}" "$ROOT"/tests/prog/compat_{bad,coremedia,rthandle}.c ||
			explain "not $name"
	done
}

@test "a rule with recycle: a player's frames get the same locked pages back" {
	policy <<-'END'
		[pool frames]
		size = 256K
		[rule player]
		thread = player
		size = 1M..
		pool = frames
		recycle = 10s
	END
	run preloaded "$PROG/frames"
	assert_success
	assert_output "faults 0 moved 0 locked 1 munmap 0"
	# neither without the rule, nor locked where the pool is not to be
	sed -i /recycle/d "$RTMEM_CONF"
	run preloaded "$PROG/frames"
	assert_contains "locked 0"
	sed -i 's/size = 256K/&\nlock = no/; $a recycle = 10s' "$RTMEM_CONF"
	run preloaded "$PROG/frames"
	assert_output "faults 0 moved 0 locked 0 munmap 0"
}

@test "a rule with recycle where less may be locked: one line, and the frames still come back" {
	policy <<-'END'
		[pool frames]
		size = 256K
		[rule player]
		thread = player
		size = 1M..
		pool = frames
		recycle = 10s
	END
	# not the user without privileges: the policy lies where only its owner looks
	ulimit -l 1024
	run setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock env LD_PRELOAD="$LIB" "$PROG/frames"
	assert_success
	assert_contains "faults 0 moved 0"
	assert_contains "recycle: not all big blocks can be locked"
}

@test "a pool that holds the frames needs no such rule: the same locked pages again" {
	policy <<-'END'
		[pool frames]
		size = 12M
		[rule player]
		thread = player
		size = 1M..
		pool = frames
	END
	run preloaded "$PROG/frames"
	assert_success
	assert_output "faults 0 moved 0 locked 1 munmap 0"
}

@test "callers in the shape of real ones change nothing but the include path" {
	for caller in ethercat encoder kext driver mixer; do
		run linked "$PROG/caller_$caller"
		[ "$status" -eq 0 ] || explain "$caller"
		if [ $caller = ethercat ]; then says_no_more none; else assert_output ""; fi
	done
	run linked without io_uring "$PROG/caller_ethercat"
	assert_success
}

@test "drivers, kernel extensions, masters and mixers within the stock limit, without privileges" {
	run unprivileged 8192 env LD_LIBRARY_PATH="$(dirname "$LIB")" "$PROG/caller_ethercat"
	assert_success
	[ "${#lines[@]}" -le 1 ] || explain "one line"
	for caller in encoder kext driver mixer; do
		run unprivileged 8192 env LD_LIBRARY_PATH="$(dirname "$LIB")" "$PROG/caller_$caller"
		[ "$status" -eq 0 ] && [ -z "$output" ] || explain "$caller"
	done
}

@test "CMMemoryPool: where the library's own thread runs, it ages out without a call" {
	policy <<-'END'
		[pool p]
		size = 1M
		[rule r]
		thread = matched
		pool = p
	END
	run linked "$PROG/compat_cmmemorypool" helper
	assert_success
	assert_output ""
}

@test "a fork while another thread is inside a family leaves the child no lock that is held" {
	for kind in handle module object; do
		run linked "$PROG/compat_fork" "$kind"
		assert_success
		assert_output ""
	done
}
