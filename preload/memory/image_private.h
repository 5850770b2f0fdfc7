/* SPDX-License-Identifier: MIT */
/*
 * image_private.h - what the files that lock stacks share
 */
#ifndef IMAGE_PRIVATE_H
#define IMAGE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "area.h"

#define IMAGE_STACK_MAX (64UL << 20)

static inline uintptr_t image_page_of(uintptr_t p)
{
	return p & ~(AREA_PAGE - 1);
}

/* The page that `bytes` below `page` end in; 0, or more than are locked: the bound. */
static inline uintptr_t image_lowest(uintptr_t page, size_t bytes)
{
	if (bytes == 0 || bytes > IMAGE_STACK_MAX)
		bytes = IMAGE_STACK_MAX;
	return page > bytes ? image_page_of(page - bytes) : AREA_PAGE;
}

/*
 * The lowest page of the stack below `page`, not below `lowest`, that there is; touches
 * all of them, one by one: what lies below its guard is somebody else's. grow: also those
 * that the first thread's stack would grow by.
 */
uintptr_t image_touch_down(uintptr_t page, uintptr_t lowest, bool grow);

/* Where the stack that the kernel made for the process began. */
uintptr_t image_first_stack_end(void);

#endif
