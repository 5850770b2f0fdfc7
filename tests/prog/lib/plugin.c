/* SPDX-License-Identifier: MIT */
/* plugin.c - an object that makes and frees blocks by itself, with thread-local storage
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static __thread char plugin_tls[3000];

char *plugin_make(size_t n)
{
	char *p = malloc(n);

	if (p)
		memset(p, 1, n);
	return p;
}

char *plugin_text(const char *text)
{
	return strdup(text);
}

void plugin_free(void *p)
{
	free(p);
}

void *plugin_aligned(size_t align, size_t n)
{
	void *p = NULL;

	return posix_memalign(&p, align, n) ? NULL : p;
}

char *plugin_local(void)
{
	plugin_tls[2999]++;
	return plugin_tls;
}
