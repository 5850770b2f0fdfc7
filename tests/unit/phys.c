/* SPDX-License-Identifier: MIT */
/* Contiguous memory: found, verified, kept through churn of the memory around it. Needs
 * CAP_SYS_ADMIN; with the argument "small" it checks what can be had without. */
#include "phys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;
#define CHECK(expr)                                                                \
	do {                                                                       \
		if (!(expr)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr); \
			failed = 1;                                                \
		}                                                                  \
	} while (0)

#define MIB (1UL << 20)

static void check_run(const struct phys_run *r, const struct phys_want *w)
{
	for (size_t at = 0; at < r->size; at += AREA_PAGE) {
		uint64_t phys = 0;

		CHECK(phys_address(r->base + at, &phys) == 0 && phys == r->phys + at);
		if (failed)
			return;
	}
	CHECK(r->phys >= w->low && r->phys + r->size <= w->high);
	CHECK(r->phys % (w->align ? w->align : AREA_PAGE) == 0);
	CHECK(r->size >= w->size && r->size < w->size + AREA_PAGE);
	CHECK((uintptr_t)r->base % AREA_PAGE == 0);
}

static void one(size_t size, uint64_t low, uint64_t high, uint64_t align)
{
	struct phys_want w = {.size = size, .low = low, .high = high, .align = align};
	struct phys_run r;
	struct area a;
	int ret = phys_alloc(&w, &a, &r);

	printf("%zu KiB align %lu: %d source %d phys %lx%s%s\n", size >> 10, align, ret,
		(int)r.source, r.phys, phys_why() ? " " : "",
		phys_why() ? phys_why() : "");
	CHECK(ret == 0);
	if (ret)
		return;
	memset(r.base, 0x5a, r.size);
	check_run(&r, &w);
	phys_free(&r);
	CHECK(r.base == NULL);
}

/* Whether the machine has that much in one piece is its own affair; a lie is not. */
static void maybe(size_t size)
{
	struct phys_want w = {.size = size, .low = 0, .high = UINT64_MAX, .align = 0};
	struct phys_run r;
	struct area a;
	int ret = phys_alloc(&w, &a, &r);

	CHECK(ret == 0 || (ret == -ENOSPC && r.base == NULL));
	if (ret == 0) {
		check_run(&r, &w);
		phys_free(&r);
	}
}

/* A fork, writes on both sides of it, and memory pressure beside: nothing moves. */
static void stays(void)
{
	struct phys_want w = {.size = 4 * MIB, .low = 0, .high = UINT64_MAX, .align = 0};
	struct phys_run r;
	struct area a;
	int status = 1;
	pid_t pid;

	CHECK(phys_alloc(&w, &a, &r) == 0);
	if (failed)
		return;
	memset(r.base, 1, r.size);
	pid = fork();
	if (pid == 0)
		_exit(0);
	memset(r.base, 2, r.size);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	FILE *f = fopen("/proc/sys/vm/compact_memory", "w");
	if (f) {
		fputs("1", f);
		fclose(f);
	}
	check_run(&r, &w);
	phys_free(&r);
}

static void refusals(void)
{
	struct phys_want w = {.size = 0, .low = 0, .high = UINT64_MAX, .align = 0};
	struct phys_run r;
	struct area a;
	uint64_t phys;

	CHECK(phys_alloc(&w, &a, &r) == -EINVAL);
	w.size = 4096;
	w.align = 100;
	CHECK(phys_alloc(&w, &a, &r) == -EINVAL);
	w.align = 0;
	w.low = 10;
	w.high = 5;
	CHECK(phys_alloc(&w, &a, &r) == -EINVAL);
	w.low = 1UL << 51; /* no machine has memory there */
	w.high = 1UL << 52;
	CHECK(phys_alloc(&w, &a, &r) == -ENOSPC && r.base == NULL);
	w.low = 0;
	w.high = 4096;
	w.size = 8192;
	CHECK(phys_alloc(&w, &a, &r) == -ENOSPC);
	w.high = UINT64_MAX;
	w.size = 1UL << 46;
	CHECK(phys_alloc(&w, &a, &r) == -ENOSPC);
	CHECK(phys_address((void *)16, &phys) == -EFAULT);
}

int main(int argc, char **argv)
{
	struct phys_want w = {.size = 2 * MIB, .low = 0, .high = UINT64_MAX, .align = 0};
	struct phys_run r;
	struct area a;

	if (argc > 1) {
		CHECK(phys_alloc(&w, &a, &r) == 0 && r.phys == PHYS_UNKNOWN);
		memset(r.base, 1, r.size);
		phys_free(&r);
		w.size = 2 * MIB + 1;
		CHECK(phys_alloc(&w, &a, &r) == -EPERM && phys_why());
		w.size = 4096;
		w.high = 1UL << 32;
		CHECK(phys_alloc(&w, &a, &r) == -EPERM && phys_why());
		return failed;
	}
	refusals();
	one(1, 0, UINT64_MAX, 0);
	one(4096, 0, UINT64_MAX, 0);
	one(64 << 10, 0, UINT64_MAX, 64 << 10);
	one(100000, 0, UINT64_MAX, 3 * 4096);
	one(MIB, 1UL << 24, UINT64_MAX, MIB);
	one(2 * MIB, 0, UINT64_MAX, 2 * MIB);
	one(4 * MIB, 0, UINT64_MAX, 0);
	maybe(16 * MIB);
	stays();
	return failed;
}
