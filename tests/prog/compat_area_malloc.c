/* SPDX-License-Identifier: MIT */
/* A client of the area_malloc module as its document describes it, each failure provoked.
 * With an argument: one misuse, which has to end the program with one line; or "limit",
 * "map FD OFFSET WRITABLE" (the other process of the sharing test). */
/* libs: -Lbuild -lrtpreload */
#include <drivers/area_malloc.h>
#include <fcntl.h>
#include <pthread.h>
#include <rtmem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/machine.h"
#include "api_check.h"

#define RW  (B_READ_AREA | B_WRITE_AREA)
#define MIB (1UL << 20)

static area_malloc_module_info *m;

static int pools_now;

static void count(rtm_pool *pool, void *arg)
{
	(void)arg;
	pools_now += !strcmp(rtm_pool_name(pool), "area_malloc");
}

static int pools(void)
{
	pools_now = 0;
	rtm_each_pool(count, NULL);
	return pools_now;
}

static void module(void)
{
	module_info *info = NULL, *again = NULL;
	const void *mine, *plain;

	CHECK(get_module(NULL, &info) == B_BAD_VALUE);
	CHECK(get_module(B_AREA_MALLOC_MODULE_NAME, NULL) == B_BAD_VALUE);
	CHECK(get_module("generic/none/v1", &info) == B_ENTRY_NOT_FOUND && !info);
	CHECK(put_module(NULL) == B_BAD_VALUE);
	CHECK(put_module(B_AREA_MALLOC_MODULE_NAME) == B_ENTRY_NOT_FOUND);
	CHECK(get_module(B_AREA_MALLOC_MODULE_NAME, &info) == B_OK && info);
	CHECK(get_module(B_AREA_MALLOC_MODULE_NAME, &again) == B_OK && again == info);
	CHECK(!strcmp(info->name, B_AREA_MALLOC_MODULE_NAME) && info->std_ops(1) == B_OK);
	m = (area_malloc_module_info *)info;
	mine = m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW);
	plain = rtm_area_create_pool(NULL, B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW);
	CHECK(mine && plain && pools() == 2);
	CHECK(put_module(B_AREA_MALLOC_MODULE_NAME) == B_OK && pools() == 2);
	CHECK(m->malloc(mine, 10) != NULL);
	CHECK(&m->minfo == info && m->minfo.flags == 0);
	CHECK(put_module(B_AREA_MALLOC_MODULE_NAME) == B_OK && pools() == 1);
	CHECK(m->delete_pool(mine) == B_ERROR);
	CHECK(rtm_area_delete_pool(plain) == B_OK && pools() == 0);
	CHECK(get_module(B_AREA_MALLOC_MODULE_NAME, &info) == B_OK);
}

static void specifications(void)
{
	struct rtm_stats st;
	const void *p;

	CHECK(!m->create_pool(B_ANY_ADDRESS, 0, B_FULL_LOCK, RW));
	CHECK(!m->create_pool(B_ANY_ADDRESS, SIZE_MAX, B_FULL_LOCK, RW));
	CHECK(!m->create_pool(B_EXACT_ADDRESS, MIB, B_FULL_LOCK, RW)); /* which one? */
	CHECK(!m->create_pool(B_CLONE_ADDRESS, MIB, B_FULL_LOCK, RW));
	CHECK(!m->create_pool(8, MIB, B_FULL_LOCK, RW));
	CHECK(!m->create_pool(B_ANY_ADDRESS, MIB, 7, RW));
	CHECK(!m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW | 4));
	for (uint32 where = B_ANY_ADDRESS; where <= B_ANY_KERNEL_BLOCK_ADDRESS; where++)
		for (uint32 lock = B_NO_LOCK; lock <= B_CONTIGUOUS; lock++) {
			if (where == B_EXACT_ADDRESS || where == B_CLONE_ADDRESS)
				continue;
			p = m->create_pool(where, 100000, lock, RW);
			CHECK(p || (lock == B_CONTIGUOUS && !machine_pins()));
			if (!p)
				continue;
			CHECK(rtm_get_stats((rtm_pool *)(uintptr_t)p, &st, sizeof(st)) ==
				B_OK);
			CHECK(lock == B_NO_LOCK ? st.locked == 0
						: st.locked == st.committed);
			CHECK(m->malloc(p, 100000) != NULL);
			CHECK(m->delete_pool(p) == B_OK);
		}
	CHECK(m->delete_pool(NULL) == B_ERROR && m->delete_pool(&st) == B_ERROR);
}

