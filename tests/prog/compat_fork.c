/* SPDX-License-Identifier: MIT */
/*
 * A program forks while another thread is inside a call of a family that needs no pool.
 * The child makes the same call: a lock that the other thread held must be free in it.
 * argv[1]: handle, module or object.
 */
/* libs: -Lbuild -lrtpreload */
#include <CoreFoundation/CoreFoundation.h>
#include <drivers/area_malloc.h>
#include <intime/rt.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_check.h"

#define FORKS 200

static char memory[64];

static int call_handle(void)
{
	return !DeleteRtMemoryHandle(CreateRtMemoryHandle(memory, sizeof(memory)));
}

static int call_module(void)
{
	module_info *m;

	return rtm_get_module(B_AREA_MALLOC_MODULE_NAME, &m) ||
	       rtm_put_module(B_AREA_MALLOC_MODULE_NAME);
}

static int call_object(void)
{
	double one = 1;
	CFNumberRef n = CFNumberCreate(NULL, kCFNumberDoubleType, &one);

	if (n)
		CFRelease(n);
	return !n;
}

static const struct {
	const char *name;
	int (*call)(void);
} kinds[] = {{"handle", call_handle}, {"module", call_module}, {"object", call_object}};

static int (*kind)(void);

static void *busy(void *arg)
{
	for (;;)
		kind();
	return arg;
}

/* Ends by SIGALRM when it waits for a thread that it does not have. */
static int child_waits(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		alarm(5);
		_exit(kind());
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0;
}

int main(int argc, char **argv)
{
	pthread_t t;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (argc > 1 && !strcmp(argv[1], kinds[i].name))
			kind = kinds[i].call;
	if (!kind || kind() || pthread_create(&t, NULL, busy, NULL))
		return 2;
	for (int i = 0; i < FORKS && !api_failed; i++)
		CHECK(!child_waits());
	fflush(stdout);
	_exit(api_failed);
}
