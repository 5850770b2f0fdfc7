/* SPDX-License-Identifier: MIT */
/*
 * heap.h - the allocator: two-level segregated fit over the parts of one owner
 *
 * A heap has one OWNER at a time, a matched thread. Only the owner allocates from it,
 * frees into it and resizes in it: so there is no lock. Anybody else who frees a block of
 * the heap pushes it on the heap's RETURNED list. The owner takes from that list whenever
 * its cache misses.
 *
 * A heap has RUNS of memory: parts side by side (parts.h), or the whole of a native pool.
 * It takes parts when no free block is large enough, and gives back those that are wholly
 * free. No system call, no lock, no loop but HEAP_SCAN and PARTS_TRIES. Its worst cases
 * in instructions are in librtpreload(7).
 */
#ifndef HEAP_H
#define HEAP_H

#include "block.h"
#include "parts.h"

#define HEAP_LAST     4u /* returned blocks released before an allocation fails */
#define HEAP_LARGE    (72UL << 10) /* from here on a block has a bound of its own */
#define HEAP_RUN_ENDS 16UL	   /* bytes of a run that no block can have */
#define HEAP_SL_BITS  5u
#define HEAP_SL	      (1u << HEAP_SL_BITS)
#define HEAP_FL	      27u /* 32 classes per power of two, 32 B to 4 GiB */
#define HEAP_LISTS    (HEAP_FL * HEAP_SL)

struct heap;

enum heap_verdict {
	HEAP_OK = 0,
	HEAP_DOUBLE_FREE, /* a block that is not live */
	HEAP_NOT_A_BLOCK, /* interior, misaligned or overwritten header */
};

/* A block is overwritten: in a list, beside one that is freed, or on its way back. Ends
 * the program: what the heap would do next is not defined. */
typedef void heap_broken_fn(const struct heap *h, const void *block);

struct heap {
	/* constant */
	heap_broken_fn *broken;
	unsigned char *lo; /* of the pool; places are distances from here */
	struct block_key key;
	struct parts *parts;  /* NULL: one run, of a native pool */
	uint32_t spare_map;   /* fl_map is at least this: parts can be given back */
	uint32_t spare_class; /* of a block that has them */
	uint32_t part_block;  /* the largest block of one part */
	uint32_t part_class;  /* its class */
	uint8_t number;
	/* atomic, relaxed: no header is at this place or behind it; grows */
	uint32_t reach;
	uint32_t few; /* free parts are, below this; atomic, relaxed: grows with it */

	/* the owner's; figures are read by others */
	uint32_t fl_map, sl_map[HEAP_FL + 1]; /* the last is 0: the largest request's */
	uint32_t inbox;			      /* place; taken from `returned`; 0: none */
	uint64_t own;			      /* parts, as bits; atomic, relaxed */
	bool scarce;  /* when it last took or gave parts, free ones were few; atomic */
	uint32_t end; /* of a native pool: bytes it has */
	size_t used, peak;		  /* bytes in blocks that are not free */
	long served_blocks, served_bytes; /* handed out live since it was adopted */
	uint32_t list[HEAP_LISTS];	  /* place of the first free block; 0: none */

	/* written by other threads that free the owner's blocks; atomic: heap_returned.c */
	_Alignas(64) uint32_t returned; /* place */
	uint32_t state;			/* of the pool's, see pool_own.c */
};

/* ---- making ---- */

/* An empty heap without memory. number: its place in the pool. parts: NULL for a native
 * pool. broken: see above. */
void heap_init(struct heap *h, unsigned char *lo, const struct block_key *key,
	struct parts *parts, uint8_t number, heap_broken_fn *broken);
/* Any thread: bytes from lo that can be read are `reach` from now on. */
void heap_set_reach(struct heap *h, size_t reach);
/* Native pools: `len` bytes at the end of what it has are its own, too. O(1). */
void heap_extend(struct heap *h, size_t len);
/* Bytes of a native pool in which one block of `total` bytes is sure to fit. */
size_t heap_span_for(size_t total);

