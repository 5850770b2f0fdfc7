/* SPDX-License-Identifier: MIT */
/* cflags: -Wno-deprecated-declarations */
/* conform_info.c - mallinfo and kin give figures that can be believed */
#include <malloc.h>

#include "victim.h"

static void check_mallinfo(void)
{
	struct mallinfo2 before = mallinfo2(), after;
	struct mallinfo old;
	char *p[64];

	for (int i = 0; i < 64; i++) {
		p[i] = malloc(65536);
		memset(p[i], i, 65536);
	}
	after = mallinfo2();
	/* what is big may be counted as mapped */
	CHECK(after.uordblks + after.hblkhd >=
		before.uordblks + before.hblkhd + ((size_t)60 * 65536));
	CHECK(after.arena + after.hblkhd >= (size_t)60 * 65536);
	CHECK(after.uordblks <= after.arena + after.hblkhd);
	old = mallinfo();
	CHECK(old.uordblks + old.hblkhd >= 60 * 65536);
	for (int i = 0; i < 64; i++)
		free(p[i]);
}

static void check_malloc_info(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	CHECK_EQ(malloc_info(0, f), 0);
	fclose(f);
	CHECK(text && len > 50);
	CHECK(!strncmp(text, "<malloc version=", 16));
	CHECK(strstr(text, "</malloc>"));
	free(text);
	CHECK(malloc_info(1, stdout) != 0); /* no such option */
}

static void victim(void)
{
	check_mallinfo();
	check_malloc_info();
	CHECK((unsigned)malloc_trim(0) <= 1);
	CHECK_EQ(mallopt(M_TRIM_THRESHOLD, 1 << 20), 1);
	CHECK_EQ(mallopt(M_TRIM_THRESHOLD, -1), 1);
	CHECK_EQ(mallopt(M_MMAP_MAX, 0), 1);
	CHECK_EQ(mallopt(M_ARENA_MAX, 1), 1);
	malloc_stats();
	free(malloc(100));
}

int main(void)
{
	return in_both_threads(victim);
}
