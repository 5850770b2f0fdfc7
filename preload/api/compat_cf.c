/* SPDX-License-Identifier: MIT */
/*
 * compat_cf.c - objects: their memory, type and reference count
 *
 * Objects are in slots of chunks, and chunks are only added. So a pointer is checked
 * before it is followed; the bound of the check is CF_CHUNKS. Only making an object takes
 * a lock.
 */
#include "compat_cf.h"

#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "os/child.h"
#include "os/lock.h"
#include "os/log.h"
#include "os/sys.h"
#include "rtm.h"

#define CF_SEAL 0x43466f62u

/* ---- where objects stand ---- */

#define CF_CHUNK  64U /* objects */
#define CF_CHUNKS 64U
#define CF_SLOT	  ((size_t)CF_MAX_SIZE) /* bytes of an object of any type */

static unsigned char
	*cf_chunk[CF_CHUNKS];	       /* atomic: release once there, acquire by all */
static unsigned cf_next[CF_CHUNKS];    /* where the search for a free one goes on */
CHILD_DATA static struct lock cf_lock; /* held for a walk over the slots */

/* Under the lock. Of the slots that are free, the one that has been so for longest: what
 * somebody still holds is recognised as nothing for as long as can be. */
static struct cf_object *cf_free_in(unsigned i)
{
	for (unsigned n = 0; n < CF_CHUNK; n++) {
		struct cf_object *o =
			(struct cf_object *)(void *)(cf_chunk[i] +
						     cf_next[i]++ % CF_CHUNK * CF_SLOT);

		if (!o->seal)
			return o;
	}
	return NULL;
}

static bool cf_map(unsigned i)
{
	long got = sys_mmap(NULL, CF_CHUNK * CF_SLOT, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (sys_is_error(got))
		return false;
	/* release: pairs with cf_object() */
	__atomic_store_n(&cf_chunk[i], (unsigned char *)got, __ATOMIC_RELEASE);
	return true;
}

static void cf_child(void)
{
	lock_child(&cf_lock);
}

void *cf_make(enum cf_type type, size_t size, void (*destroy)(struct cf_object *))
{
	struct cf_object *o = NULL;
	uint32_t me = lock_tid();

	rtm_begin(cf_child);
	lock_acquire(&cf_lock, me);
	for (unsigned i = 0; !o && i < CF_CHUNKS; i++) {
		if (!cf_chunk[i] && !cf_map(i))
			break;
		o = cf_free_in(i);
	}
	if (o) {
		memset(o, 0, size);
		*o = (struct cf_object){.type = type, .refs = 1, .destroy = destroy};
		/* release: the object before its seal; pairs with cf_object() */
		__atomic_store_n(&o->seal, CF_SEAL, __ATOMIC_RELEASE);
	}
	lock_release(&cf_lock, me);
	return o;
}

void cf_free(struct cf_object *o)
{
	/* release: pairs with the acquire of the thread that takes the slot next */
	__atomic_store_n(&o->seal, 0, __ATOMIC_RELEASE);
}

static struct cf_object *cf_object(const void *object)
{
	for (unsigned i = 0; i < CF_CHUNKS; i++) {
		/* acquire: pairs with cf_map() */
		const unsigned char *c = __atomic_load_n(&cf_chunk[i], __ATOMIC_ACQUIRE);
		uintptr_t off = (uintptr_t)object - (uintptr_t)c;
		struct cf_object *o = (struct cf_object *)(uintptr_t)object;

		if (!c)
			break;
		if (off < CF_CHUNK * CF_SLOT)
			/* acquire: pairs with cf_make() */
			return off % CF_SLOT == 0 && __atomic_load_n(&o->seal,
							     __ATOMIC_ACQUIRE) == CF_SEAL
				       ? o
				       : NULL;
	}
	return NULL;
}

/* ---- any object ---- */

bool cf_is(const void *object, enum cf_type type)
{
	const struct cf_object *o = cf_object(object);

	return o && o->type == type;
}

bool cf_is_object(const void *object)
{
	return cf_object(object) != NULL;
}

/* A literal lies in an object that is loaded; what does not is not read. */
static bool cf_is_literal(const void *p)
{
	const size_t len = sizeof(RTM_CF_CONSTANT) - 1;
	struct dl_find_object o;

	return _dl_find_object((void *)(uintptr_t)p, &o) == 0 &&
	       (uintptr_t)o.dlfo_map_end - (uintptr_t)p > len &&
	       memcmp(p, RTM_CF_CONSTANT, len) == 0;
}

static bool cf_is_no_allocator(const void *p)
{
	return p == (const void *)RTM_CF_ALLOCATOR_NULL ||
	       p == (const void *)RTM_CF_ALLOCATOR_MALLOC;
}

bool cf_is_constant(const void *object)
{
	return cf_is_no_allocator(object) || cf_is_literal(object);
}

bool cf_is_allocator(rtm_cf_allocator_ref a)
{
	return !a || cf_is_no_allocator(a) || cf_is(a, CF_ALLOCATOR);
}

rtm_cf_type rtm_cf_retain(rtm_cf_type object)
{
	struct cf_object *o = cf_object(object);

	if (o)
		/* relaxed: who retains has a reference already */
		__atomic_fetch_add(&o->refs, 1, __ATOMIC_RELAXED);
	return object;
}

void rtm_cf_release(rtm_cf_type object)
{
	struct cf_object *o = cf_object(object);
	int64_t left;

	if (!o) {
		if (object && !cf_is_constant(object))
			log_misuse("CFRelease: %p is not an object", object);
		return;
	}
	/* acq_rel: what others did with it before they let go, before it is destroyed */
	left = __atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL);
	if (left < 0) /* an allocator that only waits for its blocks */
		log_misuse("CFRelease: %p was released already", object);
	if (left == 0)
		o->destroy(o);
}

long rtm_cf_count(rtm_cf_type object)
{
	struct cf_object *o = cf_object(object);

	if (!o)
		return object && cf_is_constant(object) ? LONG_MAX : 0;
	return __atomic_load_n(&o->refs, __ATOMIC_RELAXED);
}

unsigned long rtm_cf_type_id(rtm_cf_type object)
{
	const struct cf_object *o = cf_object(object);

	if (o)
		return (unsigned long)o->type;
	return cf_is_no_allocator(object)	 ? CF_ALLOCATOR
	       : object && cf_is_literal(object) ? CF_STRING
						 : 0;
}
