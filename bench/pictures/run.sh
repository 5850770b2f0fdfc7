#!/bin/bash
# SPDX-License-Identifier: MIT
# make pictures: what rtmem shows on real programs, as the README has it: bench/pictures/*.png
#
# Programs play against jackd without sound hardware. The terminal is tmux's, its text made
# a page by aha; a browser without a window makes pictures of pages. Every process started
# here is ended here.
set -eu
cd "$(dirname "$0")/../.."
# Where that is allowed, among processes of its own: the machine's others are no picture.
if [ -z "${ALONE-}" ] && unshare --pid --fork --mount-proc true 2>/dev/null; then
	exec env ALONE=yes unshare --pid --fork --kill-child --mount-proc bench/pictures/run.sh
fi
B=${B:-build}
OUT=${PICTURES:-bench/pictures}
RTMEM=$PWD/$B/rtmem
WORK=$(mktemp -d "${TMPDIR:-/tmp}/rtmem.XXXX")
cp conf/rtmem.conf "$WORK"
export RTMEM_CONF=$WORK/rtmem.conf LC_ALL=C.UTF-8
export JACK_DEFAULT_SERVER=${WORK##*/} JACK_NO_AUDIO_RESERVATION=1
unset LD_PRELOAD NO_COLOR
jackd=
clients=()
registry=ours # JACK leaves this file behind; if there is one already it is not ours
[ ! -e /dev/shm/jack-shm-registry ] || registry=kept

# shellcheck disable=SC2329 # called by the trap
finish() {
	tmux -L "$JACK_DEFAULT_SERVER" kill-server 2>/dev/null || :
	# the server last: it does not survive all of its clients leaving at once
	kill "${clients[@]}" 2>/dev/null || :
	wait "${clients[@]}" 2>/dev/null || :
	[ -z "$jackd" ] || kill "$jackd" 2>/dev/null || :
	wait
	rm -rf "$WORK" /dev/shm/jack_sem.*"_${JACK_DEFAULT_SERVER}_"*
	[ "$registry" = kept ] || rm -f /dev/shm/jack-shm-registry
}
trap finish EXIT
trap 'exit 130' INT TERM

die() {
	echo "pictures: $1" >&2
	exit 1
}

play() {
	timeout 120 "$RTMEM" run "$@" </dev/null >>"$WORK/played" 2>&1 &
}

start_jackd() {
	play jackd -n "$JACK_DEFAULT_SERVER" -R -P 70 -d dummy -r 48000 -p 128
	jackd=$!
	for _ in $(seq 50); do
		compgen -G "/dev/shm/jack_sem.*${JACK_DEFAULT_SERVER}_system" >/dev/null && return
		sleep 0.1
	done
	die "jackd did not start: $(cat "$WORK/played")"
}

# picture PAGE PNG WIDTH HEIGHT COLOUR: what a browser draws, with a border of that colour
picture() {
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic \
		--no-first-run --disable-background-networking --disable-component-update \
		--disable-sync --hide-scrollbars --user-data-dir="$WORK/chromium" \
		--window-size="$3,$4" --screenshot="$WORK/shot.png" "file://$1" \
		>"$WORK/chromium.log" 2>&1 || die "chromium: $(tail -n 3 "$WORK/chromium.log")"
	convert "$WORK/shot.png" -trim +repage -bordercolor "$5" -border 16 +dither -colors 255 \
		-strip "$OUT/$2"
	echo "$OUT/$2: $(identify -format '%w x %h' "$OUT/$2"), $(stat -c %s "$OUT/$2") bytes"
}

# The first program of the page only: what starts others is audited with them.
audit() {
	echo "pd is audited for 8 s ..."
	timeout 60 "$RTMEM" audit -d 8 -o "$WORK/audit.txt" --html "$WORK/audit.html" -- \
		pd -nogui -rt -jack -r 48000 "$PWD/bench/pictures/voice.pd" </dev/null \
		>"$WORK/audited" 2>&1 || die "the audit failed: $(cat "$WORK/audited")"
	echo '<style>h1~h1,h1~h1~*{display:none!important}</style>' >>"$WORK/audit.html"
	picture "$WORK/audit.html" audit.png 1160 2400 white
}

# Two clients and the server itself; the middle one's tables, after some seconds of rates.
top() {
	local screen=(tmux -L "$JACK_DEFAULT_SERVER")

	echo "top looks at jackd, chuck and pd ..."
	play chuck bench/demo/notes.ck
	clients+=($!)
	play pd -nogui -rt -jack -r 48000 "$PWD/bench/pictures/voice.pd"
	clients+=($!)
	sleep 1
	"${screen[@]}" -f /dev/null new-session -d -x 100 -y 22 \
		"TERM=screen-256color '$RTMEM' top; sleep 60"
	sleep 1
	"${screen[@]}" send-keys Down
	sleep 6
	"${screen[@]}" capture-pane -e -p -N >"$WORK/top.txt"
	{
		echo '<meta charset="utf-8"><style>body{background:#111;margin:16px}pre{'
		echo 'font:15px/1.25 "DejaVu Sans Mono",monospace;color:#ddd;margin:0}</style><pre>'
		# "default colours" behind a reset say nothing, and aha takes them for more
		sed 's/\x1b\[39m\x1b\[49m//g' "$WORK/top.txt" | aha --no-header --black
		echo '</pre>'
	} >"$WORK/top.html"
	picture "$WORK/top.html" top.png 960 460 '#111'
}

start_jackd
audit
top
