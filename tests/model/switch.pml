/* SPDX-License-Identifier: MIT */
/*
 * switch.pml - the switch of preload/decide/route.c, checked exhaustively
 *
 * Two publishers change the route of one slot while its owner mallocs. Memory is
 * sequentially consistent here, as the four operations are seq_cst in the code.
 *
 * Claim: when the publishers are done and the owner has made one more malloc, it follows the
 * route that was published last, and nothing is left in `next`.
 *
 * Run: make check-model
 */
#define NONE 0
#define SWITCH 9

byte next = NONE;      /* slot.next */
byte func = 1;         /* slot.malloc_fn: SWITCH, or the number of the route it serves */
byte route = 1;        /* slot.route, the owner's */
byte last = 1;         /* the route published last (under the thread lock) */
byte published = 0;
bool lock = false;

proctype publisher(byte mine)
{
	atomic { !lock -> lock = true }
	last = mine;
	next = mine;           /* route_publish(): first what */
	func = SWITCH;         /* then where to look */
	lock = false;
	published++
}

inline do_switch()
{
	byte taken;
	do
	:: atomic { taken = next; next = NONE } /* exchange */
	   if
	   :: taken == NONE -> break
	   :: else -> route = taken
	   fi
	od;
	func = route;          /* route_set_functions() */
	if
	:: next != NONE -> func = SWITCH
	:: else
	fi
}

inline do_malloc()
{
	byte seen;
	seen = func;
	if
	:: seen == SWITCH -> do_switch()
	:: else -> assert(seen == route)
	fi
}

proctype owner()
{
	byte i;
	for (i : 1 .. 3) {
		do_malloc()
	}
	published == 2;
	do_malloc();
	assert(route == last);
	assert(next == NONE);
	do_malloc();
	assert(route == last)
}

init {
	atomic { run publisher(2); run publisher(3); run owner() }
}
