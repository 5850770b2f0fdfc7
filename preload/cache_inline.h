/* SPDX-License-Identifier: MIT */
/*
 * cache_inline.h - the instructions of a realtime malloc and free that hits the cache
 *
 * Included by route*.c and cache*.c only. No call, no loop, no atomic, no write outside
 * the cache and the block's own header. A class is a stack of block pointers: `top` is
 * the last one, NULL stands below the first, `full` is where the last one may be.
 *
 * Small bins are indexed by the block's size in bytes: a bin is 16 bytes, sizes are
 * multiples of 16, so that the size is the offset of its bin.
 */
#ifndef CACHE_INLINE_H
#define CACHE_INLINE_H

#include <stddef.h>

#include "cache.h"

struct cache_bin {
	void **top, **full;
};

#define CACHE_SMALL_BLOCK \
	((CACHE_SMALL + HEAP_OVERHEAD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1))
#define CACHE_SMALL_BINS (CACHE_SMALL_BLOCK / HEAP_ALIGN + 1)
/* Blocks per small bin, at most: of blocks up to CACHE_DEEP_BLOCK, and above. How many of
 * a size a program has cached goes up and down as chance has it; where a bin is too small
 * for that, it trades with the depot. */
#define CACHE_DEEP	 64u
#define CACHE_DEEP_BLOCK 528UL
#define CACHE_DEEP_BINS	 (CACHE_DEEP_BLOCK / HEAP_ALIGN + 1)
#define CACHE_DEPTH	 (2 * DEPOT_BOX)
#define CACHE_SLOTS                           \
	(CACHE_DEEP_BINS * (CACHE_DEEP + 1) + \
		(CACHE_SMALL_BINS - CACHE_DEEP_BINS) * (CACHE_DEPTH + 1))
#define CACHE_LARGE_MSB 10u /* large classes begin at 1 << 10 */
#define CACHE_LARGE_BINS                                               \
	98u /* 16 per doubling to 64 KiB, and what holds 64 KiB itself \
	     */
#define CACHE_LARGE_DEPTH 4
/* Blocks from this size on have no class: the second above 64 KiB would be theirs. */
#define CACHE_LARGE_END	 (CACHE_LARGE + 2 * (CACHE_LARGE / 16))
#define CACHE_HUGE	 4   /* blocks above that kept, at most */
#define CACHE_LARGE_UNIT 64u /* every class begins at a multiple of this */

struct cache {
	uintptr_t lo;
	size_t span;  /* bytes from lo that were committed when the slow path last looked
		       */
	uint16_t key; /* the pool's, and what the tag's number changes of a check */
	uint8_t tag;  /* whose blocks are in the bins, see cache_book() */
	uint32_t tid;
	struct pool *pool;
	struct pool_hot *hot; /* pool->hot and pool->heap, one load nearer */
	struct heap *heap;
	long room; /* bytes the large bins may still take */
	struct depot *depot;
	struct depot_box *spare; /* empty ones, linked by number; ours alone */
	uint32_t box_max;	 /* blocks up to this size come out of boxes */
	uint32_t box_in;	 /* the same, go into boxes; in thrift 0 */
	const size_t *used;	 /* of the heap (heap_used_at()) */
	size_t tight, calm;	 /* from so much on thrift begins, below that it ends */
	uint32_t refused;	 /* full bins until the depot is asked again */
	void *inbox;		 /* reserves, flipped, linked; ours alone; NULL: none */
	cache_full_fn *full; /* what an allocation gets that the pool has no block for */
	long deeper;	     /* bytes by which small bins may still deepen */
	long held_blocks;
	unsigned hand; /* the small bin that is next asked to give up its depth */
	size_t shut;   /* from so much on bins are closed, too */
	unsigned deep; /* while closed: small bins below this still have depth */
	bool thrift;   /* the pool fills: nothing more goes into boxes */
	bool closed;   /* and nothing into bins (cache_thrift.c) */
	uint32_t live; /* what a block of nobody and a live one of the tag differ by */
	/* blocks with the tag's number, in bins or with the program; owner writes. The
	 * other word stands apart: side by side the compiler adds them up with more
	 * instructions */
	long held_bytes;
	/* what bins could not hold, and are served from when they have nothing: one open
	 * box per class, of `box_most` blocks when full, of which there are `box_n` */
	uint8_t box_n[DEPOT_CLASSES], box_most[DEPOT_CLASSES];
	struct depot_box *open[DEPOT_CLASSES]; /* NULL: none; box_n is 0 then */
	void *huge[CACHE_HUGE]; /* blocks above every class, flipped; NULL: none */
	struct cache_bin small[CACHE_SMALL_BINS];
	/* as in a bin, but apart: indexed by class without a multiplication */
	void **large_top[CACHE_LARGE_BINS], **large_full[CACHE_LARGE_BINS];
	uint32_t large_size[CACHE_LARGE_BINS]; /* the least block of a class */
	/* per CACHE_LARGE_UNIT of block size: the class it falls into */
	uint8_t large_class[CACHE_LARGE_END / CACHE_LARGE_UNIT];
	void *small_slot[CACHE_SLOTS]; /* of all small bins, see cache_slot() */
	void *large_slot[CACHE_LARGE_BINS][CACHE_LARGE_DEPTH + 1];
};

