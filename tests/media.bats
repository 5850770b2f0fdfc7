#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Players, servers and synthesizers play under the library as without, without sound hardware.
load helper
load programs
load media

teardown() {
	stop_jack
}

# clip: 1 s of picture and sound, always the same.
clip() {
	LD_PRELOAD='' ffmpeg -v error -f lavfi -i testsrc=d=1:s=160x120 -f lavfi -i sine=d=1 \
		-c:v mpeg4 -c:a flac -threads 1 -bitexact clip.mkv
	LD_PRELOAD='' ffmpeg -v error -i clip.mkv -vn -bitexact clip.wav
}

encode() {
	ffmpeg -v error -f lavfi -i testsrc=d=2:s=320x240 -f lavfi -i sine=d=2 -c:v mpeg4 -c:a aac \
		-threads 2 -bitexact -f matroska - | md5sum
	ffmpeg -v error -f lavfi -i testsrc2=d=1:s=320x240 -filter_complex \
		'split[a][b];[a]scale=200:100[c];[b][c]overlay' -c:v libx264 -preset fast -threads 2 -f md5 -
}

@test "ffmpeg encodes the same bytes, with threads" {
	same_output encode
}

pipeline() {
	timeout 150 gst-launch-1.0 -q videotestsrc num-buffers=60 ! video/x-raw,width=320,height=240 ! queue ! \
		videoconvert ! videoscale ! video/x-raw,width=100,height=80,format=RGB ! queue ! filesink location=v
	gst-launch-1.0 -q audiotestsrc num-buffers=100 ! queue ! audioconvert ! audioresample ! \
		audio/x-raw,rate=22050,format=S16LE ! filesink location=a
	gst-launch-1.0 videotestsrc num-buffers=30 ! tee name=t ! queue ! fakesink t. ! queue ! fakesink >/dev/null
	md5sum v a
}

@test "GStreamer pipelines with queues" {
	export GST_REGISTRY=$BATS_TEST_TMPDIR/registry
	same_output pipeline
}

play_mpv() {
	clip
	mpv --no-config --vo=null --ao=pcm --ao-pcm-file=out --untimed --no-terminal clip.mkv && md5sum <out
	mpv --no-config --vo=null --ao=null --untimed clip.mkv | tail -n 1
}

@test "mpv plays picture and sound" {
	same_output play_mpv
}

play_vlc() {
	clip
	chmod 644 clip.wav
	# VLC does not run as root, and waits forever for realtime threads it cannot make
	HOME=$PWD timeout 150 setpriv --reuid=65534 --regid=65534 --clear-groups \
		--inh-caps=+sys_nice --ambient-caps=+sys_nice cvlc -q --no-video --aout=afile \
		--audiofile-file="$PWD/out" --rt-priority --play-and-exit clip.wav </dev/null
	[ "$(stat -c %s out)" -gt 80000 ] && echo played
}

@test "VLC with realtime priority" {
	in_public same_output play_vlc
}

play_mpd() {
	local pid

	mkdir music && (cd music && clip)
	cat >mpd.conf <<-END
		music_directory "$PWD/music"
		db_file "$PWD/db"
		state_file "$PWD/state"
		bind_to_address "$PWD/socket"
		audio_output {
			type "null"
			name "nothing"
		}
	END
	mpd --no-daemon mpd.conf >log 2>&1 3>&- &
	pid=$!
	export MPD_HOST=$PWD/socket
	wait_until 10 mpc status || return
	mpc -q --wait update && mpc -q add clip.wav && mpc -q repeat on && mpc -q play && sleep 0.3
	mpc status | grep -o '^\[playing\]'
	mpc listall | sort
	mpc -q stop
	kill "$pid"
	wait "$pid"
}

@test "mpd plays to a null output" {
	same_output play_mpd
}

pulse() {
	local pid

	clip
	export XDG_RUNTIME_DIR=$PWD PULSE_SERVER=unix:$PWD/socket PULSE_COOKIE=$PWD/cookie
	LC_ALL=C pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --realtime=yes \
		-L "module-null-sink sink_name=nowhere" \
		-L "module-native-protocol-unix auth-anonymous=1 socket=$PWD/socket" >log 2>&1 3>&- &
	pid=$!
	wait_until 10 pactl info || return
	paplay clip.wav && pactl list short sinks | cut -f 2 && pactl list short modules | cut -f 2
	pactl exit
	wait "$pid"
}

