/* SPDX-License-Identifier: MIT */
/*
 * image.c - lock the stack of a thread and the segments of an object
 *
 * The end of a stack is found by asking the kernel to populate page by page: it refuses
 * at the guard without a signal. pthread_getattr_np() would allocate and, for the main
 * thread, read /proc with stdio. Bound: IMAGE_STACK_MAX bytes of a stack.
 */
#include "image.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "os/loader.h"
#include "os/sys.h"
#include "area.h"
#include "image_private.h"

extern void *__libc_stack_end; /* the loader's: where the main thread's stack began */

uintptr_t image_first_stack_end(void)
{
	return (uintptr_t)__libc_stack_end;
}

/*
 * Makes the page below the main thread's mapping exist. A write by the kernel extends the
 * stack as a write of ours would, but is answered with EFAULT where that would be
 * SIGSEGV.
 */
static bool grow_main_stack(uintptr_t page)
{
	return sys_call3(SYS_getcpu, (long)page, 0, 0) == 0;
}

uintptr_t image_touch_down(uintptr_t page, uintptr_t lowest, bool grow)
{
	while (page > lowest) {
		uintptr_t next = page - AREA_PAGE;
		int ret = sys_madvise((void *)next, AREA_PAGE, MADV_POPULATE_WRITE);

		if (ret == -ENOMEM && grow && grow_main_stack(next))
			ret = 0;
		if (ret < 0)
			break;
		page = next;
	}
	return page;
}

/* Where the part of the stack that is in use ends; its last page is touched already. */
static uintptr_t stack_top(uintptr_t here, bool main_thread)
{
	uintptr_t top =
		(uintptr_t)(main_thread ? __libc_stack_end : __builtin_thread_pointer());

	if (top < here || top - here > IMAGE_STACK_MAX)
		top = here;
	return image_page_of(top) + AREA_PAGE;
}

__attribute__((noinline)) int image_lock_stack(pid_t tid, size_t bytes)
{
	uintptr_t here = image_page_of((uintptr_t)__builtin_frame_address(0)), low, top;
	pid_t self = sys_gettid();
	bool main_thread = self == sys_getpid();

	if (tid != 0 && tid != self)
		return -ESRCH;
	if (sys_restricted())
		return -EPERM;
	top = stack_top(here, main_thread);
	low = image_lowest(here, bytes);
	low = image_touch_down(here, low, main_thread && bytes != 0);
	return area_lock_foreign((void *)low, top - low);
}

int image_lock_stack_range(void *lo, void *hi)
{
	uintptr_t end = image_page_of((uintptr_t)hi + AREA_PAGE - 1), low;

	if (hi < lo)
		return -EINVAL;
	/* it may have been asked for more than there is above its guard */
	low = image_touch_down(end, image_page_of((uintptr_t)lo), false);
	return low < end ? area_lock_foreign((void *)low, end - low) : -EFAULT;
}

struct object_search {
	uintptr_t addr;
	int result;
};

static bool holds(const struct dl_phdr_info *o, const ElfW(Phdr) * s, uintptr_t addr)
{
	return s->p_type == PT_LOAD && addr - (o->dlpi_addr + s->p_vaddr) < s->p_memsz;
}

static int lock_if_it_holds(struct dl_phdr_info *o, size_t size, void *arg)
{
	struct object_search *search = arg;
	bool found = false;

	for (int i = 0; i < o->dlpi_phnum && !found; i++)
		found = holds(o, &o->dlpi_phdr[i], search->addr);
	if (!found)
		return 0;
	search->result = 0;
	for (int i = 0; i < o->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &o->dlpi_phdr[i];
		int ret = 0;

		if (s->p_type == PT_LOAD)
			ret = area_lock_foreign(
				(void *)(o->dlpi_addr + s->p_vaddr), s->p_memsz);
		if (ret < 0 && search->result == 0)
			search->result = ret;
	}
	return 1;
}

int image_lock_object(const void *addr)
{
	struct object_search search = {(uintptr_t)addr, -ENOENT};

	loader_each(lock_if_it_holds, &search);
	return search.result;
}