_Static_assert(sizeof(struct cache) <= CACHE_BYTES, "a slot holds a cache");
_Static_assert(
	CACHE_SMALL_BINS + CACHE_LARGE_BINS <= DEPOT_RESERVE, "the depot's classes");
_Static_assert(sizeof(struct cache_bin) == HEAP_ALIGN, "a block size is a bin offset");

/* What is too long to be inline; see cache.c. */
void cache_see_growth(struct cache *c);
void *cache_alloc_tiny(struct cache *c);
void *cache_from_heap(struct cache *c, size_t size);
void *cache_alloc_last_slow(struct cache *c, size_t n, size_t align);
enum heap_verdict cache_free_odd(struct cache *c, void *p);
/* cache_box.c: past the bins, without the heap. */
void *cache_unbox(struct cache *c, unsigned class);
void *cache_from_reserve(struct cache *c, size_t size);
/* align: above HEAP_ALIGN. */
void *cache_alloc_aligned(struct cache *c, size_t align, size_t n);
void *cache_refill_box(struct cache *c, size_t size, unsigned class);
bool cache_into_box(struct cache *c, void *p, size_t size);
bool cache_into_box_odd(struct cache *c, void *p, size_t size);
enum heap_verdict cache_overflow(struct cache *c, void *p, size_t size);
/* cache_huge.c: above every class. */
void *cache_alloc_huge(struct cache *c, size_t n);
bool cache_keep_huge(struct cache *c, void *p, uint32_t size);
/* cache_thrift.c: when it will be time; it is; it is so after the last resort; no more.
 * While it is so, an empty bin; the same for n bytes above CACHE_SMALL. */
void cache_thrift_init(struct cache *c);
void cache_thrift_begin(struct cache *c);
void cache_thrift_last(struct cache *c);
void cache_thrift_end(struct cache *c);
void *cache_refill_thrift(struct cache *c, size_t size, unsigned class);
void *cache_alloc_thrift(struct cache *c, size_t n);
/* cache.c: a flipped block of nobody into the heap; the lock is held for this one
 * operation. When it is somebody else's, the helper gets the block. */
void cache_give(struct cache *c, void *p);
/* Blocks a box of that size is full with; the least size of a class. */
unsigned cache_box_full(const struct pool *p, size_t size);
size_t cache_class_size(unsigned class);

static inline struct pool *cache_pool(const struct cache *c)
{
	return c->pool;
}

static inline uint32_t cache_block_size(const void *p)
{
	/* relaxed: the size stays; a flag beside it may change under the pool's lock */
	return __atomic_load_n((const uint32_t *)p - 2, __ATOMIC_RELAXED) &
	       -(uint32_t)HEAP_ALIGN;
}

#define CACHE_INLINE static inline __attribute__((always_inline))

/* ---- whose a block is ---- */

CACHE_INLINE void cache_hold(struct cache *c, long blocks, size_t bytes)
{
	c->held_blocks += blocks;
	c->held_bytes += (long)bytes;
}

/* A block of nobody, not live, goes to the program. */
CACHE_INLINE void *cache_hand_out(struct cache *c, void *p)
{
	cache_hold(c, 1, cache_block_size(p));
	heap_stamp(p, c->live);
	return p;
}

/* A live block of nobody goes to the program; its slack does not matter here. */
static inline void *cache_adopt(struct cache *c, void *p)
{
	cache_hold(c, 1, cache_block_size(p));
	((heap_half *)p)[-1] =
		(uint32_t)(uint16_t)((uintptr_t)p ^ c->key) << 16 | (uint32_t)c->tag << 8;
	return p;
}

