/* SPDX-License-Identifier: MIT */
/*
 * pending.c - weak stand-ins until call sites are in; then this file goes
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
