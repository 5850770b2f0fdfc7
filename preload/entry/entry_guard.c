/* SPDX-License-Identifier: MIT */
/*
 * entry_guard.c - interposed calls by which a program would undo the library's work
 *
 * munlockall() would unlock the pools. RTLD_DEEPBIND would bind a plugin to glibc's
 * malloc and our free. mlockall() says that the program keeps its own memory warm. Each
 * function here does its own work first, then repairs the library's part.
 */
#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>

#include "os/next.h"
#include "os/sys.h"
#include "sites/site.h"
#include "entry.h"

static int entry_result(long ret)
{
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}
	return (int)ret;
}

EXPORT int mlockall(int flags)
{
	long ret = sys_call3(SYS_mlockall, flags, 0, 0);

	base_init();
	base_keep_pages();
	return entry_result(ret);
}

static void entry_relock(struct pool *p, void *arg)
{
	if (p->ready)
		area_relock(&p->area);
}

EXPORT int munlockall(void)
{
	long ret = sys_call3(SYS_munlockall, 0, 0, 0);

	pools_each(entry_relock, NULL);
	return entry_result(ret);
}

typedef void *dlopen_fn(const char *, int);
static dlopen_fn *entry_real_dlopen;

static __attribute__((noinline)) dlopen_fn *entry_find_dlopen(void)
{
	dlopen_fn *fn = (dlopen_fn *)next_function("dlopen");

	__atomic_store_n(&entry_real_dlopen, fn, __ATOMIC_RELAXED);
	return fn;
}

/* Every caller gets the same object for a path. So this function may stay on the stack,
 * and compile the new modules before the program can call into them. */
static __attribute__((noinline)) void *entry_dlopen_path(const char *file, int mode)
{
	void *handle = entry_find_dlopen()(file, mode);

	if (handle)
		site_modules_changed();
	return handle;
}

/*
 * dlopen() looks at its caller for RUNPATH: the real one is entered by a jump, so that it
 * sees the program. What such a call loaded is compiled by the helper.
 */
EXPORT void *dlopen(const char *file, int mode)
{
	dlopen_fn *fn = __atomic_load_n(&entry_real_dlopen, __ATOMIC_RELAXED);

	if (UNLIKELY(!fn))
		fn = entry_find_dlopen();
	mode &= ~RTLD_DEEPBIND;
	if (UNLIKELY(thread_asks_sites() && file && strchr(file, '/')))
		return entry_dlopen_path(file, mode);
	return fn(file, mode);
}

/* Another namespace has a libc of its own, and its objects are bound to that one. */
EXPORT void *dlmopen(Lmid_t space, const char *file, int mode)
{
	typedef void *fn(Lmid_t, const char *, int);
	fn *real = NEXT(fn, "dlmopen");

	if (space == LM_ID_BASE)
		mode &= ~RTLD_DEEPBIND;
	return real(space, file, mode);
}

EXPORT int dlclose(void *handle)
{
	typedef int fn(void *);
	static fn *real;
	int ret;

	if (UNLIKELY(!real))
		real = (fn *)next_function("dlclose");
	if (!thread_asks_sites())
		return real(handle);
	site_module_closing(handle);
	ret = real(handle);
	site_module_closed();
	return ret;
}
