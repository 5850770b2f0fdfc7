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

#include "os/child.h"
#include "os/lock.h"
#include "os/sys.h"
#include "memory/area.h"

static struct tag
	*tag_chunk[TAG_CHUNKS];		/* atomic: release once zeroed, acquire by all */
static unsigned tag_next[TAG_CHUNKS];	/* where the search for a free one goes on */
CHILD_DATA static struct lock tag_lock; /* held for a walk of the registry */
CHILD_DATA static bool tag_locked[TAG_CHUNKS]; /* in RAM; under the lock */
CHILD_DATA static struct lock tag_name_lock;   /* held while a rule's tag is looked for */
struct tag *tag_number[TAG_NUMBERS];
uint64_t tag_secret; /* written before the first chunk is seen */
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
	if (kind == TAG_PROGRAM)
		__atomic_store_n(&tag_made, true, __ATOMIC_RELAXED);
	/* release: all of it; pairs with tag_valid() */
	__atomic_store_n(&t->live, true, __ATOMIC_RELEASE);
}

static struct tag *tag_map(void)
{
	long got = sys_mmap(NULL, TAG_CHUNK * sizeof(struct tag), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return sys_is_error(got) ? NULL : (struct tag *)got;
}

void tag_lock_memory(void)
{
	uint32_t me = lock_tid();

	lock_acquire(&tag_lock, me);
	for (unsigned i = 0; i < TAG_CHUNKS && tag_chunk[i]; i++) {
		if (!tag_locked[i])
			area_lock_foreign(tag_chunk[i], TAG_CHUNK * sizeof(struct tag));
		tag_locked[i] = true;
	}
	lock_release(&tag_lock, me);
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

/* ---- numbers ---- */

/* Under the lock of names. The tag of this number, made if there is none. */
static struct tag *tag_make_numbered(unsigned number, const char *name)
{
	struct tag *t = tag_number[number];

	if (t)
		return t;
	t = tag_create(name, TAG_RULE, 0);
	if (!t)
		return NULL;
	t->number = (uint8_t)number;
	/* release: the tag before its address; pairs with tag_numbered() */
	__atomic_store_n(&tag_number[number], t, __ATOMIC_RELEASE);
	return t;
}

void tag_untagged(void)
{
	uint32_t me = lock_tid();

	if (tag_numbered(TAG_UNTAGGED))
		return;
	lock_acquire(&tag_name_lock, me);
	tag_make_numbered(TAG_UNTAGGED, "(untagged)");
	lock_release(&tag_name_lock, me);
}

uint8_t tag_rule(const char *name)
{
	unsigned number = TAG_UNTAGGED + 1;
	uint32_t me = lock_tid();
	const struct tag *t = NULL;

	tag_untagged();
	lock_acquire(&tag_name_lock, me);
	for (; !t && number < TAG_NUMBERS; number++) {
		if (!tag_number[number] ||
			!strncmp(tag_number[number]->name, name, TAG_NAME_MAX))
			t = tag_make_numbered(number, name);
		if (!tag_number[number])
			break;
	}
	lock_release(&tag_name_lock, me);
	return t ? t->number : TAG_UNTAGGED;
}

/* This many bytes were on it at one time. */
static void tag_saw(struct tag *t, uint64_t bytes)
{
	uint64_t peak = __atomic_load_n(&t->peak, __ATOMIC_RELAXED);

	/* relaxed, all of it: a figure. A retry means that another's was higher */
	while (peak < bytes && !__atomic_compare_exchange_n(&t->peak, &peak, bytes, true,
				       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static uint64_t tag_at_least_0(uint64_t sum)
{
	return sum >> 63 ? 0 : sum;
}

struct tag_figures tag_figures(struct tag *t, const struct tag_held *held)
{
	/* relaxed, all of it: figures. The parts are read one after the other, so for a
	 * moment the sum may be less than nothing */
	struct tag_figures f = {
		.blocks = __atomic_load_n(&t->blocks, __ATOMIC_RELAXED),
		.bytes = __atomic_load_n(&t->bytes, __ATOMIC_RELAXED),
	};

	if (t->kind == TAG_RULE) {
		f.blocks = tag_at_least_0(f.blocks + (uint64_t)held->blocks[t->number]);
		f.bytes = tag_at_least_0(f.bytes + (uint64_t)held->bytes[t->number]);
		tag_saw(t, f.bytes);
	}
	f.peak = __atomic_load_n(&t->peak, __ATOMIC_RELAXED);
	return f;
}

/* ---- booking ---- */

void tag_book(struct tag *t, size_t bytes)
{
	/* relaxed: a figure */
	__atomic_fetch_add(&t->blocks, 1, __ATOMIC_RELAXED);
	tag_rebook(t, 0, bytes);
}

void tag_rebook(struct tag *t, size_t had, size_t bytes)
{
	/* relaxed: a figure; a shrunken block adds what wraps to less */
	tag_saw(t, __atomic_add_fetch(&t->bytes, bytes - had, __ATOMIC_RELAXED));
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
	if (t->kind != TAG_LIBRARY)
		tag_empty(t);
}

void tag_child(void)
{
	lock_child(&tag_lock);
	lock_child(&tag_name_lock);
	for (unsigned i = 0; i < TAG_CHUNKS; i++)
		CHILD_SET(tag_locked[i], false); /* a child inherits no lock */
	tag_each(tag_empty_pools, NULL);
}
