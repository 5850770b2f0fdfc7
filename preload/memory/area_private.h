/* SPDX-License-Identifier: MIT */
/*
 * area_private.h - what the area_*.c files share and nobody else sees
 *
 * The area lock serialises commits, the registry and fork. It is held through system
 * calls and no realtime thread ever takes it. Signals are blocked while it is held, so a
 * handler that forks cannot meet it held by its own thread.
 */
#ifndef AREA_PRIVATE_H
#define AREA_PRIVATE_H

#include "area.h"

#define AREA_MAX	256
#define AREA_CHUNK	(1UL << 20)
#define AREA_HUGE_CHUNK (2UL << 20)

/* Every area that exists; NULL entries are free. Under the area lock. */
extern struct area *area_all[AREA_MAX];

void area_acquire(uint64_t *signals);
void area_release_lock(const uint64_t *signals);
/* In the child of a fork: the lock is free. */
void area_lock_child(void);

/* A private mapping of size bytes that starts at a multiple of align, a power of two; or
 * a negative errno. flags: beyond MAP_PRIVATE | MAP_ANONYMOUS. */
long area_map_aligned(void *at, size_t size, size_t align, int prot, int flags);

/* Makes every page of the range present and writable; contents are kept. */
int area_populate(unsigned char *start, size_t len);
/* Locks as many pages of the range as the limit allows, from its start. *error: why not
 * all, 0 if all. */
size_t area_lock_pages(unsigned char *start, size_t len, int *error);

/* Pins what can be pinned of a range that was just committed; adds to a->pinned. */
void area_pin(struct area *a, unsigned char *start, size_t len);
/* io_uring is refused: nothing will ever be pinned. Opens a ring to find out, once. */
bool area_pin_forbidden(void);
void area_unpin(const struct area *a);
void area_pin_child(void);

/* Holds libc's list of streams still; false: not with this libc. */
bool area_streams_hold(void);
void area_streams_let_go(bool in_child);
/* keep() is told every range that libc reads in a child; false as soon as it says so. */
bool area_streams_each(bool (*keep)(const void *start, size_t len));

/* -ENOMEM when populating `bytes` would make the kernel kill somebody. */
int area_check_memory(size_t bytes);

#endif