/* What public drivers pass: 0 is what only the kernel may use. */
static void protections(void)
{
	static const struct {
		uint32 where, lock, protection;
		int shared;
	} by[] = {
		{B_ANY_KERNEL_ADDRESS, B_FULL_LOCK, 0, 0},
		{B_ANY_ADDRESS, B_FULL_LOCK, B_READ_AREA, 0},
		{B_ANY_KERNEL_ADDRESS, B_FULL_LOCK,
			B_KERNEL_READ_AREA | B_KERNEL_WRITE_AREA, 0},
		{B_RANDOMIZED_ANY_ADDRESS, B_NO_LOCK, RW | B_KERNEL_READ_AREA, 0},
		{B_RANDOMIZED_BASE_ADDRESS, B_LAZY_LOCK, B_KERNEL_WRITE_AREA, 0},
		{B_ANY_KERNEL_ADDRESS, B_FULL_LOCK, B_CLONEABLE_AREA, 1},
		{B_ANY_KERNEL_ADDRESS, B_FULL_LOCK,
			B_CLONEABLE_AREA | B_KERNEL_READ_AREA | B_KERNEL_WRITE_AREA, 2},
	};

	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		const void *p =
			m->create_pool(by[i].where, 8192, by[i].lock, by[i].protection);
		char *b = p ? m->calloc(p, 1, 8192) : NULL;
		int fd = p ? rtm_area_descriptor(p) : -1;

		CHECK(p && b && b[8191] == 0);
		if (b)
			memset(b, 1, 8192);
		CHECK((fd >= 0) == (by[i].shared > 0));
		if (fd >= 0) {
			void *w = mmap(
				NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

			CHECK((w != MAP_FAILED) == (by[i].shared > 1));
			close(fd);
		}
		CHECK(p && m->delete_pool(p) == B_OK);
	}
}

static void addresses(void)
{
	char *at = mmap(NULL, 16 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const void *p, *q;
	char *b;

	munmap(at + 8 * MIB, 8 * MIB);
	CHECK(!rtm_area_create_pool(at, B_EXACT_ADDRESS, MIB, B_NO_LOCK, RW)); /* taken */
	CHECK(!rtm_area_create_pool(at + 1, B_EXACT_ADDRESS, MIB, B_NO_LOCK, RW));
	CHECK(!rtm_area_create_pool(NULL, B_EXACT_ADDRESS, MIB, B_NO_LOCK, RW));
	p = rtm_area_create_pool(at + 8 * MIB, B_EXACT_ADDRESS, MIB, B_NO_LOCK, RW);
	b = rtm_area_malloc(p, 1);
	CHECK(b > at + 8 * MIB && b <= at + 8 * MIB + 65536);
	munmap(at, 8 * MIB);
	q = rtm_area_create_pool(at, B_BASE_ADDRESS, MIB, B_NO_LOCK, RW);
	b = rtm_area_malloc(q, 1);
	CHECK(b >= at);
	CHECK(rtm_area_delete_pool(p) == B_OK && rtm_area_delete_pool(q) == B_OK);
}

static void blocks(void)
{
	const void *p = m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW);
	char *b, *c;

	b = m->malloc(p, 0);
	CHECK(b != NULL);
	m->free(p, b);
	b = m->calloc(p, 100, 1000);
	CHECK(b && !b[0] && !b[99999]);
	strcpy(b, "text");
	c = m->realloc(p, b, 300000);
	CHECK(c && !strcmp(c, "text"));
	errno = 0;
	CHECK(!m->realloc(p, c, 2 * MIB) && errno == ENOMEM && !strcmp(c, "text"));
	CHECK(m->realloc(p, c, 0) == NULL);
	b = m->realloc(p, NULL, 77);
	CHECK(b && rtm_size_for(b) == 77);
	m->free(p, b);
	m->free(p, NULL);
	errno = 0;
	CHECK(!m->malloc(p, 2 * MIB) && errno == ENOMEM);
	errno = 0;
	CHECK(!m->calloc(p, SIZE_MAX / 2, 3) && errno == ENOMEM);
	errno = 0;
	CHECK(!m->malloc(&p, 1) && errno == EINVAL);
	errno = 0;
	CHECK(!m->calloc(NULL, 1, 1) && errno == EINVAL);
	CHECK(m->delete_pool(p) == B_OK);
	errno = 0;
	CHECK(!m->malloc(p, 1) && errno == EINVAL);
}

