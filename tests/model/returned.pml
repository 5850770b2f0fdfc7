/* SPDX-License-Identifier: MIT */
/*
 * returned.pml - blocks on their way back to their heap (heap_returned.c), checked
 * exhaustively
 *
 * Two threads push blocks of a heap on its `returned` stack. The owner takes the whole
 * stack by one exchange into its inbox and serves its blocks again, so that the same
 * place comes back while others are about to push (the ABA case).
 *
 * Claim: no block is ever in two places, and when all are done each is found: none is lost.
 *
 * Run: make check-model
 */
#define BLOCKS 3
#define NONE   0
#define GIVES  4 /* blocks served in all */

mtype = { HEAP, OUT, BACK }; /* in the heap; with the program; on the stack or in the inbox */

byte returned = NONE;
byte link[BLOCKS + 1]; /* in the block */
mtype where[BLOCKS + 1];
byte wallet[3];        /* what the program has got to free, per thread */
bool closed = false;   /* nothing more will be served */
byte done = 0;

inline push(b)
{
	top = returned;                /* load, relaxed */
	do
	:: link[b] = top;              /* store into our own block */
	   atomic {                    /* compare and exchange, release */
		if
		:: returned == top -> returned = b; break
		:: else -> top = returned
		fi
	   }
	od
}

proctype freer(byte me)
{
	byte b, top;
	do
	:: wallet[me] != NONE ->
		b = wallet[me];
		wallet[me] = NONE;
		assert(where[b] == OUT);
		where[b] = BACK;       /* block_retire() */
		push(b)
	:: closed && wallet[me] == NONE -> break
	od;
	done++
}

proctype owner()
{
	byte inbox = NONE, b, gives = 0, back = 0;
	do
	:: gives < GIVES && (wallet[1] == NONE || wallet[2] == NONE) ->
		if
		:: inbox == NONE -> atomic { inbox = returned; returned = NONE }
		:: else
		fi;
		b = NONE;
		if
		:: inbox != NONE ->
			b = inbox;
			inbox = link[b];
			assert(where[b] == BACK);
			if
			:: true -> where[b] = OUT             /* served as it is */
			:: true -> where[b] = HEAP; b = NONE  /* heap_release() */
			fi
		:: else ->
			if
			:: where[1] == HEAP -> b = 1; where[b] = OUT
			:: where[2] == HEAP -> b = 2; where[b] = OUT
			:: where[3] == HEAP -> b = 3; where[b] = OUT
			:: else
			fi
		fi;
		if
		:: b != NONE ->
			gives++;
			if
			:: wallet[1] == NONE -> wallet[1] = b
			:: wallet[2] == NONE -> wallet[2] = b
			fi
		:: else
		fi
	:: gives == GIVES -> break
	od;
	closed = true;
	done == 2;
	/* all are back: the inbox, the stack and the heap have each block once */
	b = inbox;
	do
	:: b == NONE -> break
	:: else -> assert(where[b] == BACK); where[b] = HEAP; b = link[b]
	od;
	b = returned;
	do
	:: b == NONE -> break
	:: else -> assert(where[b] == BACK); where[b] = HEAP; b = link[b]
	od;
	assert(where[1] == HEAP && where[2] == HEAP && where[3] == HEAP)
}

init
{
	atomic {
		where[1] = HEAP;
		where[2] = HEAP;
		where[3] = HEAP;
		run owner();
		run freer(1);
		run freer(2)
	}
}
