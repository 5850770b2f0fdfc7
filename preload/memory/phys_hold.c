/* SPDX-License-Identifier: MIT */
/*
 * phys_hold.c - takes the memory that the kernel would hand out before that of a range
 *
 * The pages are allocated to files without a name and never touched, so that the kernel
 * need not clear them: 20 GiB take some two seconds. Files, because nothing else gives
 * pages that are not cleared. Each is mapped by one page, and its descriptor closed.
 *
 * Others are served from lower zones meanwhile; what they are left is watched. Bound:
 * HOLD_PIECES, and the memory of the zones above.
 */
#include "phys_find.h"

#include <errno.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "os/fd_table.h"
#include "os/sys.h"

#define HOLD_PIECES 4096UL
#define HOLD_MOST   (256UL << 20) /* bytes of a piece */
#define HOLD_LEAST  (1UL << 20)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

struct hold_piece {
	size_t bytes;
	void *at; /* a page of address space */
};

/* Where descriptors may be opened (fd_table.h). */
static int hold_piece(void *arg)
{
	const struct hold_piece *p = arg;
	int fd = (int)sys_call3(
		SYS_memfd_create, (long)"rtmem", MFD_CLOEXEC | MFD_NOEXEC_SEAL, 0);
	long ret;

	if (fd == -EINVAL)
		fd = (int)sys_call3(SYS_memfd_create, (long)"rtmem", MFD_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	ret = sys_call4(SYS_fallocate, fd, 0, 0, (long)p->bytes);
	if (ret == 0)
		ret = sys_mmap(
			p->at, AREA_PAGE, PROT_NONE, MAP_SHARED | MAP_FIXED, fd, 0);
	sys_close(fd);
	return sys_is_error(ret) ? (int)ret : 0;
}

/* A file larger than the limit would bring SIGXFSZ. */
static size_t hold_most(void)
{
	struct rlimit rl = {RLIM_INFINITY, RLIM_INFINITY};

	sys_call4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&rl);
	return rl.rlim_cur < HOLD_MOST ? rl.rlim_cur : HOLD_MOST;
}

/* Smaller pieces the nearer the end is; 0: it is reached. */
static size_t hold_next(size_t above, size_t most)
{
	size_t bytes = above / 2 < HOLD_LEAST ? above : above / 2;

	return (bytes < most ? bytes : most) & ~(AREA_PAGE - 1);
}

void phys_hold(struct phys_hold *h, const struct phys_want *w, size_t spare)
{
	struct phys_free before, now;
	size_t most = hold_most();
	struct hold_piece p;
	long map;

	*h = (struct phys_hold){0};
	if (sys_restricted() || !phys_zone_free(w, &now) || now.above == 0)
		return;
	map = sys_mmap(NULL, HOLD_PIECES * AREA_PAGE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_is_error(map))
		return;
	h->map = (unsigned char *)map;
	while (h->pieces < HOLD_PIECES && area_memory_available() > spare + most) {
		before = now;
		p.bytes = hold_next(now.above, most);
		p.at = h->map + h->pieces * AREA_PAGE;
		if (p.bytes == 0 || fd_table_run(hold_piece, &p) < 0)
			break;
		/* in a child it would hold the memory for nothing */
		sys_madvise(p.at, AREA_PAGE, MADV_DONTFORK);
		h->pieces++;
		phys_zone_free(w, &now);
		/* the kernel serves this process from the range already */
		if (now.inside < before.inside &&
			before.inside - now.inside > p.bytes / 2)
			break;
	}
}

void phys_hold_drop(struct phys_hold *h)
{
	if (h->map)
		sys_munmap(h->map, HOLD_PIECES * AREA_PAGE);
	*h = (struct phys_hold){0};
}
