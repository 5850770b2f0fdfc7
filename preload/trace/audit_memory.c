/* SPDX-License-Identifier: MIT */
/*
 * audit_memory.c - the memory of an audit: the file, and behind it the book
 *
 * No store into it may fail: the file's pages are there before the first call is written
 * down (a file system that is full would end the program with SIGBUS), and the book is
 * shared memory, so that a fork makes no page of it copy-on-write.
 *
 * Never on the realtime path.
 */
#include <errno.h>
#include <sys/mman.h>

#include "os/sys.h"
#include "audit.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define MEMORY_BYTES (AUDIT_FILE_BYTES + AUDIT_BOOK_BYTES)

struct audit_book *audit_memory(struct audit_book *at)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED : 0);
	void *place = at ? audit_file_of(at) : NULL;
	long got = sys_mmap(place, MEMORY_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (sys_is_error(got))
		return NULL;
	/* the program's mlockall does not mean it */
	sys_munlock((void *)got, MEMORY_BYTES);
	sys_madvise((void *)got, MEMORY_BYTES, MADV_DONTNEED);
	sys_madvise((void *)got, MEMORY_BYTES, MADV_DONTDUMP);
	return (struct audit_book *)(got + (long)AUDIT_FILE_BYTES);
}

int audit_memory_map(struct audit_book *b, int fd)
{
	void *file = audit_file_of(b);
	long got = sys_mmap(b, AUDIT_BOOK_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	/* a thread that still writes there waits for the kernel, which holds the map */
	if (!sys_is_error(got))
		got = sys_mmap(file, AUDIT_FILE_BYTES, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED, fd, 0);
	if (sys_is_error(got)) {
		audit_memory(b);
		return (int)got;
	}
	sys_munlock(file, MEMORY_BYTES);
	sys_madvise(b, AUDIT_BOOK_BYTES, MADV_DONTDUMP);
	return 0;
}

bool audit_memory_can_fill(struct audit_book *b)
{
	return sys_madvise(audit_file_of(b), AREA_PAGE, MADV_POPULATE_WRITE) != -EINVAL;
}

int audit_memory_fill(struct audit_book *b)
{
	unsigned char *at = (unsigned char *)audit_file_of(b);
	int ret = sys_madvise(at, MEMORY_BYTES, MADV_POPULATE_WRITE);

	if (ret != -EINVAL)
		return ret;
	/* before Linux 5.14; the file has its memory since it was made. Atomic, the
	 * tables may be in use */
	for (size_t i = 0; i < MEMORY_BYTES; i += AREA_PAGE)
		__atomic_fetch_or(at + i, 0, __ATOMIC_RELAXED);
	return 0;
}
