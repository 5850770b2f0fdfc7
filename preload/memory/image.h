/* SPDX-License-Identifier: MIT */
/*
 * image.h - memory of the program itself that a realtime thread touches: stacks, code and
 * data of objects
 *
 * Realtime: no (any of these). What the limit allows is locked, from the start of each
 * range; the rest is at least read in. 0, or the negative errno of what fell short.
 * Never writes to the memory, never changes its protection, keeps errno.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The calling thread's stack: what is in use, and `bytes` more below it, as far as the
 * stack goes (never beyond its guard; the main thread's grows within RLIMIT_STACK). bytes
 * 0: all that is mapped now. tid: 0 or the caller's; -ESRCH for another's, whose range
 * only its creator knows. At most 64 MiB.
 */
int image_lock_stack(pid_t tid, size_t bytes);

/* Another thread's stack, lowest address and end, as recorded when it was created; not
 * beyond its guard. */
int image_lock_stack_range(void *lo, void *hi);

/*
 * Another thread's: as image_lock_stack(), seen from outside while it sleeps. -EAGAIN: it
 * never does. -EFAULT: it is on a stack that is not the one libc knows (a coroutine's, or
 * a thread that libc did not make).
 */
int image_lock_other_stack(pid_t tid, size_t bytes);

/*
 * All segments of the object that addr lies in: text, read-only data, data, bss. -ENOENT
 * when it lies in none.
 */
int image_lock_object(const void *addr);

/*
 * pin_process = yes: pins what a fork elsewhere would make fault again: the small private
 * writable mappings that are there now (globals, heap), and `bytes` of the stack that
 * begins at stack_hi (0: none). Again when a thread is matched: only what is new is
 * added.
 */
void image_pin_process(uintptr_t stack_hi, size_t bytes);
/* After fork, in the child: nothing is pinned. */
void image_pin_child(void);

/* What the realtime path uses of this library itself: code and data. Once a process. */
void image_lock_library(void);

#endif
