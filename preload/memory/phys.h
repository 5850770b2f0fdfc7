/* SPDX-License-Identifier: MIT */
/*
 * phys.h - memory that is contiguous in RAM, between two physical addresses, aligned
 * there
 *
 * Nobody outside the kernel can ask for physical addresses; they can be looked up. So
 * memory is populated, looked at, and what lies together is moved together: huge pages
 * that were reserved, transparent huge pages, then ordinary pages. What is found is
 * locked, pinned (so that nothing moves it later), and looked up once more before it is
 * returned.
 *
 * Looking up takes CAP_SYS_ADMIN. Without it at most 2 MiB can be had, with no limits:
 * the kernel says of a page whether it is part of a huge one.
 *
 * Never called on the realtime path. Bound: phys.c says how much is populated to find
 * something; it takes seconds for tens of MiB.
 */
#ifndef PHYS_H
#define PHYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "area.h"

#define PHYS_HUGE    (2UL << 20)
#define PHYS_UNKNOWN UINT64_MAX

enum phys_source { PHYS_PAGES, PHYS_THP, PHYS_HUGETLB, PHYS_GIGANTIC };

struct phys_want {
	size_t size;	    /* bytes, > 0; rounded up to pages */
	uint64_t low, high; /* all of it at or above low and below high */
	uint64_t align;	    /* multiple of 4096; 0: 4096 */
	bool inherit;	    /* the child of a fork has a copy: not of hugetlbfs */
	void *at; /* where it shall be in the address space, a multiple of 4096, if that
		   * is free; NULL: anywhere */
	bool exactly; /* there or not at all */
};

struct phys_run {
	unsigned char *base; /* what was asked for */
	size_t size;
	uint64_t phys; /* physical address of base; PHYS_UNKNOWN without the privilege */
	enum phys_source source;
	struct area *area; /* the mapping around it, with its locks and pins */
};

/*
 * area: filled in; it has to stay where it is until phys_free() or area_release(), which
 * both give the memory back. 0, or a negative errno:
 *	-EINVAL  the range is empty or the alignment is no multiple of a page
 *	-ENOSPC  no memory that lies so was found (or it could not be locked)
 *	-ENOMEM  the address space of the process has no room, or not where it shall be
 *	-EPERM   it takes a privilege or a setting; phys_why() says which
 * Keeps errno.
 */
int phys_alloc(const struct phys_want *want, struct area *area, struct phys_run *out);
void phys_free(struct phys_run *run);

/* Physical address of a byte that is present; -EPERM, -EFAULT. */
int phys_address(const void *p, uint64_t *out);
/* Reads n entries of the page map, from the page of base on. 0 or negative errno. */
int phys_entries(const void *base, size_t n, uint64_t *out);
/* Is all of it mapped by huge pages? Takes no privilege; Linux 6.7. */
int phys_is_huge(const void *base, size_t len);

#define PHYS_PRESENT	(1ULL << 63)
#define PHYS_PFN(entry) ((entry) & ((1ULL << 55) - 1))
#define PHYS_PAGE_SHIFT 12

/* What was missing at the last -EPERM or -ENOSPC of this thread; a literal, or NULL. */
const char *phys_why(void);

#endif