/* A live block of the tag becomes one of nobody, not live. */
CACHE_INLINE void cache_take_back(struct cache *c, void *p, size_t size)
{
	cache_hold(c, -1, -size);
	heap_stamp(p, c->live);
}

/* A block of whoever becomes the tag's, not live, without slack. */
static inline void cache_own(const struct cache *c, void *p)
{
	((heap_half *)p)[-1] = (uint32_t)(uint16_t) ~((uintptr_t)p ^ c->key) << 16 |
			       (uint32_t)c->tag << 8;
}

/* And here nobody's. */
static inline void cache_disown(const struct cache *c, void *p)
{
	((heap_half *)p)[-1] =
		(uint32_t)(uint16_t) ~((uintptr_t)p ^ c->key ^ (uint32_t)c->tag << 1)
		<< 16;
}

/* One that is in no bin any more becomes nobody's. */
static inline void cache_let_go(struct cache *c, void *p)
{
	cache_hold(c, -1, -(size_t)cache_block_size(p));
	heap_stamp(p, c->live ^ HEAP_FLIP);
}

/* ---- bins ---- */

/*
 * A member of an array in the slot is one address the processor adds up by itself. Used
 * twice, the compiler would make it once, in a register, with one more instruction: so
 * the index is made to look new before each use. And a top moves in memory, without a
 * register.
 */
#define CACHE_NEW(i) __asm__("" : "+r"(i))
#define CACHE_MOVE(top, blocks) \
	__asm__("addq %1, %0" : "+m"(top) : "i"((blocks) * (long)sizeof(void *)) : "cc")

/* The same for a small bin, from the slot the cache is in (CACHE_IN_SLOT). */
#define CACHE_MOVE_SMALL(c, size, blocks)                                    \
	__asm__ volatile("addq %0, %c1(%2,%3)"                               \
			 :                                                   \
			 : "i"((blocks) * (long)sizeof(void *)),             \
			 "i"(CACHE_IN_SLOT + offsetof(struct cache, small)), \
			 "r"((char *)(c)-CACHE_IN_SLOT), "r"(size)           \
			 : "memory", "cc")

/* Where a small bin begins, below its first block; so many can be above. */
static inline unsigned cache_slot(unsigned bin)
{
	return bin * (CACHE_DEPTH + 1) +
	       (CACHE_DEEP - CACHE_DEPTH) *
		       (bin < CACHE_DEEP_BINS ? bin : (unsigned)CACHE_DEEP_BINS);
}

static inline unsigned cache_depth(unsigned bin)
{
	return bin < CACHE_DEEP_BINS ? CACHE_DEEP : CACHE_DEPTH;
}

/* size: of a block; its bin's offset too. */
CACHE_INLINE struct cache_bin *cache_small_bin(struct cache *c, size_t size)
{
	return (struct cache_bin *)((char *)c->small + size);
}

CACHE_INLINE void *cache_pop_small(struct cache *c, size_t size)
{
	void *p = *cache_small_bin(c, size)->top;

	if (__builtin_expect(p == NULL, 0))
		return NULL;
	CACHE_MOVE_SMALL(c, size, -1);
	heap_flip(p);
	return p;
}

CACHE_INLINE bool cache_push_small(struct cache *c, size_t size, void *p)
{
	void **top = cache_small_bin(c, size)->top;

	CACHE_NEW(size);
	if (__builtin_expect(top == cache_small_bin(c, size)->full, 0))
		return false;
	top[1] = p;
	CACHE_MOVE_SMALL(c, size, 1);
	return true;
}

CACHE_INLINE void *cache_pop_large(struct cache *c, size_t class)
{
	void *p = *c->large_top[class];

	if (__builtin_expect(p == NULL, 0))
		return NULL;
	CACHE_NEW(class);
	CACHE_MOVE(c->large_top[class], -1);
	heap_flip(p);
	return p;
}

CACHE_INLINE bool cache_push_large(struct cache *c, size_t class, void *p)
{
	void **top = c->large_top[class];

	if (__builtin_expect(top == c->large_full[class], 0))
		return false;
	top[1] = p;
	CACHE_NEW(class);
	CACHE_MOVE(c->large_top[class], 1);
	return true;
}

