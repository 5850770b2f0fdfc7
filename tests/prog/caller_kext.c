/* SPDX-License-Identifier: MIT */
/* As kernel extensions use OSMalloc: a table that grows by allocating, copying and
 * freeing, a cache of objects for a path that may not block, names in blocks of one tag.
 */
/* libs: -Lbuild -lrtpreload */
#include <libkern/OSMalloc.h>
#include <stdlib.h>
#include <string.h>

#include "api_check.h"

static OSMallocTag tag;

/* There is no realloc: the caller knows the old size. */
static void *grow(void *old, uint32_t had, uint32_t size)
{
	void *p = OSMalloc(size, tag);

	if (p && old) {
		memcpy(p, old, had < size ? had : size);
		OSFree(old, had, tag);
	}
	return p;
}

static void table(void)
{
	uint32_t n = 0, room = 16;
	uint32_t *entry = (uint32_t *)grow(NULL, 0, room * 4);

	for (; n < 500000; n++) {
		if (n == room) {
			entry = (uint32_t *)grow(entry, room * 4, room * 2 * 4);
			room *= 2;
			CHECK(entry != NULL);
			if (!entry)
				return;
		}
		entry[n] = n;
	}
	for (uint32_t i = 0; i < n; i++)
		if (entry[i] != i)
			CHECK(!"what was copied");
	entry = (uint32_t *)grow(entry, room * 4, 40);
	CHECK(entry && entry[9] == 9);
	OSFree(entry, 40, tag);
}

struct request {
	struct request *next;
	char *name;
	uint32_t name_size;
};

static void requests(void)
{
	struct request *list = NULL, *r;
	unsigned n = 0;

	for (; n < 2000; n++) {
		r = (struct request *)OSMalloc_noblock(sizeof(*r), tag);
		if (!r) /* as they do: then with blocking */
			r = (struct request *)OSMalloc(sizeof(*r), tag);
		CHECK(r != NULL);
		memset(r, 0, sizeof(*r));
		r->name_size = 1 + n % 200;
		r->name = (char *)OSMalloc_nowait(r->name_size, tag);
		if (r->name)
			memset(r->name, 'n', r->name_size);
		r->next = list;
		list = r;
	}
	while ((r = list)) {
		list = r->next;
		if (r->name)
			OSFree(r->name, r->name_size, tag);
		OSFree(r, sizeof(*r), tag);
	}
}

int main(void)
{
	tag = OSMalloc_Tagalloc("com.example.kext", OSMT_DEFAULT);
	if (!tag)
		return 1;
	table();
	requests();
	OSMalloc_Tagfree(tag);
	tag = NULL;
	return api_failed;
}
