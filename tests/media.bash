# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # status, output and lines are bats's
# media.bash - JACK without sound hardware, and its clients under the library

# locked PID: a realtime thread was matched, and its pool is there (4 MiB in conf/rtmem.conf).
locked() {
	[ "$(sed -n 's/^VmLck:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status")" -ge 4096 ]
}

# start_jack: jackd -R -d dummy, itself under the library and the default policy.
start_jack() {
	export JACK_NO_AUDIO_RESERVATION=1 RTMEM_CONF=$ROOT/conf/rtmem.conf
	jackd_up || {
		forget_dead_jackds
		jackd_up
	} || fail_with "jackd did not start" jackd.log
	wait_until 5 locked "$JACKD" || fail_with "jackd has no pool" jackd.log
}

# jackd_up: a server whose name is ours as long as we hold the name's file. The names are few
# and always the same: JACK has places for eight servers, and gives the place of one that was
# killed to nobody but the next of that name.
# With few ports: for thousands of them it would need 100 MiB of /dev/shm.
jackd_up() {
	local n

	for n in 1 2 3 4; do
		exec 7>"${TMPDIR:-/tmp}/rtmem-test-jack-$UID-$n"
		! flock -n 7 || break
	done
	export JACK_DEFAULT_SERVER=rtmem-test-$n
	rm -f /dev/shm/jack_sem.*"_${JACK_DEFAULT_SERVER}_"*
	LD_PRELOAD=$LIB jackd -n "$JACK_DEFAULT_SERVER" -R -P 70 -p 128 -d dummy -r 48000 -p 256 \
		>"$BATS_TEST_TMPDIR/jackd.log" 2>&1 3>&- 7>&- &
	JACKD=$!
	wait_until 10 jackd_decided
	! gone "$JACKD"
}

# jackd_decided: it serves, or it has ended.
jackd_decided() {
	compgen -G "/dev/shm/jack_sem.*_${JACK_DEFAULT_SERVER}_system" >/dev/null || gone "$JACKD"
}

# forget_dead_jackds: the list of servers that killed ones have filled, where none lives.
forget_dead_jackds() {
	! pgrep -x 'jackd|jackdbus' >/dev/null || return 0
	rm -f /dev/shm/jack-shm-registry /dev/shm/jack_sem.*
}

stop_jack() {
	if [ -n "${JACKD-}" ]; then
		stop "$JACKD"
		JACKD=
	fi
	# scsynth leaves it behind when it is told to end
	rm -f /dev/shm/SuperColliderServer_5799[89]
}

fail_with() {
	echo "$1" >&2
	tail -n 30 "$BATS_TEST_TMPDIR/$2" >&2
	return 1
}

# plays CMD…: as a client of jackd under the default policy: its realtime thread gets the
# pool, it is still there a second later, nothing is said, and it ends when asked to.
plays() {
	local pid log=$BATS_TEST_TMPDIR/client.log

	LD_PRELOAD=$LIB "$@" >"$log" 2>&1 3>&- < <(sleep 30) &
	pid=$!
	wait_until 15 locked "$pid" || fail_with "no pool for $1" client.log
	sleep 1
	! gone "$pid" || fail_with "$1 is gone" client.log
	stop "$pid"
	! grep '^rtmem: ' "$log" || fail_with "$1 was told something" client.log
	! gone "$JACKD" || fail_with "jackd is gone" jackd.log
}