/* The block a request of n <= CACHE_SMALL gets; below HEAP_BLOCK_MIN for n <= 8. */
static inline size_t cache_small_size(size_t n)
{
	return (uint32_t)(n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & -(uint32_t)HEAP_ALIGN;
}

/*
 * Large classes. A class holds blocks of at least its size: an allocation rounds up to a
 * class, a free rounds down. shift: log2 of the distance between neighbouring classes.
 */
static inline unsigned cache_large_shift(size_t size)
{
	return ((unsigned)__builtin_clzl(size) ^ 63u) - 4u;
}

/* The class of a block of `size`, above 1 << CACHE_LARGE_MSB and below CACHE_LARGE_END.
 */
CACHE_INLINE size_t cache_large_class(const struct cache *c, size_t size)
{
	return c->large_class[size / CACHE_LARGE_UNIT];
}

/* The class above the one the last byte falls into: any block of it holds n. */
CACHE_INLINE unsigned cache_large_fitting(const struct cache *c, size_t n)
{
	return (unsigned)cache_large_class(c, n + HEAP_OVERHEAD - 1) + 1;
}

/* CACHE_SMALL < n <= CACHE_LARGE. NULL: nothing cached. */
CACHE_INLINE void *cache_alloc_large(struct cache *c, size_t n)
{
	void *p = cache_pop_large(c, cache_large_class(c, n + HEAP_OVERHEAD - 1) + 1);

	if (__builtin_expect(p != NULL, 1))
		c->room += cache_block_size(p);
	return p;
}

/* A block for n bytes, or NULL: nothing cached, ask cache_alloc_slow(). */
static inline void *cache_alloc(struct cache *c, size_t n)
{
	if (n <= CACHE_SMALL)
		return cache_pop_small(c, cache_small_size(n));
	return n <= CACHE_LARGE ? cache_alloc_large(c, n) : NULL;
}

/* Does p lie in this cache's pool, as far as the cache knows it? Detached: never. */
static inline bool cache_owns(const struct cache *c, const void *p)
{
	return (uintptr_t)p - c->lo < c->span;
}

static inline bool cache_is_live(const struct cache *c, const void *p)
{
	return ((const uint16_t *)p)[-1] == (uint16_t)((uintptr_t)p ^ c->key);
}

/* The same of any tag, with slack or without: heap_check_pointer(), for what lies in the
 * pool. */
static inline bool cache_is_block(const struct cache *c, const void *p)
{
	uint32_t half = ((const heap_half *)p)[-1], owner = half >> 8 & 0xff;
	uint16_t wrong = (uint16_t)(half >> 16 ^ (uintptr_t)p ^ c->key ^
				    (c->tag ^ owner) << 1 ^ ((half & 0xff) != 0));

	return ((uintptr_t)p % HEAP_ALIGN | wrong) == 0 &&
	       /* relaxed: see cache_block_size() */
	       !(__atomic_load_n((const uint32_t *)p - 2, __ATOMIC_RELAXED) &
		       HEAP_F_FREE);
}

/* p belongs into a large bin and there is room. It is live or flipped, as the caller
 * knows. */
CACHE_INLINE bool cache_keep_large(struct cache *c, void *p, uint32_t size)
{
	if (size >= CACHE_LARGE_END || c->room < (long)size ||
		!cache_push_large(c, cache_large_class(c, size), p))
		return false;
	c->room -= (long)size;
	return true;
}

/* Into its bin, if there is room. It is live or flipped, as the caller knows. */
static inline bool cache_keep(struct cache *c, void *p, uint32_t size)
{
	if (size <= CACHE_SMALL_BLOCK)
		return cache_push_small(c, size, p);
	return cache_keep_large(c, p, size);
}

/* True: p, a live block of this pool, is cached. */
CACHE_INLINE bool cache_free_live(struct cache *c, void *p)
{
	uint32_t size = cache_block_size(p);

	if (!(size > CACHE_SMALL_BLOCK ? cache_keep_large(c, p, size)
				       : cache_push_small(c, size, p)))
		return false;
	heap_flip(p);
	return true;
}

/* True: p was a live block of this pool and is cached. */
CACHE_INLINE bool cache_free(struct cache *c, void *p)
{
	return cache_owns(c, p) && cache_is_live(c, p) && cache_free_live(c, p);
}

#include "cache_refill.h"

#endif