static void contiguous(void)
{
	const void *p = m->create_pool(B_ANY_ADDRESS, 512 << 10, B_CONTIGUOUS, RW);
	uint64_t phys = 0, other = 0;
	char *b;
	pid_t pid;
	int status = 1;

	/* half a MiB comes of a huge page, or of pages that happen to lie so */
	CHECK(p || !machine_pins() || !machine_has_thp());
	if (!p)
		return;
	b = m->malloc(p, 512 << 10);
	CHECK(b && rtm_physical_address(b, &phys) == B_OK);
	memset(b, 1, 512 << 10);
	pid = fork();
	if (pid == 0)
		_exit(b[5] != 1 || rtm_size_for(b) != 512 << 10);
	memset(b, 2, 512 << 10);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	for (size_t i = 0; i < 512 << 10; i += 4096)
		CHECK(rtm_physical_address(b + i, &other) == B_OK && other == phys + i);
	CHECK(m->delete_pool(p) == B_OK);
	/* below 16 MiB there is hardly ever anything free; if so, it is there */
	p = m->create_pool(B_ANY_ADDRESS, 4096, B_LOMEM, RW);
	if (p) {
		CHECK(rtm_physical_address(m->malloc(p, 1), &phys) == B_OK &&
			phys < 16 * MIB);
		CHECK(m->delete_pool(p) == B_OK);
	}
	/* nor need there be anything below 4 GiB */
	p = m->create_pool(B_ANY_KERNEL_ADDRESS, 8192, B_32_BIT_CONTIGUOUS, 0);
	if (p) {
		CHECK(rtm_physical_address(m->malloc(p, 8192), &phys) == B_OK &&
			phys < 4096 * MIB);
		CHECK(m->delete_pool(p) == B_OK);
	}
}

/* In one piece of RAM, and exactly there, or there or higher. */
static void contiguous_at(void)
{
	char *at = mmap(NULL, 16 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t phys = 0, other = 0;
	const void *p, *q;
	char *b, *c;

	CHECK(!rtm_area_create_pool(at, B_EXACT_ADDRESS, MIB, B_CONTIGUOUS, RW));
	munmap(at, 16 * MIB);
	p = rtm_area_create_pool(at, B_EXACT_ADDRESS, MIB, B_CONTIGUOUS, RW);
	q = rtm_area_create_pool(at, B_BASE_ADDRESS, MIB, B_CONTIGUOUS, RW);
	CHECK((p && q) || !machine_pins() || !machine_has_thp());
	if (!p || !q) {
		rtm_area_delete_pool(p);
		rtm_area_delete_pool(q);
		return;
	}
	b = rtm_area_malloc(p, MIB);
	c = rtm_area_malloc(q, MIB);
	CHECK(b > at && b <= at + 65536 && c > b);
	CHECK(rtm_physical_address(b, &phys) == B_OK);
	for (size_t i = 0; i < MIB; i += 4096) {
		b[i] = c[i] = 1;
		CHECK(rtm_physical_address(b + i, &other) == B_OK && other == phys + i);
	}
	CHECK(rtm_area_delete_pool(p) == B_OK && rtm_area_delete_pool(q) == B_OK);
}

#include "compat_area_share.h"

static void *worker(void *arg)
{
	void *b[16] = {NULL};

	for (unsigned i = 0; i < 20000; i++) {
		unsigned at = i * 5 % 16;

		m->free(arg, b[at]);
		b[at] = i & 1 ? m->malloc(arg, i % 2000) : m->calloc(arg, 3, i % 500);
		if (i % 7 == 0 && b[at])
			b[at] = m->realloc(arg, b[at], 1 + i % 3000);
	}
	for (unsigned at = 0; at < 16; at++)
		m->free(arg, b[at]);
	return NULL;
}

static void threads(void)
{
	const void *p = m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW);
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, worker, (void *)(uintptr_t)p);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	CHECK(m->malloc(p, MIB) != NULL);
	CHECK(m->delete_pool(p) == B_OK);
}

