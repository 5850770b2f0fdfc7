/* SPDX-License-Identifier: MIT */
/*
 * reload.pml - another policy while a thread allocates (preload/decide/reload.c, rule.c, site.c)
 *
 * The set of call sites that is compiled for policy n answers for the rules of n and of
 * n - 1, whose numbers differ. The helper puts it in place, moves the generation on, and
 * then publishes the new route; the owner is somewhere inside a malloc meanwhile. It asks
 * the set by the numbers of its route, and remembers the answer with the generation that
 * it read before.
 *
 * Claims: whatever the owner asks is answered for the policy of its route; a remembered
 * answer is never used for the rules of another policy; in the end it follows the new one.
 *
 * Run: make check-model
 */
#define NONE 9
#define SWITCH 8

byte world = 0;      /* site_compiled: answers for policies world - 1 and world */
byte generation = 0; /* site_generation */
byte next = NONE;    /* slot.next */
byte func = 0;       /* slot.malloc_fn: SWITCH, or that of a route */
byte route = 0;      /* slot.route, by the policy it is of; the owner's */
bool seen = false;   /* slot.seen: an answer is remembered … */
byte seen_generation = 0;
byte seen_policy = 0; /* … which was of this policy's rules */
bool done = false;

proctype helper()
{
	world = 1;         /* site_init() */
	generation++;
	next = 1;          /* route_publish() */
	func = SWITCH;
	done = true
}

inline do_switch()
{
	do
	:: atomic { taken = next; next = NONE } /* exchange */
	   if
	   :: taken == NONE -> break
	   :: else -> route = taken; seen = false /* route_install() */
	   fi
	od;
	func = route;
	if
	:: next != NONE -> func = SWITCH
	:: else
	fi
}

inline do_malloc()
{
	if
	:: func == SWITCH -> do_switch()
	:: else
	fi;
	g = generation;
	if
	:: seen && seen_generation == g -> assert(seen_policy == route)
	:: else ->
		w = world;
		assert(w == route || w == route + 1);
		seen_policy = route;
		seen_generation = g;
		seen = true
	fi
}

proctype owner()
{
	byte taken, g, w;
	byte calls = 0;

	do
	:: calls < 4 -> do_malloc(); calls++
	:: else -> break
	od;
	done;
	do_malloc();
	assert(route == 1 && next == NONE)
}

init
{
	atomic { run helper(); run owner() }
}
