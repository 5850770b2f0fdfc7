/* SPDX-License-Identifier: MIT */
/*
 * stats_page.c - see stats_page.h
 *
 * The file gets all of its memory before it is mapped, so that no store into it can fail.
 * It is sealed against shrinking, so that nobody can take the memory away. A child of
 * fork has neither the page nor the image. The program's mlockall does not lock them.
 */
#include "stats_page.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>

#include "os/sys.h"

/* Parts of the head that are ours; what lies between is written by readers, and by
 * stats_request.c. */
static const struct {
	size_t from, to;
} page_ours[] = {
	{offsetof(struct rtmem_stats_head, version),
		offsetof(struct rtmem_stats_head, sequence)},
	{offsetof(struct rtmem_stats_head, pid),
		offsetof(struct rtmem_stats_head, request)},
	{offsetof(struct rtmem_stats_head, reload_answered),
		sizeof(struct rtmem_stats_head)},
};

static int page_file(size_t size)
{
	/* not executable where the kernel knows of that; not past an exec */
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | 8u /* MFD_NOEXEC_SEAL */;
	int fd = (int)sys_call3(SYS_memfd_create, (long)RTMEM_STATS_FILE, (long)flags, 0);

	if (fd < 0)
		fd = (int)sys_call3(SYS_memfd_create, (long)RTMEM_STATS_FILE,
			MFD_CLOEXEC | MFD_ALLOW_SEALING, 0);
	if (fd < 0)
		return fd;
	if (sys_call3(SYS_fchmod, fd, 0600, 0) < 0 ||
		sys_call4(SYS_fallocate, fd, 0, 0, (long)size) < 0 ||
		sys_call3(SYS_fcntl, fd, F_ADD_SEALS,
			F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		sys_close(fd);
		return -1;
	}
	return fd;
}

static void *page_map(int fd, size_t size)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	long at = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (sys_is_error(at))
		return NULL;
	sys_munlock((void *)at, size);
	if (sys_madvise((void *)at, size, MADV_DONTFORK) < 0) {
		sys_munmap((void *)at, size);
		return NULL;
	}
	return (void *)at;
}

bool stats_page_make(struct stats_page *p, size_t size)
{
	*p = (struct stats_page){.size = size, .fd = page_file(size)};
	if (p->fd < 0)
		return false;
	p->shared = page_map(p->fd, size);
	p->image = p->shared ? page_map(-1, size) : NULL;
	if (!p->image)
		stats_page_drop(p);
	return p->image;
}

void stats_page_drop(struct stats_page *p)
{
	if (p->image)
		sys_munmap(p->image, p->size);
	if (p->shared)
		sys_munmap(p->shared, p->size);
	sys_close(p->fd);
	*p = (struct stats_page){.fd = -1};
}

static void page_copy(struct stats_page *p, size_t from, size_t to)
{
	memcpy((char *)p->shared + from, (const char *)p->image + from, to - from);
}

static void page_section(struct stats_page *p, const struct rtmem_stats_section *s)
{
	page_copy(p, s->at, s->at + (size_t)s->n * s->size);
}

void stats_page_write(struct stats_page *p)
{
	const struct rtmem_stats_head *h = p->image;

	/* one writer, under the thread lock. The fence: the odd number before the
	 * figures; pairs with the reader's second look */
	__atomic_store_n(&p->shared->sequence, ++p->sequence, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < sizeof(page_ours) / sizeof(*page_ours); i++)
		page_copy(p, page_ours[i].from, page_ours[i].to);
	page_section(p, &h->pool);
	page_section(p, &h->rule);
	page_section(p, &h->tag);
	page_section(p, &h->thread);
	page_section(p, &h->gone);
	/* release: the figures before the even number, and before the word by which
	 * readers know the page */
	__atomic_store_n(&p->shared->sequence, ++p->sequence, __ATOMIC_RELEASE);
	__atomic_store_n(&p->shared->magic, RTMEM_STATS_MAGIC, __ATOMIC_RELEASE);
}
