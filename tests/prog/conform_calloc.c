/* SPDX-License-Identifier: MIT */
/* conform_calloc.c - calloc is zero, also in memory that was used and given back */
#include "victim.h"

static bool is_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i])
			return false;
	}
	return true;
}

static void victim(void)
{
	static const size_t sizes[] = {
		1, 15, 16, 17, 100, 1000, 4096, 10000, 70000, 600000};

	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			size_t n = sizes[i];
			unsigned char *dirty[8], *p[8];

			for (int j = 0; j < 8; j++) {
				dirty[j] = malloc(n);
				memset(dirty[j], 0xa5, n);
			}
			for (int j = 0; j < 8; j++)
				free(dirty[j]);
			for (int j = 0; j < 8; j++) {
				p[j] = j % 2 ? calloc(n, 1) : calloc(1, n);
				CHECK(p[j] && is_zero(p[j], n));
				memset(p[j], 0x5a, n);
			}
			for (int j = 0; j < 8; j++)
				free(p[j]);
		}
	}
}

int main(void)
{
	return in_both_threads(victim);
}
