// SPDX-License-Identifier: MIT
/*
 * site_cfi.c - finds the frame description of an address (.eh_frame_hdr, .eh_frame)
 *
 * Linear tables, "eh" augmentations and 64-bit DWARF are not read: no compiler for x86-64
 * Linux has written them for twenty years, and .eh_frame_hdr would not be sorted either.
 */
#include "site_cfi.h"

#include "site_cfi_private.h"

#define ENC_OMIT    0xff
#define ENC_TABLE   0x3b /* datarel | sdata4: what every linker writes */
#define ENC_PCREL   0x10
#define ENC_INDIR   0x80
#define REG_RA	    16
#define LENGTH_DW64 0xffffffffu

/* A pointer encoded as enc, read at r->p. Only the kinds that appear in frames. */
static uint64_t encoded(struct site_reader *r, unsigned enc)
{
	uint64_t base = (enc & 0x70) == ENC_PCREL ? (uintptr_t)r->p : 0;
	uint64_t v;

	if ((enc & 0x70) > ENC_PCREL || (enc & ENC_INDIR))
		r->bad = true;
	switch (enc & 0x0f) {
	case 0x00:
	case 0x04:
	case 0x0c:
		v = site_read(r, 8);
		break;
	case 0x02:
		v = site_read(r, 2);
		break;
	case 0x0a:
		v = (uint64_t)(int16_t)site_read(r, 2);
		break;
	case 0x03:
		v = site_read32(r);
		break;
	case 0x0b:
		v = (uint64_t)(int64_t)(int32_t)site_read32(r);
		break;
	default:
		r->bad = true;
		return 0;
	}
	return base + v;
}

uint64_t site_cfi_pointer(struct site_reader *r, unsigned enc)
{
	return encoded(r, enc);
}

/* The CIE at p: its augmentation, factors and initial instructions. */
static bool read_cie(struct site_reader r, struct site_cie *cie)
{
	uint32_t len = site_read32(&r);
	const char *aug;
	uint8_t version;

	if (r.bad || len >= LENGTH_DW64 || len > (size_t)(r.end - r.p))
		return false;
	r.end = r.p + len;
	if (site_read32(&r) != 0)
		return false;
	version = site_read8(&r);
	aug = (const char *)r.p;
	while (site_read8(&r))
		;
	cie->code_align = site_uleb(&r);
	cie->data_align = site_sleb(&r);
	if (r.bad || (version != 1 && version != 3) ||
		(version == 1 ? site_read8(&r) : site_uleb(&r)) != REG_RA)
		return false;
	cie->encoding = 0;
	cie->signal = false;
	cie->sized = *aug == 'z';
	if (cie->sized) {
		uint64_t n = site_uleb(&r);
		struct site_reader a = r;

		site_skip(&r, n);
		a.end = r.p;
		while (*++aug && !a.bad) {
			if (*aug == 'R')
				cie->encoding = site_read8(&a);
			else if (*aug == 'P')
				encoded(&a, site_read8(&a) & 0x0f);
			else if (*aug == 'L')
				site_read8(&a);
			else if (*aug == 'S')
				cie->signal = true;
			else if (*aug != 'B')
				return false;
		}
		if (a.bad)
			return false;
	} else if (*aug) {
		return false;
	}
	cie->init = r;
	return !r.bad;
}

/* The FDE at r, when it covers pc: its CIE, where it begins, its instructions. */
static bool read_fde(struct site_reader r, const uint8_t *lo, uintptr_t pc,
	struct site_cie *cie, uint64_t *start)
{
	uint32_t len = site_read32(&r);
	const uint8_t *id = r.p;
	struct site_reader c = r;
	uint32_t back;
	uint64_t n;

	if (r.bad || len >= LENGTH_DW64 || len > (size_t)(r.end - r.p))
		return false;
	r.end = r.p + len;
	back = site_read32(&r);
	if (r.bad || back == 0 || back > (size_t)(id - lo))
		return false;
	c.p = id - back;
	if (!read_cie(c, cie))
		return false;
	*start = encoded(&r, cie->encoding);
	n = encoded(&r, cie->encoding & 0x0f);
	if (r.bad || pc - *start >= n)
		return false;
	if (cie->sized)
		site_skip(&r, site_uleb(&r));
	cie->code = r;
	return !r.bad;
}

/* Binary search in .eh_frame_hdr: the FDE that may cover pc, or NULL. */
static const uint8_t *find_fde(const struct site_cfi *c, uintptr_t pc)
{
	struct site_reader r = {.p = c->hdr, .end = c->hi};
	uint8_t version = site_read8(&r), frame_enc = site_read8(&r);
	uint8_t count_enc = site_read8(&r), table_enc = site_read8(&r);
	const uint8_t *base = c->hdr;
	uint64_t count, lo = 0, hi;
	int64_t off = (int64_t)pc - (int64_t)(uintptr_t)base;
	int32_t entry[2];

	if (version != 1 || table_enc != ENC_TABLE || count_enc == ENC_OMIT)
		return NULL;
	if (frame_enc != ENC_OMIT)
		encoded(&r, frame_enc);
	count = encoded(&r, count_enc);
	if (r.bad || count == 0 || count > (size_t)(r.end - r.p) / sizeof entry)
		return NULL;
	hi = count;
	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;

		__builtin_memcpy(entry, r.p + mid * sizeof entry, sizeof entry);
		if (entry[0] <= off)
			lo = mid;
		else
			hi = mid;
	}
	__builtin_memcpy(entry, r.p + lo * sizeof entry, sizeof entry);
	if (entry[0] > off || entry[1] < c->lo - base || entry[1] >= c->hi - base)
		return NULL;
	return base + entry[1];
}

uint64_t site_cfi_recipe(const struct site_cfi *c, uintptr_t pc)
{
	struct site_reader r = {.end = c->hi};
	struct site_cie cie;
	uint64_t start;

	if (!c->hdr || c->hdr < c->lo || c->hdr >= c->hi)
		return SITE_RECIPE_END;
	r.p = find_fde(c, pc);
	if (!r.p || !read_fde(r, c->lo, pc, &cie, &start) || cie.signal)
		return SITE_RECIPE_END;
	return site_cfi_run(&cie, start, pc);
}
