/* SPDX-License-Identifier: MIT */
/*
 * site_read.h - reading bytes that may be damaged: a cursor that stops at its end
 *
 * Reading past the end gives 0 and sets `bad`; callers look at `bad` where it matters,
 * once. Bound: every function is O(bytes read), LEB128 at most 10.
 */
#ifndef SITE_READ_H
#define SITE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct site_reader {
	const uint8_t *p, *end;
	bool bad;
};

/* n bytes, 1..8, little-endian. */
static inline uint64_t site_read(struct site_reader *r, unsigned n)
{
	uint64_t v = 0;

	if ((size_t)(r->end - r->p) < n) {
		r->bad = true;
		r->p = r->end;
		return 0;
	}
	__builtin_memcpy(&v, r->p, n);
	r->p += n;
	return v;
}

static inline uint8_t site_read8(struct site_reader *r)
{
	return (uint8_t)site_read(r, 1);
}

static inline uint32_t site_read32(struct site_reader *r)
{
	return (uint32_t)site_read(r, 4);
}

static inline void site_skip(struct site_reader *r, uint64_t n)
{
	if ((uint64_t)(r->end - r->p) < n) {
		r->bad = true;
		n = (uint64_t)(r->end - r->p);
	}
	r->p += n;
}

static inline uint64_t site_uleb(struct site_reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t b = site_read8(r);

		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	r->bad = true;
	return 0;
}

static inline int64_t site_sleb(struct site_reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t b = site_read8(r);

		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			if (shift + 7 < 64 && (b & 0x40))
				v |= ~0ull << (shift + 7);
			return (int64_t)v;
		}
	}
	r->bad = true;
	return 0;
}

#endif
