/* SPDX-License-Identifier: MIT */
/*
 * compat_osmalloc.c - OSMalloc and kin, as declared in libkern/OSMalloc.h
 *
 * A block is a pool's block, booked on a tag (tag_block.h) like those of rtmem.h.
 * OSFree() compares its arguments with the tag, after the engine has confirmed that a
 * live block begins there. Bound of the calls that never block: compat_take().
 */
#include <libkern/OSMalloc.h>

#include <errno.h>

#include "os/log.h"
#include "engine/tag_block.h"
#include "compat.h"
#include "rtm.h"

static struct compat_chain osm_wired = {.name = "OSMalloc"};
static struct compat_chain osm_pageable = {.name = "OSMalloc pageable"};

/* `allocator = no` is the person's word that nothing shall be locked. */
static unsigned osm_flags(bool wired)
{
	return wired && rtm_realtime()->allocator ? AREA_LOCK | AREA_REQUIRE | AREA_PIN
						  : 0;
}

static struct tag *osm_tag(OSMallocTag tag, const char *call)
{
	struct tag *t = (struct tag *)(void *)tag;

	if (__builtin_expect(!tag_valid(t) || t->kind != TAG_PROGRAM, 0))
		log_misuse("panic: %s: %p is not a tag", call, (void *)tag);
	return t;
}

OSMallocTag OSMalloc_Tagalloc(const char *name, uint32_t flags)
{
	int saved = errno;
	struct tag *t = flags & ~(uint32_t)OSMT_PAGEABLE
				? NULL
				: tag_create(name, TAG_PROGRAM, flags);

	if (t) {
		/* now, so that the calls that never block find something */
		compat_ready(&osm_wired, osm_flags(true));
		if (flags & OSMT_PAGEABLE)
			compat_ready(&osm_pageable, 0);
	}
	errno = saved;
	return (OSMallocTag)(void *)t;
}

void OSMalloc_Tagfree(OSMallocTag tag)
{
	struct tag *t = osm_tag(tag, "OSMalloc_Tagfree");
	uint64_t blocks = __atomic_load_n(&t->blocks, __ATOMIC_RELAXED);

	if (blocks)
		log_misuse("panic: OSMalloc_Tagfree: tag \"%s\" still has %lu blocks",
			t->name, (unsigned long)blocks);
	tag_delete(t);
}

static void *osm_alloc(uint32_t size, OSMallocTag tag, bool wait, const char *call)
{
	struct tag *t = osm_tag(tag, call);
	bool wired = !(t->flags & OSMT_PAGEABLE) || size < AREA_PAGE;
	struct compat_chain *c = wired ? &osm_wired : &osm_pageable;
	int saved = errno;
	void *p = NULL;

	if (size)
		p = compat_take(c, size, t, wait);
	if (!p && wait && size)
		compat_say_full(c, size);
	errno = saved;
	return p;
}

void *OSMalloc(uint32_t size, OSMallocTag tag)
{
	return osm_alloc(size, tag, true, "OSMalloc");
}

void *OSMalloc_noblock(uint32_t size, OSMallocTag tag)
{
	return osm_alloc(size, tag, false, "OSMalloc_noblock");
}

void *OSMalloc_nowait(uint32_t size, OSMallocTag tag)
{
	return osm_alloc(size, tag, false, "OSMalloc_nowait");
}

/* The tag of what has to be a block; there is no way back if it is none. */
static struct tag *osm_tag_of(struct pool *p, void *addr)
{
	enum heap_verdict v = p ? heap_check_pointer(p->heap, addr) : HEAP_NOT_A_BLOCK;
	struct tag *t = v == HEAP_OK ? tag_of(addr) : NULL;

	if (v == HEAP_DOUBLE_FREE)
		log_misuse("panic: OSFree: %p was freed already", addr);
	if (!t)
		log_misuse("panic: OSFree: %p is not a block of OSMalloc", addr);
	return t;
}

void OSFree(void *addr, uint32_t size, OSMallocTag tag)
{
	struct tag *t = osm_tag(tag, "OSFree"), *its;
	struct pool *p = addr ? pools_find(addr) : NULL;
	enum heap_verdict v;

	/* acquire: pairs with the release at the end of the commit */
	if (p && !__atomic_load_n(&p->ready, __ATOMIC_ACQUIRE))
		p = NULL;
	its = osm_tag_of(p, addr);
	if (its != t)
		log_misuse("panic: OSFree: %p belongs to tag \"%s\", not \"%s\"", addr,
			its->name, t->name);
	if (block_requested_of(addr) != size)
		log_misuse("panic: OSFree: %p of tag \"%s\" has %zu bytes, not %u", addr,
			t->name, block_requested_of(addr), size);
	v = pool_free(p, addr);
	if (v != HEAP_OK)
		pool_misuse(p, addr, v);
}
