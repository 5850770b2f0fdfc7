#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The example policies in the programs that they are for: the threads that an example speaks of
# match, no others, and they are served. Without sound hardware; ROS 2, which Debian 12 does not
# have, by a program with its threads.
load helper
load programs
load media

teardown() {
	stop_jack
	[ -z "${SERVER-}" ] || stop "$SERVER"
}

# holds PID RULE EXPRESSION: of t, the threads of RULE, and m, all that match.
holds() {
	"$RTMEM" stat --json "$1" | python3 -c 'import json, sys
m = [x for x in json.load(sys.stdin)["threads"] if x["matched"]]
t = [x for x in m if x["rule"] == sys.argv[1]]
sys.exit(0 if t and ('"$3"') else 1)' "$2"
}

# served EXAMPLE RULE EXPRESSION CMD…: CMD under that example, until EXPRESSION holds.
served() {
	local conf=$ROOT/conf/examples/$1.conf rule=$2 expression=$3 pid log=$BATS_TEST_TMPDIR/client.log

	shift 3
	"$RTMEM" run --conf "$conf" -- "$@" >"$log" 2>&1 3>&- < <(sleep 30) &
	pid=$!
	wait_until 10 holds "$pid" "$rule" "$expression" || {
		"$RTMEM" stat "$pid" >>"$log" || :
		stop "$pid"
		fail_with "$1: not so: $expression" client.log
	}
	stop "$pid"
	! grep '^rtmem: ' "$log" || fail_with "$1 was told something" client.log
}

FIFO='all(x["class"].startswith("FIFO") for x in m)'

@test "jack-client.conf: ChucK, csound and scsynth" {
	start_jack
	printf 'sr=48000\nksmps=32\nnchnls=1\n0dbfs=1\ninstr 1\na1 vco2 0.1, 220\nout a1\nendin\n' >"$BATS_TEST_TMPDIR/a.orc"
	printf 'i1 0 30\n' >"$BATS_TEST_TMPDIR/a.sco"
	served jack-client jack-process "$FIFO and t[0]['allocations'] > 500" \
		chuck "$ROOT/bench/demo/notes.ck"
	# its main thread allocates while it starts; only what passes the cache is counted unasked
	served jack-client jack-process 'any(x["class"] == "RR 40" and x["slow_paths"] > 50 for x in t)' \
		csound --sched=40 -d -+rtaudio=jack -odac "$BATS_TEST_TMPDIR/a.orc" "$BATS_TEST_TMPDIR/a.sco"
	served jack-client jack-process "$FIFO and len(t) == 3" scsynth -u 57999
}

@test "fluidsynth.conf: FluidSynth on JACK" {
	start_jack
	served fluidsynth fluid-jack "$FIFO and t[0]['allocations'] > 20 and len(m) == 1" \
		fluidsynth -s -a jack -m jack /usr/share/sounds/sf2/TimGM6mb.sf2
}

@test "mpv.conf: mpv on JACK, and mpv's own output thread" {
	start_jack
	served mpv mpv-sound-system "$FIFO and t[0]['frees'] > 10 and len(m) == 1" \
		mpv --no-config --no-terminal --ao=jack av://lavfi:sine=d=60
	served mpv mpv-output 't[0]["name"] == "mpv/ao" and len(m) == 1' \
		mpv --no-config --no-terminal --ao=null av://lavfi:sine=d=60
}

@test "puredata.conf: Pure Data's main thread" {
	start_jack
	served puredata pd-main "$FIFO and any(x['name'] in ('pd', 'puredata') for x in t)" \
		puredata -nogui -rt -jack
}

# A server with nothing to play to is enough: a stream has its data loop then.
start_pipewire() {
	export PIPEWIRE_RUNTIME_DIR=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	pipewire >"$BATS_TEST_TMPDIR/pipewire.log" 2>&1 3>&- &
	SERVER=$!
	wait_until 10 pw-cli info 0 || fail_with "pipewire did not start" pipewire.log
}

@test "pipewire-client.conf: the data loop of pw-play" {
	start_pipewire
	LD_PRELOAD='' ffmpeg -v error -f lavfi -i sine=d=60 "$BATS_TEST_TMPDIR/a.wav"
	served pipewire-client promoted 'len(m) == 1 and t[0]["class"][:2] in ("FI", "RR")' \
		pw-play "$BATS_TEST_TMPDIR/a.wav"
}

@test "ros2.conf: the update loop, the bus master and the executor of a control node" {
	cp "$PROG/example_control_node" "$BATS_TEST_TMPDIR/ros2_control_node"
	run "$RTMEM" run --conf "$ROOT/conf/examples/ros2.conf" "$BATS_TEST_TMPDIR/ros2_control_node"
	assert_success
	assert_output "update loop: control, an image: none
bus master: bus
executor: none"
}
