/* SPDX-License-Identifier: MIT */
/*
 * phys.c - contiguous memory: found, verified, kept through churn of the memory around it
 *
 *	phys		with CAP_SYS_ADMIN
 *	phys small	what can be had without
 *	phys range	between addresses where something is free, however low it lies
 *
 * Where nothing can be pinned there is none, but single pages, and phys_why() says so.
 */
#include "memory/phys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

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

/* Only where io_uring is forbidden, and then it is said; of what was reserved there may
 * be some all the same. */
static void refused(int ret, const struct phys_run *r)
{
	CHECK(ret == -ENOSPC && r->base == NULL);
	CHECK(!machine_pins());
	CHECK(phys_why() && strstr(phys_why(), "io_uring"));
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
	if (ret) {
		refused(ret, &r);
		return;
	}
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

	if ((status = phys_alloc(&w, &a, &r)) != 0) {
		if (status != -ENOSPC || machine_pins())
			maybe(w.size);
		else
			refused(status, &r);
		return;
	}
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

/* Free bytes between two addresses that a program could have, by zones: none of 0. */
static size_t free_in(uint64_t low, uint64_t high)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	unsigned long n, free_pages = 0, kept = 0, spanned = 0, bytes = 0;
	char line[256];

	while (f && fgets(line, sizeof line, f)) {
		const char *s = line + strspn(line, " ");

		if (sscanf(s, "pages free %lu", &n) == 1)
			free_pages = n, kept = 0;
		else if (sscanf(s, "high %lu", &n) == 1)
			kept += n;
		else if (sscanf(s, "spanned %lu", &n) == 1)
			spanned = n;
		else if (strncmp(s, "protection: (", 13) == 0)
			for (char *at = line + (s - line) + 13; *at; at++) {
				n = strtoul(at, &at, 10);
				kept = n > kept ? n + kept : kept;
			}
		else if (sscanf(s, "start_pfn: %lu", &n) == 1 && n << 12 >= low &&
			 (n + spanned) << 12 <= high && free_pages > kept)
			bytes += (free_pages - kept) << 12;
	}
	if (f)
		fclose(f);
	return bytes;
}

/* Below 4 GiB there is memory, or all of it is used: then that is the answer. */
static void range(uint64_t high)
{
	const size_t enough = 256UL << 20; /* that others do not take it meanwhile */
	struct phys_want w = {.size = 4096, .low = 0, .high = high, .align = 0};
	size_t before = free_in(0, high);
	struct phys_run r;
	struct area a;
	int ret = phys_alloc(&w, &a, &r);

	printf("below %lx: %d phys %lx, free there %zu MiB\n", high, ret, r.phys,
		before >> 20);
	if (ret == 0) {
		check_run(&r, &w);
		phys_free(&r);
	} else if (machine_pins()) {
		CHECK(ret == -ENOSPC);
		CHECK(before < enough || free_in(0, high) < enough);
	} else {
		refused(ret, &r);
	}
}

static void small_ones(void)
{
	struct phys_want w = {.size = 4096, .low = 0, .high = UINT64_MAX, .align = 0};
	static struct area area[17];
	static struct phys_run run[17];
	int ret;

	for (int i = 0; i < 16; i++) {
		CHECK(phys_alloc(&w, &area[i], &run[i]) == 0);
		CHECK(run[i].phys == PHYS_UNKNOWN && area[i].locked == 4096);
		memset(run[i].base, i, 4096);
	}
	w.size = 2 * MIB;
	ret = phys_alloc(&w, &area[16], &run[16]);
	if (machine_pins() && machine_has_thp()) {
		CHECK(ret == 0 && run[16].phys == PHYS_UNKNOWN);
		if (ret == 0)
			memset(run[16].base, 1, run[16].size);
	} else {
		CHECK((ret == -ENOSPC || ret == -EPERM) && phys_why());
	}
	for (int i = 0; i < 17; i++)
		phys_free(&run[i]);
	w.size = 2 * MIB + 1;
	CHECK(phys_alloc(&w, &area[0], &run[0]) == -EPERM && phys_why());
	w.size = 4096;
	w.high = 1UL << 32;
	CHECK(phys_alloc(&w, &area[0], &run[0]) == -EPERM && phys_why());
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "small") == 0) {
		small_ones();
		return failed;
	}
	if (argc > 1 && strcmp(argv[1], "range") == 0) {
		range(1UL << 32);
		return failed;
	}
	refusals();
	one(1, 0, UINT64_MAX, 0);
	one(4096, 0, UINT64_MAX, 0);
	one(64 << 10, 0, UINT64_MAX, 64 << 10);
	one(100000, 0, UINT64_MAX, 3 * 4096);
	if (machine_has_thp()) {
		one(MIB, 1UL << 24, UINT64_MAX, MIB);
		one(2 * MIB, 0, UINT64_MAX, 2 * MIB);
	}
	maybe(MIB);
	maybe(4 * MIB);
	maybe(16 * MIB);
	stays();
	return failed;
}
