/* SPDX-License-Identifier: MIT */
/*
 * site_here.h - the calling thread as the library announces one: its stack, and walks of
 * its own
 */
#ifndef SITE_HERE_H
#define SITE_HERE_H

#include "sites/site.h"
#include "sites/site_thread.h"

static inline void site_here(void)
{
	static __thread struct site_walked *walks;

	site_thread_here();
	site_walks_make(&walks);
	site_thread_walks(walks);
}

#endif
