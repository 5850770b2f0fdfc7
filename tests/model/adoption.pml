/* SPDX-License-Identifier: MIT */
/*
 * adoption.pml - whose a heap is (pool_own.c), checked exhaustively
 *
 * One heap. Two threads adopt it, serve a block from it, hand the block to a third, and let
 * the heap go. The helper adopts it when it is an orphan to which something was returned,
 * tidies it and lets it go. The third thread frees what it was given: it pushes.
 *
 * Claims: the heap has one owner at a time; nobody pushes to a FREE heap; a heap that was let
 * go as FREE has no block; when all are done, no block is lost.
 *
 * Run: make check-model
 */
#define BLOCKS 2

mtype = { FREE, OWNED, ORPHAN };

mtype state = FREE;
byte owners = 0;   /* who is inside */
byte used = 0;     /* blocks that are not released; the owner's */
byte returned = 0; /* how many were pushed */
byte out = 0;      /* blocks with the third thread */
byte ended = 0;

/* heap_take_back() until nothing is left, then the store of the state. */
inline let_go()
{
	do
	:: returned > 0 -> atomic { used = used - returned; returned = 0 }
	:: returned == 0 -> break
	od;
	owners--;
	/* what is pushed from here on finds used > 0: it keeps the heap from being FREE */
	atomic {
		if
		:: used > 0 -> state = ORPHAN
		:: else -> assert(out == 0 && returned == 0); state = FREE
		fi
	}
}

inline inside()
{
	owners++;
	assert(owners == 1)
}

proctype thread()
{
	bool mine = false;
	do
	:: !mine ->
		/* orphans first, then free ones: each a compare and exchange */
		atomic {
			if
			:: state == ORPHAN -> state = OWNED; mine = true
			:: state == FREE -> state = OWNED; mine = true
			:: else
			fi
		};
		if
		:: mine -> inside()
		:: else -> break /* none is to be had: it goes without */
		fi
	:: mine ->
		used++;
		out++;  /* with it: the block is the third thread's */
		let_go();
		break
	od;
	ended++
}

proctype helper()
{
	bool mine;
	do
	:: ended < 3 ->
		mine = false;
		if
		:: state == ORPHAN && returned > 0 -> /* relaxed: a hint */
			atomic {
				if
				:: state == ORPHAN -> state = OWNED; mine = true
				:: else
				fi
			}
		:: else
		fi;
		if
		:: mine -> inside(); let_go()
		:: else
		fi
	:: ended == 3 -> break
	od;
	/* the last look of all */
	if
	:: state == ORPHAN -> state = OWNED; inside(); let_go()
	:: else
	fi;
	assert(state == FREE && used == 0 && returned == 0 && out == 0)
}

proctype third()
{
	byte freed = 0;
	do
	:: out > 0 ->
		assert(state != FREE);
		atomic { out--; returned++ };
		freed++
	:: out == 0 && ended == 2 -> break
	od;
	ended++
}

init
{
	atomic {
		run thread();
		run thread();
		run helper();
		run third()
	}
}