@test "PulseAudio with a null sink, and paplay" {
	same_output pulse
}

pipewire_session() {
	local pid

	export PIPEWIRE_RUNTIME_DIR=$PWD XDG_RUNTIME_DIR=$PWD
	pipewire >log 2>&1 3>&- &
	pid=$!
	wait_until 10 pw-cli info 0 || return
	pw-cli info 0 | grep -o 'type: PipeWire:Interface:Core'
	pw-cli ls Factory | grep -c factory.name
	kill "$pid"
	wait "$pid"
	gone "$pid" && echo ended
}

@test "PipeWire starts, answers and ends" {
	same_output pipewire_session
}

render() {
	printf '<CsoundSynthesizer>\n<CsInstruments>\nsr=44100\nksmps=32\nnchnls=1\n0dbfs=1\ninstr 1\na1 vco2 0.2, p4\na2 moogladder a1, 800, 0.5\nout a2\nendin\n</CsInstruments>\n<CsScore>\ni1 0 1 220\ni1 0.3 1 330\n</CsScore>\n</CsoundSynthesizer>\n' >a.csd
	csound -d -m0 -W -o a.wav a.csd 2>/dev/null && tail -c +100 a.wav | md5sum
	# a MIDI file: one long note
	printf 'MThd\0\0\0\6\0\0\0\1\0\140MTrk\0\0\0\14\0\220\74\144\203\0\200\74\100\0\377\57\0' >a.mid
	fluidsynth -ni -q -F b.raw -T raw -O s16 /usr/share/sounds/sf2/TimGM6mb.sf2 a.mid >/dev/null && md5sum <b.raw
	ecasound -q -i tone,sine,440,1 -o c.raw -efl:500 >/dev/null && md5sum <c.raw
}

@test "csound, FluidSynth and Ecasound render the same samples" {
	same_output render
}

@test "scsynth, amsynth, ZynAddSubFX, Guitarix and Ardour as clients of jackd" {
	mkdir -p "$HOME/.local/share" "$XDG_CONFIG_HOME"
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	start_jack
	plays scsynth -u 57998
	plays amsynth -x -a jack -m jack
	plays zynaddsubfx -U -I null -O jack -a
	plays guitarix -N
	# what its start script sets
	export LD_LIBRARY_PATH=/usr/lib/ardour7 ARDOUR_DATA_PATH=/usr/share/ardour7 \
		ARDOUR_CONFIG_PATH=/etc/ardour7 ARDOUR_DLL_PATH=/usr/lib/ardour7
	ardour7-new_empty_session -s 48000 "$BATS_TEST_TMPDIR/session" s >"$BATS_TEST_TMPDIR/session.log" 2>&1 ||
		fail_with "no session" session.log
	plays /usr/lib/ardour7/hardour-* "$BATS_TEST_TMPDIR/session" s
	stop_jack
}

@test "jackd -R, and chuck, csound, FluidSynth, Ecasound, Pure Data, Yoshimi, Hydrogen as its clients" {
	start_jack
	plays chuck "$ROOT/bench/demo/notes.ck"
	printf 'sr=48000\nksmps=32\nnchnls=1\n0dbfs=1\ninstr 1\na1 vco2 0.1, 220\nout a1\nendin\n' >"$BATS_TEST_TMPDIR/a.orc"
	printf 'i1 0 30\n' >"$BATS_TEST_TMPDIR/a.sco"
	plays csound -d -+rtaudio=jack -odac "$BATS_TEST_TMPDIR/a.orc" "$BATS_TEST_TMPDIR/a.sco"
	plays fluidsynth -s -a jack -m jack /usr/share/sounds/sf2/TimGM6mb.sf2
	plays ecasound -q -i tone,sine,440,30 -o jack,system
	plays pd -nogui -rt -jack
	plays yoshimi -i -c -J -j
	QT_QPA_PLATFORM=offscreen plays hydrogen --child -n -d jack
	stop_jack
}
