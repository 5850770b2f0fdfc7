/* SPDX-License-Identifier: MIT */
/* survive_early.c - malloc before constructors: in an IFUNC resolver, in .preinit_array,
 * in the constructor with the lowest priority; and what they got can be freed later */
#include "victim.h"

static char *from_preinit;
static char *from_resolver[64];

static void use(char *p, size_t n)
{
	CHECK(p);
	memset(p, 7, n);
}

static int answer(void)
{
	return 42;
}

/* The loader asks before thread-local storage is set up. No CHECK: that is libc's. Some
 * blocks stay, some go. */
static int (*resolver(void))(void)
{
	for (size_t i = 0; i < 64; i++) {
		from_resolver[i] = malloc(i * i * 40 + 1);
		from_resolver[i] = realloc(from_resolver[i], i * i * 50 + 1);
		from_resolver[i][i * i * 50] = (char)i;
		free(calloc(i, 1000));
	}
	for (size_t i = 0; i < 64; i += 2) {
		free(from_resolver[i]);
		from_resolver[i] = NULL;
	}
	return answer;
}
static int resolved(void) __attribute__((ifunc("resolver")));

/* The allocator's books of the main thread were begun twice: others join and leave. */
static void *thread(void *arg)
{
	for (size_t i = 0; i < 2000; i++)
		free(malloc(i * 7));
	return arg;
}

static void check_threads(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, thread, NULL), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}

static void check_resolver(void)
{
	CHECK_EQ(resolved(), 42);
	for (size_t i = 1; i < 64; i += 2)
		CHECK_EQ(from_resolver[i][i * i * 50], (char)i);
	for (size_t i = 1; i < 64; i += 2)
		from_resolver[i] = realloc(from_resolver[i], i * 100 + 1);
	for (size_t i = 1; i < 64; i += 4)
		free(from_resolver[i]);
}

static void preinit(int argc, char **argv, char **env)
{
	(void)argc, (void)argv, (void)env;
	from_preinit = malloc(100);
	from_preinit = realloc(from_preinit, 50000);
	use(from_preinit, 50000);
	free(calloc(100, 100));
}
__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(
	int, char **, char **) = preinit;

__attribute__((constructor(101))) static void first(void)
{
	void *p = NULL;

	CHECK_EQ(posix_memalign(&p, 256, 1000), 0);
	use(p, 1000);
	free(p);
}

int main(void)
{
	check_resolver();
	check_threads();
	use(from_preinit, 50000);
	from_preinit = realloc(from_preinit, 100);
	free(from_preinit);
	return FAILED;
}
