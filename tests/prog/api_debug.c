/* SPDX-License-Identifier: MIT */
/* What MALLOC_DEBUG writes: prints the bytes found in a fresh pool, a new and a freed
 * block, each as hex ("mixed" when they are not all the same). With an argument: damages
 * the pool first, one way per argument, and makes one more call. */
/* libs: -Lbuild -lrtpreload */
#include <rtmem.h>
#include <string.h>

#include "api_check.h"

static void show(const char *what, const unsigned char *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (p[i] != p[0]) {
			printf("%s mixed\n", what);
			return;
		}
	printf("%s %02x\n", what, p[0]);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	rtm_pool *pool = NULL;
	unsigned char *a, *b, *c;
	void *data;

	if (rtm_create_pool(&pool, 1 << 20, "debug") != B_OK)
		return 2;
	a = rtm_alloc(pool, 1000);
	b = rtm_alloc(pool, 1000);
	c = rtm_alloc(pool, 1000);
	show("fresh", b + 8192, 65536); /* beyond what was ever handed out */
	show("new", b, 1000);
	data = b;
	memset(b, 1, 1000);
	rtm_realloc(&data, 1004);
	show("grown", (unsigned char *)data + 1000, 4);
	rtm_free(data);
	show("freed", b + 64, 900); /* the first and last bytes are the engine's */
	fflush(stdout);
	if (!strcmp(how, "overrun")) /* the header of the block behind */
		memset(a, 0xaa, 1040);
	else if (!strcmp(how, "use-after-free")) /* the links of a free block */
		memset(b, 0xaa, 64);
	else if (!strcmp(how, "underrun"))
		memset(c - 16, 0xaa, 16);
	else
		return 0;
	rtm_alloc(pool, 10);
	puts("not noticed");
	return 0;
}
