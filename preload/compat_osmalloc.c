/* SPDX-License-Identifier: MIT */
/*
 * compat_osmalloc.c - OSMalloc and kin, as declared in libkern/OSMalloc.h
 *
 * Sixteen bytes in front of each block say which tag and which size it was allocated
 * with, so that OSFree() can check what the caller claims. Before they are read, the
 * engine has confirmed that a live block begins there. Bound of the calls that never
 * block: compat_take().
 */
#include <libkern/OSMalloc.h>

#include <errno.h>

#include "compat.h"
#include "log.h"
#include "rtm.h"
#include "tag.h"

struct osm_front {
	struct tag *tag;
	uint32_t size;
	uint32_t seal; /* OSM_SEAL: the block is one of ours */
};

#define OSM_SEAL  0x4f534d54u /* OSMT */
#define OSM_FRONT sizeof(struct osm_front)

_Static_assert(OSM_FRONT == HEAP_ALIGN, "blocks stay aligned");

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

	if (__builtin_expect(!tag_valid(t), 0))
		log_misuse("panic: %s: %p is not a tag", call, (void *)tag);
	return t;
}

OSMallocTag OSMalloc_Tagalloc(const char *name, uint32_t flags)
{
	int saved = errno;
	struct tag *t = flags & ~(uint32_t)OSMT_PAGEABLE ? NULL : tag_create(name, flags);

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
	struct osm_front *f = NULL;
	int saved = errno;

	if (size)
		f = compat_take(c, wait ? osm_flags(wired) : 0, OSM_FRONT + size, wait);
	if (f) {
		*f = (struct osm_front){t, size, OSM_SEAL};
		tag_book(t, size);
	} else if (wait && size && osm_flags(wired) && size < RTM_TOTAL_MAX - OSM_FRONT &&
		   size < area_memory_available()) {
		log_once(
			"OSMalloc: no more memory could be wired: see RLIMIT_MEMLOCK and "
			"librtpreload(7)");
	}
	errno = saved;
	return f ? f + 1 : NULL;
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

void OSFree(void *addr, uint32_t size, OSMallocTag tag)
{
	struct tag *t = osm_tag(tag, "OSFree");
	struct osm_front *f = (struct osm_front *)((uintptr_t)addr - OSM_FRONT);
	struct pool *p = addr ? pools_find(addr) : NULL;
	enum heap_verdict v = p ? heap_check_pointer(p->heap, f) : HEAP_NOT_A_BLOCK;

	if (v == HEAP_DOUBLE_FREE)
		log_misuse("panic: OSFree: %p was freed already", addr);
	if (v != HEAP_OK || f->seal != OSM_SEAL)
		log_misuse("panic: OSFree: %p is not a block of OSMalloc", addr);
	if (f->tag != t)
		log_misuse("panic: OSFree: %p belongs to tag \"%s\", not \"%s\"", addr,
			tag_valid(f->tag) ? f->tag->name : "?", t->name);
	if (f->size != size)
		log_misuse("panic: OSFree: %p of tag \"%s\" has %u bytes, not %u", addr,
			t->name, f->size, size);
	f->seal = 0;
	tag_unbook(t, size);
	v = pool_free(p, f);
	if (v != HEAP_OK)
		pool_misuse(p, f, v);
}
