/* SPDX-License-Identifier: MIT */
/*
 * tag.c - the registry of tags
 *
 * Tags stand in chunks that are only added; a tag that was deleted is reused only when
 * all of its chunk's others have been used since. Creating and deleting take a lock;
 * booking and looking up do not.
 */
#include "tag.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "lock.h"
#include "sys.h"

static struct tag
	*tag_chunk[TAG_CHUNKS];	      /* atomic: release once zeroed, acquire by all */
static unsigned tag_next[TAG_CHUNKS]; /* where the search for a free one goes on */
static struct lock tag_lock;	      /* held for a walk of the registry */
uint64_t tag_secret;		      /* written before the first chunk is seen */
bool tag_made;

static uint64_t tag_random(void)
{
	const void *from = (const void *)getauxval(AT_RANDOM); /* not aligned */
	uint64_t r[2] = {(uintptr_t)&r, 0};

	if (from)
		memcpy(r, from, sizeof(r));
	return r[1] ^ r[0] * 0x9e3779b97f4a7c15UL;
}

/* Under the lock. */
static struct tag *tag_free_in(unsigned i)
{
	for (unsigned n = 0; n < TAG_CHUNK; n++) {
		struct tag *t = &tag_chunk[i][tag_next[i]++ % TAG_CHUNK];

		if (!t->live) {
			t->index =
				(uint16_t)(i * TAG_CHUNK + (unsigned)(t - tag_chunk[i]));
			return t;
		}
	}
	return NULL;
}

static struct tag *tag_take(struct tag *fresh, bool *used)
{
	for (unsigned i = 0; i < TAG_CHUNKS; i++) {
		struct tag *t;

		if (!tag_chunk[i]) {
			if (!fresh)
				return NULL;
			if (i == 0)
				tag_secret = tag_random();
			__atomic_store_n(&tag_made, true, __ATOMIC_RELAXED);
			/* release: pairs with the acquires below */
			__atomic_store_n(&tag_chunk[i], fresh, __ATOMIC_RELEASE);
			*used = true;
		}
		t = tag_free_in(i);
		if (t)
			return t;
	}
	return NULL;
}

static void tag_fill(struct tag *t, const char *name, enum tag_kind kind, uint32_t flags)
{
	*t = (struct tag){.index = t->index, .kind = kind, .flags = flags};
	if (name)
		memcpy(t->name, name, strnlen(name, TAG_NAME_MAX));
	/* release: all of it; pairs with tag_valid() */
	__atomic_store_n(&t->live, true, __ATOMIC_RELEASE);
}

static struct tag *tag_map(void)
{
	long got = sys_mmap(NULL, TAG_CHUNK * sizeof(struct tag), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return sys_is_error(got) ? NULL : (struct tag *)got;
}

struct tag *tag_create(const char *name, enum tag_kind kind, uint32_t flags)
{
	struct tag *t, *fresh = NULL;
	uint32_t me = lock_tid();
	bool used = false;

	lock_acquire(&tag_lock, me);
	t = tag_take(NULL, &used);
	if (t)
		tag_fill(t, name, kind, flags);
	lock_release(&tag_lock, me);
	if (t)
		return t;
	fresh = tag_map();
	lock_acquire(&tag_lock, me);
	t = tag_take(fresh, &used);
	if (t)
		tag_fill(t, name, kind, flags);
	lock_release(&tag_lock, me);
	if (fresh && !used)
		sys_munmap(fresh, TAG_CHUNK * sizeof(*fresh));
	return t;
}

void tag_delete(struct tag *t)
{
	/* release: pairs with tag_valid() */
	__atomic_store_n(&t->live, false, __ATOMIC_RELEASE);
}

bool tag_valid(const struct tag *t)
{
	for (unsigned i = 0; i < TAG_CHUNKS; i++) {
		/* acquire: pairs with tag_take() */
		const struct tag *c = __atomic_load_n(&tag_chunk[i], __ATOMIC_ACQUIRE);
		uintptr_t off = (uintptr_t)t - (uintptr_t)c;

		if (!c)
			return false;
		if (off < TAG_CHUNK * sizeof(*c))
			/* acquire: pairs with tag_fill() */
			return off % sizeof(*c) == 0 &&
			       __atomic_load_n(&t->live, __ATOMIC_ACQUIRE);
	}
	return false;
}

struct tag *tag_at(uint64_t index)
{
	struct tag *c;

	if (index >= TAG_CHUNK * TAG_CHUNKS)
		return NULL;
	/* acquire: pairs with tag_take() and tag_fill() */
	c = __atomic_load_n(&tag_chunk[index / TAG_CHUNK], __ATOMIC_ACQUIRE);
	return c && __atomic_load_n(&c[index % TAG_CHUNK].live, __ATOMIC_ACQUIRE)
		       ? &c[index % TAG_CHUNK]
		       : NULL;
}

void tag_book(struct tag *t, size_t bytes)
{
	/* relaxed: a figure */
	__atomic_fetch_add(&t->blocks, 1, __ATOMIC_RELAXED);
	tag_rebook(t, 0, bytes);
}

void tag_rebook(struct tag *t, size_t had, size_t bytes)
{
	uint64_t now, peak;

	/* relaxed, all of it: figures; a shrunken block adds what wraps to less */
	now = __atomic_add_fetch(&t->bytes, bytes - had, __ATOMIC_RELAXED);
	peak = __atomic_load_n(&t->peak, __ATOMIC_RELAXED);
	while (peak < now && !__atomic_compare_exchange_n(&t->peak, &peak, now, true,
				     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

void tag_unbook(struct tag *t, size_t bytes)
{
	/* relaxed: figures */
	__atomic_fetch_sub(&t->bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&t->blocks, 1, __ATOMIC_RELAXED);
}

void tag_each(void (*fn)(struct tag *, void *), void *arg)
{
	for (unsigned i = 0; i < TAG_CHUNKS; i++) {
		/* acquire: pairs with tag_take() */
		struct tag *c = __atomic_load_n(&tag_chunk[i], __ATOMIC_ACQUIRE);

		for (unsigned k = 0; c && k < TAG_CHUNK; k++)
			/* acquire: pairs with tag_fill() */
			if (__atomic_load_n(&c[k].live, __ATOMIC_ACQUIRE))
				fn(&c[k], arg);
	}
}

void tag_empty(struct tag *t)
{
	t->blocks = t->bytes = t->peak = 0;
}

static void tag_empty_pools(struct tag *t, void *arg)
{
	if (t->kind == TAG_PROGRAM)
		tag_empty(t);
}

void tag_child(void)
{
	tag_lock.word = 0;
	tag_each(tag_empty_pools, NULL);
}