/* ---- the owner: allocate, free, resize. Realtime: yes ---- */

/*
 * A live block of `size` bytes or a little more, header included: what others returned,
 * a free block, new parts. NULL: there is none. At most one that was returned is released
 * on the way, HEAP_LAST before it fails. size: from block_size_for() or a multiple of 16.
 */
void *heap_serve(struct heap *h, uint32_t size, uint8_t tag);
/* The same, aligned to a power of two; HEAP_EACH that were returned are released. */
void *heap_serve_aligned(struct heap *h, size_t align, uint32_t size, uint8_t tag);
/* From free blocks or new parts, and nothing on the way. align: a power of two >= 16. */
void *heap_alloc(struct heap *h, uint32_t size, uint8_t tag);
void *heap_alloc_aligned(struct heap *h, size_t align, uint32_t size, uint8_t tag);
/* b is returned (block.h), in no list, and the caller knows it. */
void heap_release(struct heap *h, struct block *b);
/* A live block is freed at once, and parts are given back when much is free. */
enum heap_verdict heap_free(struct heap *h, void *p);
/* Much is free in one piece. */
static inline bool heap_has_spare(const struct heap *h)
{
	return h->fl_map >= h->spare_map;
}
/* Soon nobody can get another part: what is free is in the heaps. */
static inline bool heap_is_scarce(const struct heap *h)
{
	return __atomic_load_n(&h->scarce, __ATOMIC_RELAXED);
}
/* Then parts of it can be given back. */
void heap_give_spare(struct heap *h);
/* The same as heap_release(), later: the block waits in an inbox. */
void heap_release_later(struct heap *h, struct block *b);
/* In place only. false: it does not fit, the block is untouched. */
bool heap_resize(struct heap *h, void *p, size_t wanted);

/* ---- anybody: give back. Realtime: yes ---- */

/* The link of a returned block: the place of the one below, 0: none. */
static inline uint32_t *heap_link(struct block *b)
{
	return &b->next;
}

/*
 * A chain of returned blocks, linked from `first` to `last`.
 * Bound: `tries` attempts; one fails when another thread pushed meanwhile.
 */
bool heap_push(struct heap *h, struct block *first, struct block *last, int tries);

/* ---- the owner: take back ---- */

/* Releases at most `max` returned blocks; how many. Realtime: with a small max. */
unsigned heap_take_back(struct heap *h, unsigned max);
/* Has anybody returned blocks that were not taken back? Any thread: a hint. */
static inline bool heap_has_returned(const struct heap *h)
{
	/* relaxed, both: a hint */
	return (__atomic_load_n(&h->returned, __ATOMIC_RELAXED) |
		       __atomic_load_n(&h->inbox, __ATOMIC_RELAXED)) != 0;
}
/* Gives wholly free parts back, of `max` free blocks at most. Realtime: with a small max.
 */
#define HEAP_ALL_OF_THEM ~0u
void heap_trim(struct heap *h, unsigned max);

/* ---- questions; any thread ---- */

/* Is p the payload of a live block of this heap's pool? Never reads outside of it. */
enum heap_verdict heap_check_pointer(const struct heap *h, const void *p);
/* Bytes to which a live block can grow in place now. */
size_t heap_room_of(const struct heap *h, const void *p);
/* Calls fn for each live block; nobody may be using the heap. */
void heap_each_live(const struct heap *h, void (*fn)(void *p));

struct heap_stats {
	size_t span;	     /* bytes under management */
	size_t used;	     /* bytes in blocks that are not free, headers included */
	size_t peak;	     /* highest `used` */
	size_t largest_free; /* a request of this many bytes would succeed now */
};
void heap_stats(const struct heap *h, struct heap_stats *out);

/* Every invariant of every block and list. NULL when sound, else what is broken; *where
 * is set to the block. Linear in the number of blocks. The owner, or nobody uses it. */
const char *heap_check(const struct heap *h, const void **where);

#endif
