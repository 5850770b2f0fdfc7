/* SPDX-License-Identifier: MIT */
/*
 * area_pin.c - pages that nothing in the kernel moves, merges or write-protects
 *
 * mlock keeps a page in RAM but not in place: fork, page merging and compaction still
 * make its next access fault. A long-term pin stops all three. The kernel gives one to
 * the fixed buffers of an io_uring, unprivileged and inside RLIMIT_MEMLOCK:
 *
 *	1. a ring of one entry, created disabled: it never carries a request
 *	2. a sparse table of buffers, one slot per chunk; each chunk that fits is pinned
 *	3. one page of the ring is mapped, not inherited by children; then the descriptor
 *	   is closed: the mapping alone keeps the ring and the pins
 *
 * One ring per commit, because nobody holds the descriptor afterwards. Tried, never
 * required: containers and hardened kernels forbid io_uring. Pins are charged to the
 * user, locks to the process. Bound: PIN_MAX rings.
 */
#include "area.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "os/child.h"
#include "os/fd_table.h"
#include "os/sys.h"
#include "area_private.h"

#define PIN_MAX	  1024
#define PIN_SLOTS 16384UL /* the kernel's limit of a table */

/* Under the area lock. ring == NULL: free. */
static struct {
	const struct area *area;
	void *ring;
} rings[PIN_MAX];
CHILD_DATA static int rings_used; /* from here on all have always been free */

/* The kernel said never; asked once. */
static bool forbidden;

struct pin_request {
	unsigned char *start;
	size_t len, chunk;
	size_t pinned; /* out: bytes from start */
	void *ring;    /* out */
};

static long ring_register(int fd, unsigned what, const void *arg, unsigned n)
{
	return sys_call4(SYS_io_uring_register, fd, (long)what, (long)arg, (long)n);
}

static long pin_chunk(int fd, unsigned slot, unsigned char *start, size_t len)
{
	struct iovec buffer = {start, len};
	struct io_uring_rsrc_update2 update = {
		.offset = slot,
		.data = (uintptr_t)&buffer,
		.nr = 1,
	};

	return ring_register(fd, IORING_REGISTER_BUFFERS_UPDATE, &update, sizeof update);
}

static void pin_chunks(int fd, struct pin_request *r)
{
	struct io_uring_rsrc_register table = {
		.nr = (unsigned)((r->len + r->chunk - 1) / r->chunk),
		.flags = IORING_RSRC_REGISTER_SPARSE,
	};
	long ret = ring_register(fd, IORING_REGISTER_BUFFERS2, &table, sizeof table);

	/* the first chunk that is refused is the limit: the rest stays as it is */
	for (unsigned slot = 0; ret >= 0 && r->pinned < r->len; slot++) {
		size_t left = r->len - r->pinned;
		size_t len = left < r->chunk ? left : r->chunk;

		ret = pin_chunk(fd, slot, r->start + r->pinned, len);
		if (ret >= 0)
			r->pinned += len;
		sys_breathe();
	}
}

/* Runs where descriptors may be opened (fd_table.h). Negative errno: io_uring is refused.
 */
static int pin_range(void *arg)
{
	struct pin_request *r = arg;
	struct io_uring_params params = {.flags = IORING_SETUP_R_DISABLED};
	int fd = (int)sys_call3(SYS_io_uring_setup, 1, (long)&params, 0);
	long map;

	if (fd < 0)
		return fd;
	map = sys_mmap(NULL, AREA_PAGE, PROT_READ, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	if (!sys_is_error(map)) {
		/* in a child it would hold the parent's pages for nothing */
		if (sys_madvise((void *)map, AREA_PAGE, MADV_DONTFORK) == 0)
			pin_chunks(fd, r);
		if (r->pinned > 0)
			r->ring = (void *)map;
		else
			sys_munmap((void *)map, AREA_PAGE);
	}
	sys_close(fd);
	return sys_is_error(map) ? (int)map : 0;
}

/* A ring is refused for good, not for lack of something. */
static bool refused(int error)
{
	return error == -ENOSYS || error == -EPERM || error == -EACCES ||
	       error == -EINVAL;
}

/* Says whether a ring can be had, and gives it back. */
static int pin_ask(void *arg)
{
	struct io_uring_params params = {.flags = IORING_SETUP_R_DISABLED};
	int fd = (int)sys_call3(SYS_io_uring_setup, 1, (long)&params, 0);

	if (fd < 0)
		return fd;
	sys_close(fd);
	return 0;
}

bool area_pin_forbidden(void)
{
	static bool allowed;
	int ret;

	if (sys_restricted() || forbidden)
		return true;
	if (allowed)
		return false;
	ret = fd_table_run(pin_ask, NULL);
	if (refused(ret))
		forbidden = true;
	allowed = ret == 0;
	return forbidden;
}

static int free_slot(void)
{
	for (int i = 0; i < PIN_MAX; i++)
		if (rings[i].ring == NULL)
			return i;
	return -1;
}

void area_pin(struct area *a, unsigned char *start, size_t len)
{
	struct pin_request r = {.start = start, .len = len, .chunk = AREA_CHUNK};
	int slot = free_slot(), ret;

	if (sys_restricted() || forbidden || slot < 0 || len == 0)
		return;
	while (len > r.chunk * PIN_SLOTS)
		r.chunk *= 2;
	ret = fd_table_run(pin_range, &r);
	if (refused(ret))
		forbidden = true;
	if (r.ring == NULL)
		return;
	rings[slot].ring = r.ring;
	rings[slot].area = a;
	if (slot >= rings_used)
		rings_used = slot + 1;
	a->pinned += r.pinned;
}

size_t area_pin_foreign(void *start, size_t len)
{
	static struct area foreign;
	size_t before;
	uint64_t signals;

	area_acquire(&signals);
	before = foreign.pinned;
	area_pin(&foreign, start, len);
	len = foreign.pinned - before;
	area_release_lock(&signals);
	return len;
}

void area_unpin(const struct area *a)
{
	for (int i = 0; i < rings_used; i++) {
		if (rings[i].ring == NULL || rings[i].area != a)
			continue;
		sys_munmap(rings[i].ring, AREA_PAGE);
		rings[i].ring = NULL;
	}
}

void area_pin_child(void)
{
	/* MADV_DONTFORK: the mappings are not there */
	for (int i = 0; i < rings_used; i++)
		rings[i].ring = NULL;
}
