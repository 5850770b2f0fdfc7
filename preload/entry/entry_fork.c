/* SPDX-License-Identifier: MIT */
/*
 * entry_fork.c - what pthread_atfork(3) calls, wherever it was compiled
 *
 * libc keeps that function in an archive, so a copy of it stands in every object that
 * uses it; this is the name they all come to.
 */
#include "atfork.h"
#include "entry.h"

EXPORT int __register_atfork(
	void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object)
{
	atfork_first();
	return atfork_register(prepare, parent, child, object);
}
