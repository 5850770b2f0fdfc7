#!/bin/bash
# SPDX-License-Identifier: MIT
# make demo: chuck as a JACK client, first as it is, then with its realtime thread served
# from locked pools by conf/rtmem.conf. No sound hardware, no configuration, no root.
#
# Each of the two is run twice: once timing every malloc and free of the realtime thread,
# once counting the page faults and system calls they cause (bench/watch.c). It takes
# under a minute, and every process started here is ended here.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
SECONDS_EACH=${DEMO_SECONDS:-10}
CONF=$PWD/conf/rtmem.conf
SCRIPT=bench/demo/notes.ck
WORK=$(mktemp -d "${TMPDIR:-/tmp}/rtmem-demo.XXXXXX")
export JACK_DEFAULT_SERVER=rtmem-demo-$$ JACK_NO_AUDIO_RESERVATION=1 LC_ALL=C
unset LD_PRELOAD
jackd=
registry=ours # JACK leaves this file behind; if there is one already it is not ours
[ ! -e /dev/shm/jack-shm-registry ] || registry=kept

# shellcheck disable=SC2329 # called by the trap
finish() {
	if [ -n "$jackd" ]; then
		kill "$jackd" 2>/dev/null
		wait "$jackd" 2>/dev/null
	fi
	rm -rf "$WORK"
	[ "$registry" = kept ] || rm -f /dev/shm/jack-shm-registry
}
trap finish EXIT
trap 'exit 130' INT TERM

die() {
	echo "demo: $1" >&2
	[ ! -s "$WORK/jackd.log" ] || sed 's/^/demo: jackd: /' "$WORK/jackd.log" >&2
	exit 1
}

# What this user may do decides what can be shown, so say what could not be had.
look_around() {
	realtime=yes
	watch_flags=()
	jack_flags=(-R -P 70)
	if ! chrt -f 65 true 2>/dev/null; then
		realtime=no
		watch_flags=(-a)
		jack_flags=(-r)
		CONF=$WORK/demo.conf
		{
			cat conf/rtmem.conf
			printf '[rule demo]\napp = chuck*\npool = %s\n' "$(first_pool)"
		} >"$CONF"
		echo "Not allowed here: realtime scheduling (RLIMIT_RTPRIO is $(ulimit -r)). The audio"
		echo "thread runs as an ordinary one, and a rule \`app = chuck*\` stands in for \`sched = rt\`."
	fi
	if [ "$(id -u)" -ne 0 ] && [ "$(ulimit -l)" != unlimited ]; then
		echo "Not allowed here: locking more than $(ulimit -l) KiB (RLIMIT_MEMLOCK)."
	fi
}

first_pool() {
	sed -n 's/^\[pool \(.*\)\].*/\1/p' conf/rtmem.conf | head -n 1
}

start_jackd() {
	timeout 90 jackd -n "$JACK_DEFAULT_SERVER" "${jack_flags[@]}" -d dummy -r 48000 -p 128 \
		>"$WORK/jackd.log" 2>&1 &
	jackd=$!
	for _ in $(seq 50); do
		compgen -G "/dev/shm/jack_sem.*${JACK_DEFAULT_SERVER}_system" >/dev/null && return
		kill -0 "$jackd" 2>/dev/null || break
		sleep 0.1
	done
	die "jackd did not start"
}

# measure LABEL [WATCH-OPTION…] -- [COMMAND…]: COMMAND starts chuck, which has the probe in
# front of what COMMAND preloads
measure() {
	local label=$1

	shift
	# shellcheck disable=SC2016 # the shell that it is for expands it
	"$B/bench/watch" -p "$PWD/$B/bench/probe.so" -l "$label" -w 1 -d "$SECONDS_EACH" \
		"${watch_flags[@]}" "$@" \
		sh -c 'LD_PRELOAD="$PROBE_LIBRARY:$LD_PRELOAD" exec "$@"' sh chuck "$SCRIPT" \
		>>"$WORK/$label" 2>>"$WORK/$label.err"
}

table() {
	awk -F'\t' -v realtime="$realtime" -f bench/demo/table.awk "$WORK/plain.time" \
		"$WORK/plain.count" "$WORK/rtmem.time" "$WORK/rtmem.count"
}

if [ ! -x "$B/bench/watch" ] || [ ! -x "$B/rtmem" ]; then
	die "not built: run make demo"
fi
look_around
start_jackd
echo "chuck $SCRIPT, a client of: jackd ${jack_flags[*]} -d dummy -r 48000 -p 128"
echo "A period is 2.7 ms. Figures of $SECONDS_EACH s, after 1 s of warming up. On the right it is"
echo "started by: rtmem run --conf ${CONF#"$PWD/"} -- chuck $SCRIPT"
echo
measure plain.time --
measure plain.count -c --
measure rtmem.time -- "$B/rtmem" run --conf "$CONF" --
measure rtmem.count -c -- "$B/rtmem" run --conf "$CONF" --
table || { cat "$WORK"/*.err >&2; die "chuck made no sound"; }
sort -u "$WORK"/rtmem.*.err | grep '^rtmem:' || :
