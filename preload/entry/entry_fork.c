/* SPDX-License-Identifier: MIT */
/*
 * entry_fork.c - the function behind pthread_atfork(3)
 *
 * libc keeps pthread_atfork() in an archive, so every object that uses it has a copy. All
 * copies call this name.
 */
#include "atfork.h"
#include "entry.h"

EXPORT int __register_atfork(
	void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object)
{
	atfork_first();
	return atfork_register(prepare, parent, child, object);
}
