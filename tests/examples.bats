#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The policies that come with the project: valid, and with the answers that they promise
load helper

@test "every policy file that is shipped passes rtmem check without a warning" {
	for file in "$ROOT"/conf/rtmem.conf "$ROOT"/conf/examples/*.conf; do
		run "$RTMEM" check "$file"
		assert_success
		refute_contains warning
	done
}

@test "JACK, PipeWire, mpv, FluidSynth, Pure Data and ROS 2 have an example" {
	for name in jack-client pipewire-client mpv fluidsynth puredata ros2; do
		[ -s "$ROOT/conf/examples/$name.conf" ]
	done
}

# winner FILE ARGUMENT…: the rule that wins, or "nothing".
winner() {
	local file=$1 out
	shift
	out=$("$RTMEM" explain --conf "$file" "$@") || true
	sed -n 's/^winner: rule \([^ ]*\) .*/\1/p; s/^no rule matches.*/nothing/p' <<<"$out"
}

# shellcheck disable=SC2094 # the file is read twice, not written
# "; $ rtmem explain …" in an example is a question, "; => RULE" below it the answer.
@test "what an example says rtmem explain answers, it answers" {
	local file line asked=0
	local -a words
	for file in "$ROOT"/conf/examples/*.conf; do
		asked=0
		while IFS= read -r line; do
			case $line in
			'; $ rtmem explain '*)
				read -ra words <<<"${line#*rtmem explain }"
				output=$(winner "$file" "${words[@]}")
				asked=$((asked + 1))
				;;
			'; => '*)
				[ "$output" = "${line#; => }" ] ||
					explain "$file: ${words[*]}: expected ${line#; => }"
				;;
			esac
		done <"$file"
		[ "$asked" -ge 3 ] || explain "$file asks only $asked questions"
	done
}

@test "the installed policy gives realtime threads the pool, and others none" {
	local conf=$ROOT/conf/rtmem.conf
	for sched in fifo:1 rr:20 deadline; do
		[ "$(winner "$conf" --app anything --sched $sched)" = realtime-threads ]
	done
	for sched in other batch idle; do
		[ "$(winner "$conf" --app anything --sched $sched)" = nothing ]
	done
}

@test "the installed policy fits the memlock limit of 8 MiB with 2 MiB to spare" {
	run "$RTMEM" show --conf "$ROOT/conf/rtmem.conf"
	assert_success
	[ "$(grep -c '^\[pool ' <<<"$output")" -eq 1 ]
	grep -q '^size  *= 4M ' <<<"$output"
	grep -q '^max  *= 6M ' <<<"$output"
}

# as_user KIB: as an ordinary user with the stock memlock limit and a realtime right, under the
# installed policy, a thread keeps KIB alive. Everything lies where that user can read it.
as_user() {
	local dir
	dir=$(mktemp -d /tmp/rtmem-user.XXXXXX)
	cp "$RTMEM" "$ROOT/build/librtpreload.so.1" "$PROG/promoted" "$ROOT/conf/rtmem.conf" "$dir"
	chmod -R a+rX "$dir"
	(
		ulimit -l 8192
		exec setpriv --reuid="$SOME_USER" --regid="$SOME_USER" --clear-groups \
			--inh-caps=-all,+sys_nice --ambient-caps=+sys_nice \
			"$dir/rtmem" run --conf "$dir/rtmem.conf" "$dir/promoted" "$1"
	)
	rm -rf "$dir"
}

@test "under the installed policy an ordinary user's memory is locked, within 8 MiB, without a complaint" {
	local kib
	run as_user 3000
	assert_success
	refute_contains rtmem:
	kib=$(awk '/^VmLck:/ { print $2 }' <<<"$output")
	[ "$kib" -ge 4096 ] && [ "$kib" -le 8192 ] || explain "VmLck $kib"
}

@test "under the installed policy a thread that wants more than there is is served, and told what to change" {
	local kib
	run as_user 7000
	assert_success
	assert_contains 'pool "realtime" is full'
	assert_contains 'raise max = in [pool realtime]'
	[ "$(grep -c rtmem: <<<"$output")" -eq 1 ]
	kib=$(awk '/^VmLck:/ { print $2 }' <<<"$output")
	[ "$kib" -ge 6144 ] && [ "$kib" -le 8192 ] || explain "VmLck $kib"
}

@test "the installed policy lets wrapper scripts pass the preload on" {
	printf '#!/bin/sh\nexit 0\n' >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/script"
	run "$RTMEM" run --conf "$ROOT/conf/rtmem.conf" "$BATS_TEST_TMPDIR/script"
	assert_success
	refute_contains inherit
}

# shown CONF SECTION KEY: the value the file gives the key in that section, commented or not.
shown() {
	awk -v section="$2" -v key="$3" '
		/^(; )?\[/ { sub(/^; /, ""); in_it = index($0, "[" section) == 1 }
		{ sub(/^; /, "") }
		in_it && $1 == key && $2 == "=" { print $3; exit }' "$1"
}

@test "the installed policy shows every key, with its default where it has one" {
	local section key fallback _ value
	while IFS='|' read -r section key _ fallback _; do
		value=$(shown "$ROOT/conf/rtmem.conf" "$section" "$key")
		[ -n "$value" ] || explain "[$section] $key is not in conf/rtmem.conf"
		# a key in force may differ: it is what the policy is for
		grep -q "^$key  *=" "$ROOT/conf/rtmem.conf" && continue
		[ -z "$fallback" ] || [ "$value" = "$fallback" ] ||
			explain "[$section] $key: shown $value, default $fallback"
	done < <("$RTMEM" keys | tr '\t' '|')
}

@test "the limits example has lines that pam_limits understands, in KiB" {
	run grep -cE '^@audio	-	(memlock|rtprio)	[0-9]+$' "$ROOT/conf/limits.d/rtmem.conf"
	assert_output 2
}

@test "the systemd example preloads the library by its name, with settings that there are" {
	local soname
	soname=$(readelf -d "$LIB" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
	grep -qx "Environment=LD_PRELOAD=$soname" "$ROOT/conf/systemd/rtmem.conf"
	run grep -vE '^(#|\[Service\]$|Environment=|LimitMEMLOCK=[0-9]+M$|LimitRTPRIO=[0-9]+$|AmbientCapabilities=CAP_)' \
		"$ROOT/conf/systemd/rtmem.conf"
	assert_output ""
}

@test "no example gives a program a file capability" {
	run grep -rnE 'setcap +cap_' "$ROOT/conf" "$ROOT/man"
	assert_failure
}
