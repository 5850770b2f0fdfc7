/* SPDX-License-Identifier: MIT */
/* conform_sized.c - C23's free_sized and free_aligned_sized; glibc 2.36 has neither */
#include <malloc.h>

#include "victim.h"

__attribute__((weak)) void free_sized(void *p, size_t size);
__attribute__((weak)) void free_aligned_sized(void *p, size_t align, size_t size);

static void victim(void)
{
	if (!free_sized || !free_aligned_sized) {
		CHECK(!rtm_get_pool); /* the library has them */
		return;
	}
	errno = 99;
	for (size_t n = 0; n < 100000; n = n * 3 + 1) {
		free_sized(malloc(n), n);
		free_sized(calloc(n, 2), n * 2);
		free_aligned_sized(aligned_alloc(64, n), 64, n);
		free_aligned_sized(aligned_alloc(4096, n), 4096, n);
	}
	free_sized(NULL, 10);
	free_aligned_sized(NULL, 64, 10);
	CHECK_EQ(errno, 99);
}

int main(void)
{
	return in_both_threads(victim);
}