/* Pools come and go while others do; with the last user, none is left. */
static void *maker(void *arg)
{
	for (int i = 0; i < 200; i++) {
		module_info *info = NULL;
		area_malloc_module_info *mine;
		const void *p[3];
		char *b;

		CHECK(get_module(B_AREA_MALLOC_MODULE_NAME, &info) == B_OK);
		mine = (area_malloc_module_info *)info;
		for (int k = 0; k < 3; k++)
			p[k] = mine->create_pool(B_ANY_ADDRESS, 20000, B_NO_LOCK, RW);
		b = p[0] ? mine->malloc(p[0], 20000) : NULL;
		CHECK(b && p[1] && p[2]);
		if (b)
			memset(b, i, 20000);
		CHECK(mine->delete_pool(p[1]) == B_OK);
		CHECK(!b || b[19999] == (char)i);
		CHECK(mine->delete_pool(p[0]) == B_OK);
		if (i % 20) /* some are left for the last user */
			CHECK(mine->delete_pool(p[2]) == B_OK);
		CHECK(put_module(B_AREA_MALLOC_MODULE_NAME) == B_OK);
	}
	return arg;
}

static void makers(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, maker, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	CHECK(pools() == 0);
}

static void misuse(const char *how)
{
	const void *p = m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW);
	const void *q = m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW);
	char *b = m->malloc(p, 1000);

	memset(b, 0, 1000);
	if (!strcmp(how, "double free"))
		m->free(p, b), m->free(p, b);
	else if (!strcmp(how, "other pool"))
		m->free(q, b);
	else if (!strcmp(how, "foreign block"))
		m->free(p, (void *)&how);
	else if (!strcmp(how, "inside a block"))
		m->realloc(p, b + 32, 10);
	else if (!strcmp(how, "deleted pool"))
		m->delete_pool(p), m->free(p, b);
}

int main(int argc, char **argv)
{
	module_info *info = NULL;

	if (argc == 5)
		return other_side(
			atoi(argv[2]), strtoul(argv[3], NULL, 10), atoi(argv[4]));
	if (argc > 1) {
		CHECK(get_module(B_AREA_MALLOC_MODULE_NAME, &info) == B_OK);
		m = (area_malloc_module_info *)info;
		if (!strcmp(argv[1], "limit"))
			return m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW) !=
				       NULL ||
			       m->create_pool(B_ANY_ADDRESS, MIB, B_CONTIGUOUS, RW) !=
				       NULL ||
			       m->create_pool(B_ANY_ADDRESS, MIB, B_LOMEM, RW) != NULL ||
			       m->create_pool(B_ANY_ADDRESS, MIB, B_NO_LOCK, RW) == NULL;
		misuse(argv[1]);
		return 0;
	}
	module();
	specifications();
	protections();
	addresses();
	blocks();
	contiguous();
	contiguous_at();
	sharing(argv[0], 0);
	sharing(argv[0], 1);
	not_shared();
	threads();
	CHECK(put_module(B_AREA_MALLOC_MODULE_NAME) == B_OK && pools() == 0);
	makers();
	return api_failed;
}
