/* SPDX-License-Identifier: MIT */
/* conform_errno.c - free keeps errno, whatever it does; success leaves it alone too */
#include "victim.h"

static void free_keeps(void *p, int value)
{
	errno = value;
	free(p);
	CHECK_EQ(errno, value);
}

static void victim(void)
{
	static const int odd[] = {0, EINTR, EINVAL, 12345, -7};
	static const size_t sizes[] = {0, 1, 16, 100, 4096, 100000, 1 << 20, 64 << 20};

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		for (size_t j = 0; j < sizeof(sizes) / sizeof(*sizes); j++) {
			char *p = malloc(sizes[j]);

			CHECK(p);
			if (sizes[j])
				p[0] = p[sizes[j] - 1] = 1;
			free_keeps(p, odd[i]);
		}
		free_keeps(NULL, odd[i]);
	}
	/* enough at once that pages go back to the kernel */
	for (int i = 0; i < 20; i++) {
		void *many[50];

		for (int j = 0; j < 50; j++)
			many[j] = calloc(1, 300000);
		for (int j = 0; j < 50; j++)
			free_keeps(many[j], 77);
	}
	/* success leaves errno alone */
	errno = 4242;
	free(realloc(malloc(10), 100000));
	free(calloc(3, 5));
	CHECK_EQ(errno, 4242);
}

int main(void)
{
	return in_both_threads(victim);
}
