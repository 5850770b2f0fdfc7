/* SPDX-License-Identifier: MIT */
/*
 * retired.pml - a route is freed while its thread switches (preload/decide/route_switch.c,
 * reload_retired.c)
 *
 * The owner takes what is next: it names the route in `taken`, then takes it out of `next`
 * if it is still there, then follows it. The helper publishes routes 1, 2 and 3 in turn.
 * When it has published another, it looks for an old one in `next`, `taken` and `route`, in
 * this order, and frees it when none names it.
 *
 * Claims: the owner never follows a route that is freed, and follows the last one in the
 * end; every route but the last is freed when all have come to rest.
 *
 * Run: make check-model
 */
#define NONE 0
#define LAST 3

byte next = NONE;
byte taken = NONE;
byte route = NONE;
bool freed[4];
bool published = false; /* the last one */

inline look(r)
{
	if
	:: next == r -> skip
	:: else ->
		if
		:: taken == r -> skip
		:: else ->
			if
			:: route == r -> skip
			:: else -> freed[r] = true
			fi
		fi
	fi
}

proctype helper()
{
	byte n = 1;

	do
	:: n > LAST -> break
	:: else ->
		next = n; /* route_publish() */
		if
		:: n > 1 && !freed[1] -> look(1)
		:: else
		fi;
		if
		:: n > 2 && !freed[2] -> look(2)
		:: else
		fi;
		n++
	od;
	published = true
}

proctype owner()
{
	byte r;

	do
	:: assert(route == NONE || !freed[route]); /* a malloc: it follows its route */
	   r = next;
	   if
	   :: r != NONE ->
		taken = r;
		if
		:: atomic { next == r -> next = NONE }
		   assert(!freed[r]);
		   route = r
		:: atomic { next != r -> skip }
		fi
	   :: else ->
		if
		:: published && next == NONE -> break
		:: else
		fi
	   fi
	od;
	assert(route == LAST && !freed[LAST]);
	if
	:: !freed[1] -> look(1)
	:: else
	fi;
	if
	:: !freed[2] -> look(2)
	:: else
	fi;
	assert(freed[1] && freed[2])
}

init
{
	atomic { run helper(); run owner() }
}
