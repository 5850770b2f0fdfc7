/* SPDX-License-Identifier: MIT */
/*
 * site_cfi.h - from .eh_frame to a recipe: how to get from one frame to its caller
 *
 * An interpreter of DWARF call frame information, as compilers emit it for x86-64. It
 * follows what a walk needs and nothing else: the CFA, the return address, rbp and rbx.
 * An instruction that it does not understand gives SITE_RECIPE_END. The walk ends there;
 * it never guesses. It reads only inside the bounds it is given, so damaged input cannot
 * make it read elsewhere. It runs a bounded number of operations, so it cannot loop.
 *
 * Realtime: yes. Bound: 32 probes and SITE_CFI_OPS operations.
 */
#ifndef SITE_CFI_H
#define SITE_CFI_H

#include <stdint.h>

#define SITE_CFI_OPS 16384

/*
 * A recipe is one word of SITE_RECIPE_BITS bits, so that it fits beside the class in one
 * table value:
 *   base   where the CFA comes from: SITE_BASE_*, 0 = the walk ends here
 *   offset CFA = base + 8 * offset, or the word at that address + 8 * add
 *   rbp, rbx  where the caller's value is: 0 unchanged, 1..126 at CFA - 8 * n, 127 lost,
 *          128 + n at rbp - 8 * n
 * The return address is always at CFA - 8.
 */
enum {
	SITE_BASE_END,
	SITE_BASE_RSP,
	SITE_BASE_RBP,
	SITE_BASE_RBX,
	SITE_BASE_DEREF = 4, /* | one of the three above */
};
#define SITE_SAVED_SAME	  0u
#define SITE_SAVED_LOST	  127u
#define SITE_SAVED_AT_RBP 128u

#define SITE_RECIPE_BITS 46
#define SITE_RECIPE_END	 0ull
#define SITE_RECIPE(base, offset, add, rbp, rbx)                                         \
	((uint64_t)(base) | ((uint64_t)(offset)&0x3fffff) << 3 | (uint64_t)(add) << 25 | \
		(uint64_t)(rbp) << 30 | (uint64_t)(rbx) << 38)
#define SITE_RECIPE_BASE(r) ((unsigned)((r)&7))
#define SITE_RECIPE_OFFSET(r) \
	((int32_t)((uint32_t)((r) >> 3) << 10) >> 10)	/* in words \
							 */
#define SITE_RECIPE_ADD(r) ((unsigned)((r) >> 25) & 31) /* in words */
#define SITE_RECIPE_RBP(r) ((unsigned)((r) >> 30) & 255)
#define SITE_RECIPE_RBX(r) ((unsigned)((r) >> 38) & 255)

/* Unwind data of one object: hdr is its PT_GNU_EH_FRAME, [lo, hi) readable around it. */
struct site_cfi {
	const uint8_t *hdr;
	const uint8_t *lo, *hi;
};

/* pc: an address inside the instruction (a return address - 1). */
uint64_t site_cfi_recipe(const struct site_cfi *c, uintptr_t pc);

#endif
