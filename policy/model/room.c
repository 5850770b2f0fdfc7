/* SPDX-License-Identifier: MIT */
/*
 * room.c - see room.h
 *
 * A group may use its limit for page cache that the kernel drops at once when somebody
 * asks for memory. That counts as left.
 */
#include "room.h"

#include <stdint.h>
#include <string.h>

/* Page tables, and what others take between the look and the touch. */
#define ROOM_SPARE (512UL << 10)
#define ROOM_SHIFT 6		     /* 1/64 */
#define ROOM_NONE  ((size_t)1 << 60) /* version 1 says "none" as a number near 2^63 */

struct names {
	const char *limit, *used, *cache; /* cache: a line of memory.stat */
};

static const struct names names_v1 = {
	"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "};
static const struct names names_v2 = {"memory.max", "memory.current", "inactive_file "};

size_t room_number(const char *s)
{
	size_t n = 0;

	if (s == NULL || *s < '0' || *s > '9')
		return SIZE_MAX;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (size_t)(*s - '0'), &n))
			return SIZE_MAX;
	return n;
}

const char *room_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text != NULL && *text) {
		if (strncmp(text, key, len) == 0)
			return text + len + strspn(text + len, " \t");
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

size_t room_needed(size_t bytes)
{
	return bytes ? bytes + (bytes >> ROOM_SHIFT) + ROOM_SPARE : 0;
}

bool room_has_memory(const char *list, size_t len)
{
	for (size_t n; len; list += n, len -= n) {
		const char *comma = memchr(list, ',', len);

		n = comma ? (size_t)(comma - list) : len;
		if (n == 6 && memcmp(list, "memory", 6) == 0)
			return true;
		n += comma != NULL;
	}
	return false;
}

/* A line is "ID:CONTROLLERS:PATH". One that is cut short has no end, and does not count.
 */
bool room_own_group(const char *text, bool v2, char *out, size_t size)
{
	const char *end;

	for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		const char *list = memchr(text, ':', (size_t)(end - text));
		const char *path =
			list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;
		size_t len = path ? (size_t)(end - path - 1) : size;

		if (len >= size ||
			(v2 ? path != list + 1
			    : !room_has_memory(list + 1, (size_t)(path - list - 1))))
			continue;
		memcpy(out, path + 1, len);
		out[len] = '\0';
		return true;
	}
	return false;
}

/* The text of a file in the group at path, whose length is len; "" when there is none. */
static const char *read_file(
	struct room *r, char *path, size_t size, size_t len, const char *name)
{
	size_t n = strlen(name) + 1;

	r->text[0] = '\0';
	if (n >= size - len)
		return r->text;
	path[len] = '/';
	memcpy(path + len + 1, name, n);
	if (r->read(r->arg, path, r->text, sizeof(r->text)) <= 0)
		r->text[0] = '\0';
	path[len] = '\0';
	return r->text;
}

static void look_at(
	struct room *r, char *path, size_t size, size_t len, const struct names *n)
{
	size_t limit = room_number(read_file(r, path, size, len, n->limit));
	size_t used, cache, left;

	if (limit >= ROOM_NONE)
		return;
	used = room_number(read_file(r, path, size, len, n->used));
	cache = room_number(
		room_value(read_file(r, path, size, len, "memory.stat"), n->cache));
	used = used == SIZE_MAX ? 0 : used;
	cache = cache == SIZE_MAX ? 0 : cache;
	used = used > cache ? used - cache : 0;
	left = limit > used ? limit - used : 0;
	if (left < r->left)
		r->left = left;
	if (limit < r->limit) {
		r->limit = limit;
		r->len = len;
	}
}

void room_look(struct room *r, char *path, size_t size, size_t mount, bool v2)
{
	size_t len = strlen(path);

	for (;;) {
		while (len > mount && path[len - 1] == '/')
			len--;
		path[len] = '\0';
		look_at(r, path, size, len, v2 ? &names_v2 : &names_v1);
		if (len <= mount)
			return;
		while (len > mount && path[len - 1] != '/')
			len--;
	}
}
