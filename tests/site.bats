#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Call sites: names to addresses, walks, and what becomes of them when objects come and go.
# shellcheck disable=SC2016,SC2030,SC2031 # other shells' and perl's variables
load helper

@test "walks and verdicts are libunwind's on thousands of stacks of every shape" {
	cd "$PROG"
	run "$UNIT/site_oracle" ./site_stack_O0.so ./site_stack_O1fp.so ./site_stack_O2.so \
		./site_stack_O3.so ./site_stack_cxx.so 500
	assert_success
	assert_contains "2500 stacks"
	assert_contains " 0 ended early"
}

@test "a stripped object is matched by what it exports" {
	cd "$PROG"
	run "$UNIT/site_oracle" ./site_stack_stripped.so 300
	assert_success
	assert_contains " 0 ended early"
}

@test "damaged unwind data is neither followed out of bounds nor forever" {
	run timeout 150 "$UNIT/site_cfi" 300
	assert_success
}

@test "damaged symbol tables name nothing, and nothing breaks" {
	run timeout 150 "$UNIT/site_elf" "$PROG/site_stack_O2.so" 2000
	assert_success
}

@test "rules hold by immediate caller, by depth, through wrappers and not beyond the stack" {
	cd "$PROG"
	run "$UNIT/site"
	assert_success
}

@test "another object at the address of one that was closed gets its own verdict" {
	cd "$PROG"
	run "$UNIT/site_reopen" ./site_plug_one.so ./site_plug_two.so
	assert_success
	assert_contains "same address"
}

# inside CMD…: run it with the comparing shim; every process of it appends one line to $seen.
inside() {
	seen=$BATS_TEST_TMPDIR/seen
	: >"$seen"
	SITE_SHIM_OUT=$seen LD_PRELOAD=$ROOT/build/site_shim.so "$@" >"$BATS_TEST_TMPDIR/out"
}

# compared N: at least N stacks, all of them right and complete, each answer remembered right.
compared() {
	awk -v need="$1" '{ n += $1; bad += $5 + $7 + $9 } END { print n, bad; exit !(n >= need && !bad) }' \
		"$seen" || {
		cat "$seen"
		return 1
	}
}

@test "inside perl every sampled stack is libunwind's" {
	inside perl -MPOSIX -e 'print join ",", map { sprintf "%d", floor($_ * 2.5) } 1 .. 9000'
	compared 1000
}

@test "inside the compiler every sampled stack is libunwind's" {
	inside cc -O1 -c -o "$BATS_TEST_TMPDIR/o" "$ROOT/tests/prog/site_stack.c"
	compared 1000
}

@test "inside bash and its children every sampled stack is libunwind's" {
	inside bash -c 'for i in {1..300}; do a[i]=$(echo "$i"); done; printf "%s\n" "${a[@]}" | sort'
	compared 300
}

@test "answers stay right while objects come and go and the policy is compiled again" {
	cd "$PROG"
	run timeout 150 "$UNIT/site_race" ./site_plug_one.so ./site_plug_two.so 600
	assert_success
}

# victim: what site_victim says, with how often (two threads, two rounds).
victim() {
	preloaded "$PROG/site_victim" | sort | uniq -c | awk '{ print $2, $3, $1 }'
}

@test "under the library a rule holds for the function it names, by every way to allocate" {
	policy <<-END
		[pool sites]
		size = 1M
		[rule sites]
		callsite = site_victim!hot, site_victim!copied, site_victim!grown, site_victim!aligned
		pool = sites
	END
	run victim
	assert_output $'above plain 4\naligned pool 4\ncold plain 4\ncopied pool 4\ngrown pool 4\nhot pool 4'
}

@test "under the library a rule with depth holds for callers further up" {
	policy <<-END
		[pool sites]
		size = 1M
		[rule sites]
		callsite = site_victim!above
		depth = 2
		pool = sites
	END
	run victim
	assert_output $'above pool 4\naligned plain 4\ncold plain 4\ncopied plain 4\ngrown plain 4\nhot plain 4'
}

@test "under the library a negated call site exempts its function only" {
	policy <<-END
		[pool sites]
		size = 1M
		[rule sites]
		callsite = site_victim, !site_victim!cold
		pool = sites
	END
	run victim
	assert_output $'above plain 4\naligned pool 4\ncold plain 4\ncopied pool 4\ngrown pool 4\nhot pool 4'
}

# cxx VALUE: what site_cxx says under a rule with this call site.
cxx() {
	policy <<-END
		[pool sites]
		size = 1M
		[rule sites]
		callsite = $1
		pool = sites
	END
	run preloaded "$PROG/site_cxx"
}

# cxx_same VALUE BAR BAZ OWN: what the program says under the rule is what explain says.
cxx_same() {
	cxx "$1"
	assert_output "bar $2"$'\n'"baz $3"$'\n'"own $4"
	for function in '_ZN3Foo3barEi' 'Foo::bar(int)' '_ZN3Foo3bazEi' 'Foo::baz(int)' \
		'_ZN12_GLOBAL__N_13ownEi' '(anonymous namespace)::own(int)'; do
		case $function in
		*bar*) served=$2 ;;
		*baz*) served=$3 ;;
		*) served=$4 ;;
		esac
		# what the linker calls it is not known from what people write
		[[ $1 != *_Z* || $function = _Z* ]] || continue
		run "$RTMEM" explain --app "$PROG/site_cxx" --callsite "$PROG/site_cxx!$function"
		[ "$status" -eq "$([ "$served" = pool ] && echo 0 || echo 1)" ] ||
			explain "explain of $function under $1: expected $served"
	done
}

@test "a C++ function is named as people write it, or as the linker does; explain says the same" {
	cxx_same 'site_cxx!bar' pool plain plain
	cxx_same 'site_cxx!Foo::bar' pool plain plain
	cxx_same 'site_cxx!Foo::bar*' pool plain plain
	cxx_same 'site_cxx!Foo::baz(int)' plain pool plain
	cxx_same 'site_cxx!_ZN3Foo3barE*' pool plain plain
	cxx_same 'site_cxx!_ZN3Foo3barEi' pool plain plain
	cxx_same 'site_cxx!own' plain plain pool
	cxx_same 'site_cxx!"(anonymous namespace)::own"' plain plain pool
	cxx_same 'site_cxx!Foo' plain plain plain
	cxx_same 'site_cxx, !site_cxx!Foo::*' plain plain pool
	cxx_same 'site_cxx, !site_cxx!bar' plain pool pool
}

@test "the names that a C++ function answers to" {
	run "$UNIT/cxx_name"
	assert_success
}
