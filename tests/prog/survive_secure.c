/* SPDX-License-Identifier: MIT */
/* survive_secure.c - prints whether the library is loaded and whether it follows a policy
 */
#include <sys/auxv.h>

#include "victim.h"

int main(void)
{
	printf("secure %lu, %s, %s\n", getauxval(AT_SECURE),
		rtm_get_pool ? "loaded" : "not loaded", where());
	return 0;
}
