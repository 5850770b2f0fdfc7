#!/bin/bash
# SPDX-License-Identifier: MIT
# record.sh [PLAYER...] - what realtime threads allocate and free, into bench/traces/
#
# Players: chuck yoshimi pd hydrogen vlc, as clients of a jackd without sound hardware, each
# playing something. bench/record.c writes all down, bench/record.awk makes a trace of some
# seconds of it. Every process started here is ended here.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
OUT=${TRACES:-bench/traces}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/rtmem-record.XXXXXX")
chmod 755 "$WORK" # vlc does not run as root
export JACK_DEFAULT_SERVER=${WORK##*/} JACK_NO_AUDIO_RESERVATION=1 LC_ALL=C
export HOME=$WORK/home XDG_CONFIG_HOME=$WORK/home/.config XDG_RUNTIME_DIR=$WORK/home
unset LD_PRELOAD
jackd=
player=
as=() # who else plays
helpers=()
registry=ours # JACK leaves this file behind; if there is one already it is not ours
[ ! -e /dev/shm/jack-shm-registry ] || registry=kept

end_player() {
	[ ${#helpers[@]} -eq 0 ] || kill "${helpers[@]}" 2>/dev/null || :
	[ -z "$player" ] || kill -KILL -- "-$player" 2>/dev/null || :
	wait "${helpers[@]}" ${player:+"$player"} 2>/dev/null || :
	helpers=()
	player=
}

# shellcheck disable=SC2329 # called by the trap
finish() {
	end_player
	# it makes a process and a session of its own, and may wait for clients that are gone
	[ -z "$jackd" ] || kill "$jackd" 2>/dev/null || :
	sleep 1
	[ -z "$jackd" ] || kill -KILL "$jackd" 2>/dev/null || :
	wait
	rm -rf "$WORK" /dev/shm/jack_sem.*"_${JACK_DEFAULT_SERVER}_"*
	[ "$registry" = kept ] || rm -f /dev/shm/jack-shm-registry
}
trap finish EXIT
trap 'exit 130' INT TERM

die() {
	echo "record: $1" >&2
	tail -n 20 "$WORK/log" >&2
	exit 1
}

start_jackd() {
	timeout 90 jackd -n "$JACK_DEFAULT_SERVER" -R -P 70 -d dummy -r 48000 -p 256 >"$WORK/log" 2>&1 &
	jackd=$!
	for _ in $(seq 50); do
		compgen -G "/dev/shm/jack_sem.*${JACK_DEFAULT_SERVER}_system" >/dev/null && return
		sleep 0.1
	done
	die "jackd did not start"
}

# recorded COMMAND...: in the background, as a group of processes
recorded() {
	setsid "${as[@]}" env RECORD_FILE="$WORK/public/events" \
		LD_PRELOAD="$WORK/record.so" "$@" \
		</dev/null >>"$WORK/log" 2>&1 &
	player=$!
}

beside() {
	"$@" </dev/null >>"$WORK/log" 2>&1 &
	helpers+=($!)
}

play_chuck() {
	recorded chuck bench/demo/notes.ck
}

play_pd() {
	recorded pd -nogui -rt -jack -r 48000 "$PWD/bench/pictures/voice.pd"
}

# A chord that a client of JACK plays: ten notes a second.
play_yoshimi() {
	local at note=(48 55 60 64 67 72)

	recorded yoshimi -i -c -J -j
	sleep 3
	for at in 0 1 2 3 4 5; do
		beside jack_midiseq "seq$at" 28800 $((at * 4800)) "${note[at]}" 9600
	done
	sleep 1
	for at in 0 1 2 3 4 5; do
		jack_connect "seq$at:out" "yoshimi:midi in" >>"$WORK/log" 2>&1
	done
}

play_hydrogen() {
	mkdir -p "$HOME/.hydrogen"
	beside Xvfb -displayfd 3 3>"$WORK/display" -screen 0 1280x1024x24 -nolisten tcp
	sleep 2
	DISPLAY=:$(cat "$WORK/display") recorded hydrogen --child -n -d jack \
		-s /usr/share/hydrogen/data/demo_songs/GM_kit_demo1.h2song
	sleep 6
	jack_transport <<<play >>"$WORK/log" 2>&1
}

# VLC does not run as root, and a client of another user's jackd hears nothing: so it writes
# what it plays to a file, at the pace of its clock.
play_vlc() {
	ffmpeg -v error -f lavfi -i sine=d=20 -c:a flac "$WORK/clip.flac"
	chmod 644 "$WORK/clip.flac"
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups
		--inh-caps=+sys_nice --ambient-caps=+sys_nice)
	HOME=$WORK/public recorded vlc -I dummy -q --no-video --aout=afile \
		--audiofile-file="$WORK/public/out" --rt-priority "$WORK/clip.flac"
}

# record PLAYER FROM TO TITLE: seconds since it was started
record() {
	rm -f "$WORK/public/events"
	mkdir -p "$HOME"
	echo "$1 plays for $3 s ..."
	"play_$1" &&
		sleep "$3"
	kill -0 "$player" 2>/dev/null || die "$1 is gone"
	end_player
	as=()
	local n
	n=$(od -An -t u8 -j 16 -N 8 "$WORK/public/events")
	od -An -v -w32 -t u8 -j 32 -N $((n * 32 - 32)) "$WORK/public/events" >"$WORK/text"
	awk -v from="$2" -v to="$3" -v title="$4" -f bench/record.awk "$WORK/text" "$WORK/text" \
		>"$OUT/$1.txt"
	ls -l "$OUT/$1.txt"
}

[ $# -gt 0 ] || set -- chuck yoshimi pd hydrogen vlc
mkdir -p "$OUT"
mkdir -m 777 "$WORK/public"
cp "$B/bench/record.so" "$WORK"
start_jackd
for name; do
	case $name in
	chuck) record chuck 3 5 "chuck bench/demo/notes.ck, 2 s of its JACK callback" ;;
	pd) record pd 3 4 "pd -rt -jack bench/pictures/voice.pd" ;;
	yoshimi) record yoshimi 5 11 "yoshimi -J -j, ten notes a second" ;;
	hydrogen) record hydrogen 9 13 "hydrogen -d jack, GM_kit_demo1.h2song" ;;
	vlc) record vlc 3 7 "vlc --rt-priority --aout=afile, FLAC" ;;
	*) die "no such player: $name" ;;
	esac
done
