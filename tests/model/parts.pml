/* SPDX-License-Identifier: MIT */
/*
 * parts.pml - who has which parts of a pool (parts.h), checked exhaustively
 *
 * Two heaps take one or two of three parts by one compare and exchange, write whose they
 * are, hand a block of the part to a reader, and give the part back once the block is.
 *
 * Claims: no part is two heaps' at a time, and whoever holds a block of a part reads its
 * owner. PARTS_TRIES attempts, then the taker goes without.
 *
 * Run: make check-model
 */
#define PARTS  3
#define TRIES  3
#define ROUNDS 2

byte free = 7;           /* one bit each */
byte owner[PARTS];
byte held[PARTS];        /* ghost: by how many it is held */
byte block = 255;        /* a part of which the reader holds a block; 255: none */
byte block_of;           /* ghost: the heap that it is of */
bool block_back = true;
byte done = 0;

/* For each part of the mask: nobody has it, and now it is held, and so on. */
#define EACH(from, what)                                   \
	i = from;                                          \
	do                                                 \
	:: i < PARTS && (mask & (1 << i)) -> what; i++     \
	:: else -> break                                   \
	od

proctype heap(byte me)
{
	byte seen, mask, i, tries, rounds = 0, first;
	bool got;
	do
	:: rounds < ROUNDS ->
		rounds++;
		got = false;
		tries = 0;
		seen = free;                       /* relaxed: a hint */
		do
		:: tries < TRIES && !got ->
			tries++;
			if                         /* any run that was seen free */
			:: seen & 1 -> mask = 1; first = 0
			:: seen & 2 -> mask = 2; first = 1
			:: seen & 4 -> mask = 4; first = 2
			:: (seen & 3) == 3 -> mask = 3; first = 0
			:: (seen & 6) == 6 -> mask = 6; first = 1
			:: !seen -> break
			fi;
			atomic {                   /* compare and exchange, acquire */
				if
				:: free == seen ->
					free = free & (7 - mask);
					EACH(first, held[i]++; assert(held[i] == 1));
					got = true
				:: else -> seen = free
				fi
			}
		:: else -> break
		od;
		if
		:: got ->
			EACH(first, owner[i] = me);       /* relaxed, before any block */
			if
			:: atomic { block == 255 && block_back ->
				block_of = me; block_back = false; block = first };
			   block_back               /* it comes back before the part goes */
			:: true
			fi;
			EACH(first, assert(owner[i] == me));
			EACH(first, held[i]--);
			atomic { free = free | mask } /* release */
		:: else
		fi
	:: else -> break
	od;
	done++
}

proctype reader()
{
	do
	:: block != 255 ->
		assert(owner[block] == block_of);
		block = 255;
		block_back = true
	:: block == 255 && done == 2 -> break
	od
}

init
{
	atomic {
		run heap(1);
		run heap(2);
		run reader()
	}
}
