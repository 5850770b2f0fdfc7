/* SPDX-License-Identifier: MIT */
/* survive_fds.c FILE - closes every descriptor; FILE becomes its number 2; threads named
 * "rt" come and allocate. FILE must hold what was written here and nothing else. */
#include <fcntl.h>

#include "victim.h"

static void *body(void *arg)
{
	pthread_setname_np(pthread_self(), "rt");
	for (int i = 0; i < 1000; i++)
		free(malloc((size_t)i * 40));
	usleep(300000);
	free(malloc(10));
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;
	int fd;

	if (argc < 2)
		return 2;
	for (int i = 0; i < 256; i++)
		close(i);
	free(malloc(100));
	for (int want = 0; want < 3; want++) {
		fd = open(want < 2 ? "/dev/null" : argv[1], O_RDWR | O_CREAT | O_TRUNC,
			0644);
		if (fd != want)
			return 3; /* somebody holds a number that is ours */
	}
	if (pthread_create(&t, NULL, body, NULL))
		return 4;
	pthread_join(t, NULL);
	if (write(2, "mine\n", 5) != 5)
		return 5;
	fd = open("/dev/null", O_RDONLY);
	return fd == 3 ? 0 : 6;
}
