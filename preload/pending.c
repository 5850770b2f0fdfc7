/* SPDX-License-Identifier: MIT */
/*
 * pending.c - weak stand-ins until call sites and images are in; then this file goes
 */
#include "site.h"

#include <stddef.h>

#define PENDING __attribute__((weak))
PENDING uint64_t site_init(const struct match_process *m)
{
	return 0;
}
PENDING uint64_t site_match(const struct site_frame *f, uint64_t want)
{
	return 0;
}
PENDING void site_modules_changed(void)
{
}
PENDING void site_module_closing(void *handle)
{
}
PENDING void site_module_closed(void)
{
}
PENDING void site_poll(void)
{
}
int image_lock_stack(int tid, size_t bytes);
int image_lock_stack_range(uintptr_t lo, uintptr_t hi);
int image_lock_object(const void *p);
PENDING int image_lock_stack(int tid, size_t bytes)
{
	return 0;
}
PENDING int image_lock_stack_range(uintptr_t lo, uintptr_t hi)
{
	return 0;
}
PENDING int image_lock_object(const void *p)
{
	return 0;
}
