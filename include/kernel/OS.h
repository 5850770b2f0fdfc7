/* SPDX-License-Identifier: MIT */
/*
 * OS.h - of the kernel's header of BeOS and Haiku, what our headers speak of: where and
 * how the memory of a pool is to be, and the calling thread
 *
 * Values are those of BeOS R5 and Haiku. See rtmem_compat(3).
 */
#ifndef KERNEL_OS_H
#define KERNEL_OS_H

#include "../rtmem_decl.h"
#include "../support/SupportDefs.h"

/* Where an area is to be. */
#define B_ANY_ADDRESS		   0 /* anywhere */
#define B_EXACT_ADDRESS		   1 /* exactly there */
#define B_BASE_ADDRESS		   2 /* there or higher */
#define B_CLONE_ADDRESS		   3 /* only for clone_area(): refused */
#define B_ANY_KERNEL_ADDRESS	   4 /* anywhere: there is no kernel space to be in */
#define B_ANY_KERNEL_BLOCK_ADDRESS 5 /* the same, of huge pages where they can be had */
#define B_RANDOMIZED_ANY_ADDRESS   6 /* Haiku: anywhere, as it is everywhere */
#define B_RANDOMIZED_BASE_ADDRESS  7 /* Haiku: there or higher */

/* How it is locked. */
#define B_NO_LOCK	    0
#define B_LAZY_LOCK	    1 /* as pages are touched: all are, as far as the limits allow */
#define B_FULL_LOCK	    2 /* all of it, or no pool */
#define B_CONTIGUOUS	    3 /* all of it, in one piece of RAM, or no pool */
#define B_LOMEM		    4 /* B_CONTIGUOUS below 16 MiB, or no pool */
#define B_32_BIT_FULL_LOCK  5 /* Haiku: below 4 GiB; B_32_BIT_CONTIGUOUS, as there */
#define B_32_BIT_CONTIGUOUS 6 /* Haiku: B_CONTIGUOUS below 4 GiB, or no pool */

/*
 * What others may do with it. The maker of a pool always reads and writes. 0, or only
 * bits of the kernel: nobody else. Any other bit (B_EXECUTE_AREA) cannot be had here.
 */
#define B_READ_AREA	    1
#define B_WRITE_AREA	    2
#define B_KERNEL_READ_AREA  0x10  /* Haiku: drivers, which are programs here */
#define B_KERNEL_WRITE_AREA 0x20  /* Haiku */
#define B_CLONEABLE_AREA    0x100 /* others may have it at all: rtm_area_descriptor() */

#ifndef B_NAME_NOT_FOUND
#define B_NAME_NOT_FOUND (-ESRCH)
#endif

RTM_BEGIN_DECLS

/*
 * The calling thread, as media_realtime_init_thread() takes it.
 *
 * name  NULL, as in the examples of the Media Kit.
 *
 * Returns what gettid(2) does;
 *   B_NAME_NOT_FOUND  name is not NULL: threads are not looked for by name
 * Realtime: yes; one system call. Threads: any. Source: Be Book, Kernel Kit, find_thread.
 */
RTM_API thread_id rtm_find_thread(const char *name);

RTM_END_DECLS

#ifndef RTM_NO_OS
#define find_thread rtm_find_thread
#endif

#endif
