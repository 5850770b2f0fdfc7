/* SPDX-License-Identifier: MIT */
/*
 * compat_cf.c - reference counts, numbers and dictionaries of options
 *
 * Objects stand in slots of chunks that are only added, and so any pointer can be told
 * from one of them before it is followed. Bound of that: CF_CHUNKS. Making one takes a
 * lock; nothing else here does.
 */
#include "compat_cf.h"

#include <string.h>
#include <sys/mman.h>

#include "lock.h"
#include "log.h"
#include "sys.h"

#define CF_SEAL	 0x43466f62u
#define CF_PAIRS 8

struct rtm_cf_number {
	struct cf_object object;
	double value;
};

struct rtm_cf_dictionary {
	struct cf_object object;
	long n;
	const char *key[CF_PAIRS];
	const void *value[CF_PAIRS];
};

/* ---- where objects stand ---- */

#define CF_CHUNK  64U /* objects */
#define CF_CHUNKS 64U
#define CF_SLOT	  ((size_t)CF_MAX_SIZE) /* bytes of one, whatever its type */

static unsigned char
	*cf_chunk[CF_CHUNKS];	    /* atomic: release once there, acquire by all */
static unsigned cf_next[CF_CHUNKS]; /* where the search for a free one goes on */
static struct lock cf_lock;	    /* held for a walk over the slots */

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

void *cf_make(enum cf_type type, size_t size, void (*destroy)(struct cf_object *))
{
	struct cf_object *o = NULL;
	uint32_t me = lock_tid();

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
	/* release: whoever takes the slot next sees nothing of ours afterwards */
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

void cf_child(void)
{
	cf_lock.word = 0;
}

/* ---- any object ---- */

bool cf_is(const void *object, enum cf_type type)
{
	const struct cf_object *o = cf_object(object);

	return o && o->type == type;
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
		if (object)
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

	return o ? __atomic_load_n(&o->refs, __ATOMIC_RELAXED) : 0;
}

unsigned long rtm_cf_type_id(rtm_cf_type object)
{
	const struct cf_object *o = cf_object(object);

	return o ? (unsigned long)o->type : 0;
}

/* ---- numbers and dictionaries ---- */

rtm_cf_number_ref rtm_cf_number(
	rtm_cf_allocator_ref allocator, int type, const void *value)
{
	struct rtm_cf_number *n;
	double v;

	(void)allocator;
	if (!value)
		return NULL;
	switch (type) {
	case RTM_CF_INT32:
		v = *(const int32_t *)value;
		break;
	case RTM_CF_INT64:
		v = (double)*(const int64_t *)value;
		break;
	case RTM_CF_FLOAT:
		v = (double)*(const float *)value;
		break;
	case RTM_CF_DOUBLE:
		v = *(const double *)value;
		break;
	default:
		return NULL;
	}
	n = cf_make(CF_NUMBER, sizeof(*n), cf_free);
	if (n)
		n->value = v;
	return n;
}

static void cf_destroy_dictionary(struct cf_object *o)
{
	struct rtm_cf_dictionary *d = (struct rtm_cf_dictionary *)(void *)o;

	for (long i = 0; i < d->n; i++)
		rtm_cf_release(d->value[i]);
	cf_free(o);
}

rtm_cf_dictionary_ref rtm_cf_dictionary(rtm_cf_allocator_ref allocator, const void **keys,
	const void **values, long n, const void *key_calls, const void *value_calls)
{
	struct rtm_cf_dictionary *d;

	(void)allocator, (void)key_calls, (void)value_calls;
	if (n < 0 || n > CF_PAIRS || (n && (!keys || !values)))
		return NULL;
	d = cf_make(CF_DICTIONARY, sizeof(*d), cf_destroy_dictionary);
	if (!d)
		return NULL;
	d->n = n;
	for (long i = 0; i < n; i++) {
		d->key[i] = keys[i];
		d->value[i] = rtm_cf_retain(values[i]);
	}
	return d;
}

bool cf_option(rtm_cf_dictionary_ref options, const char *key, double *out, bool *number)
{
	for (long i = 0; i < options->n; i++) {
		if (!options->key[i] || strcmp(options->key[i], key))
			continue;
		*number = cf_is(options->value[i], CF_NUMBER);
		if (*number)
			*out = ((const struct rtm_cf_number *)options->value[i])->value;
		return true;
	}
	return false;
}
