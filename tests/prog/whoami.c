/* SPDX-License-Identifier: MIT */
/* whoami.c - says how it was started: securely or not, and with librtpreload or not */
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

static int is_ours(struct dl_phdr_info *info, size_t size, void *found)
{
	(void)size;
	if (info->dlpi_name && strstr(info->dlpi_name, "librtpreload"))
		*(int *)found = 1;
	return 0;
}

int main(int argc, char **argv)
{
	int loaded = 0;

	dl_iterate_phdr(is_ours, &loaded);
	printf("secure=%lu preloaded=%d", getauxval(AT_SECURE), loaded);
	for (int i = 1; i < argc; i++)
		printf(" [%s]", argv[i]);
	putchar('\n');
	return 0;
}
