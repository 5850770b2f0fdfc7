/* SPDX-License-Identifier: MIT */
/*
 * returned.pml - blocks given back to a pool (pool.c, cache_stock.c), checked exhaustively
 *
 * Two freers push blocks on the `returned` stack. The owner, pool_alloc(), takes the whole
 * stack by one exchange into its inbox and hands its blocks out again, so that the same
 * address comes back while others are about to push (the ABA case); a block that overflows
 * (cache_overflow()) it pushes itself. The helper takes the whole stack too and gives it to
 * the heap, where the owner allocates.
 *
 * Claim: no block is ever in two places, and when all are done each is found: none is lost.
 *
 * Run: make check-model
 */
#define BLOCKS 3
#define NONE   0
#define GIVES  4 /* blocks handed out in all */

mtype = { HEAP, OUT, BACK }; /* in the heap; with the program; on the stack or a list */

byte returned = NONE;
byte link[BLOCKS + 1]; /* a block's first word */
mtype place[BLOCKS + 1];
byte wallet[3];        /* what the program has got to free, per freer */
bool closed = false;   /* nothing more will be handed out */
byte done = 0;

inline push(b)
{
	top = returned;                /* load, relaxed */
	do
	:: link[b] = top;              /* store into our own block */
	   atomic {                    /* compare and exchange */
		if
		:: returned == top -> returned = b; break
		:: else -> top = returned
		fi
	   }
	od
}

inline take_all(list)
{
	atomic { list = returned; returned = NONE }
}

proctype freer(byte me)
{
	byte b, top;
	do
	:: wallet[me] != NONE ->
		b = wallet[me];
		wallet[me] = NONE;
		assert(place[b] == OUT);
		place[b] = BACK;       /* the check is inverted */
		push(b)
	:: closed && wallet[me] == NONE -> break
	od;
	done++
}

proctype owner()
{
	byte inbox = NONE, b, top, gives = 0, back = 0;
	do
	:: gives < GIVES && (wallet[1] == NONE || wallet[2] == NONE) ->
		if
		:: inbox == NONE -> take_all(inbox)
		:: else
		fi;
		b = NONE;
		if
		:: inbox != NONE ->
			b = inbox;
			inbox = link[b];
			assert(place[b] == BACK);
			if
			:: back < 1 -> back++; push(b); b = NONE
			:: true -> place[b] = OUT
			fi
		:: else ->
			atomic {
				if
				:: place[1] == HEAP -> b = 1; place[1] = OUT
				:: place[2] == HEAP -> b = 2; place[2] = OUT
				:: place[3] == HEAP -> b = 3; place[3] = OUT
				:: else
				fi
			}
		fi;
		if
		:: b != NONE && wallet[1] == NONE -> wallet[1] = b; gives++
		:: b != NONE && wallet[2] == NONE -> wallet[2] = b; gives++
		:: b == NONE
		fi
	:: gives == GIVES -> break
	od;
	closed = true;
	done == 3;
	/* the cache is detached, and the last resort takes everything */
	do
	:: inbox != NONE -> assert(place[inbox] == BACK); place[inbox] = HEAP; inbox = link[inbox]
	:: inbox == NONE && returned != NONE -> take_all(inbox)
	:: inbox == NONE && returned == NONE -> break
	od;
	for (b : 1 .. BLOCKS) {
		assert(place[b] == HEAP)
	}
}

proctype helper()
{
	byte list = NONE, next, n;
	for (n : 1 .. 1) {
		take_all(list);
		do
		:: list != NONE ->
			next = link[list];
			assert(place[list] == BACK);
			place[list] = HEAP;
			list = next
		:: else -> break
		od
	}
	done++
}

init {
	atomic {
		place[1] = HEAP; place[2] = HEAP; place[3] = HEAP;
		run freer(1); run freer(2); run owner(); run helper()
	}
}
