/* SPDX-License-Identifier: MIT */
/*
 * depot.pml - boxes on their way between threads (depot.c, cache_box.c), exhaustively
 *
 * Two stacks, of full and of empty boxes, each with a top of {turn, box}. Every thread
 * again and again takes an empty box, fills it and puts it on the full ones, or takes a
 * full one, empties it and puts it back: so boxes come and go while others hold an old top
 * and an old link (ABA). A link is read when the box may be somebody else's already, and
 * is overwritten by who owns it.
 *
 * Claim: no box is ever taken by two, none is lost. Without the turn this fails
 * (spin -DNO_TURN -a finds it).
 *
 * Run: make check-model
 */
#define BOXES	3
#define THREADS 3
#define ROUNDS	2

#define FULL  0
#define EMPTY 1

byte top[2];
byte turn[2];
byte below[BOXES + 1];
bool owned[BOXES + 1]; /* by a thread, so in no stack */
byte done = 0;

#ifdef NO_TURN
#define SAME(s) (top[s] == was)
#else
#define SAME(s) (top[s] == was && turn[s] == was_turn)
#endif

/* box: what was taken, 0 when there is none */
inline pop(s)
{
	atomic { was = top[s]; was_turn = turn[s] }       /* load, acquire */
	do
	:: was == 0 -> box = 0; break
	:: else ->
		link = below[was];                        /* load, relaxed: maybe stale */
		atomic {                                  /* compare and exchange */
			if
			:: SAME(s) ->
				top[s] = link; turn[s]++;
				assert(!owned[was]);
				owned[was] = true;
				box = was; break
			:: else -> was = top[s]; was_turn = turn[s]
			fi
		}
	od
}

inline push(s)
{
	atomic { was = top[s]; was_turn = turn[s] }       /* load, relaxed */
	do
	:: below[box] = was;                              /* store, relaxed */
	   atomic {                                       /* compare and exchange */
		if
		:: SAME(s) ->
			assert(owned[box]);
			owned[box] = false;
			top[s] = box; turn[s]++; break
		:: else -> was = top[s]; was_turn = turn[s]
		fi
	   }
	od
}

proctype thread()
{
	byte box, was, was_turn, link, n;

	for (n : 1 .. ROUNDS) {
		if
		:: pop(EMPTY); if :: box -> push(FULL) :: else fi
		:: pop(FULL); if :: box -> push(EMPTY) :: else fi
		fi
	}
	done++
}

init {
	byte s, b, seen = 0;

	atomic {
		below[2] = 1; below[3] = 2; top[EMPTY] = 3;
		for (b : 1 .. THREADS) { run thread() }
	}
	done == THREADS;
	for (s : FULL .. EMPTY) {
		b = top[s];
		do
		:: b -> assert(!owned[b]); seen++; b = below[b]
		:: else -> break
		od
	}
	assert(seen == BOXES)
}
