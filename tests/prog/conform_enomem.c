/* SPDX-License-Identifier: MIT */
/* cflags: -Wno-use-after-free */
/* conform_enomem.c - every NULL comes with ENOMEM, and a failed call changes nothing */
#include <malloc.h>

#include "victim.h"

#define HUGE opaque(SIZE_MAX)
#define FAR  opaque((size_t)PTRDIFF_MAX + 1)

#define NOMEM(call)                      \
	do {                             \
		errno = 0;               \
		CHECK((call) == NULL);   \
		CHECK_EQ(errno, ENOMEM); \
	} while (0)

static void check_plain(void)
{
	NOMEM(malloc(HUGE));
	NOMEM(malloc(FAR));
	NOMEM(malloc(HUGE - 15));
	NOMEM(malloc(HUGE - 4096));
	NOMEM(calloc(1, HUGE));
	NOMEM(calloc(HUGE, 1));
	NOMEM(calloc(HUGE, 2));
	NOMEM(calloc(opaque((size_t)1 << 33), opaque((size_t)1 << 33)));
	NOMEM(calloc(FAR, 2));
	NOMEM(realloc(NULL, HUGE));
	NOMEM(reallocarray(NULL, HUGE, 2));
	NOMEM(reallocarray(NULL, opaque((size_t)1 << 33), opaque((size_t)1 << 33)));
}

static void check_block_untouched(size_t n)
{
	unsigned char *p = malloc(n);

	fill(p, n, 9);
	NOMEM(realloc(p, HUGE));
	CHECK(filled(p, n, 9));
	NOMEM(realloc(p, FAR));
	CHECK(filled(p, n, 9));
	NOMEM(reallocarray(p, opaque((size_t)1 << 33), opaque((size_t)1 << 33)));
	CHECK(filled(p, n, 9));
	NOMEM(reallocarray(p, FAR, 1));
	CHECK(filled(p, n, 9));
	free(p);
}

static void check_aligned(void)
{
	NOMEM(memalign(64, HUGE));
	NOMEM(memalign(4096, FAR));
	NOMEM(memalign(opaque((size_t)1 << 62), 16));
	NOMEM(aligned_alloc(64, FAR));
	NOMEM(aligned_alloc(4096, HUGE - 4095));
	NOMEM(valloc(HUGE));
	NOMEM(valloc(FAR));
	NOMEM(pvalloc(HUGE));
	NOMEM(pvalloc(FAR));
}

static void check_posix_memalign(void)
{
	void *mark = &mark, *p = mark;

	errno = 31;
	CHECK_EQ(posix_memalign(&p, 64, HUGE), ENOMEM);
	CHECK_EQ(posix_memalign(&p, 4096, FAR), ENOMEM);
	CHECK_EQ(posix_memalign(&p, 0, 8), EINVAL);
	CHECK_EQ(posix_memalign(&p, 4, 8), EINVAL);
	CHECK_EQ(posix_memalign(&p, 24, 8), EINVAL);
	CHECK_EQ(posix_memalign(&p, 3, 8), EINVAL);
	CHECK_EQ(posix_memalign(&p, 72, 8), EINVAL);
	CHECK(p == mark);
	CHECK(errno == 31 || !rtm_get_pool); /* glibc's writes it */
	CHECK_EQ(posix_memalign(&p, 8, 0), 0);
	CHECK(p != mark && p);
	CHECK(errno == 31 || !rtm_get_pool);
	free(p);
}

static void victim(void)
{
	check_plain();
	check_block_untouched(1);
	check_block_untouched(100);
	check_block_untouched(70000);
	check_aligned();
	check_posix_memalign();
}

int main(void)
{
	return in_both_threads(victim);
}
