/* SPDX-License-Identifier: MIT */
/* survive_seccomp.c errno|kill - a sandbox that knows neither madvise nor mlock2 nor
 * mlock is put up after start; the program allocates on, on old threads and new ones */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "victim.h"

#define DENY(nr, verdict) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, verdict)

static void sandbox(unsigned verdict)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		DENY(SYS_madvise, verdict),
		DENY(SYS_mlock, verdict),
		DENY(SYS_mlock2, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(filter) / sizeof(*filter), filter};

	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_EQ(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
			 &prog),
		0);
}

static void churn(void)
{
	for (int round = 0; round < 20; round++) {
		void *many[40];

		for (size_t i = 0; i < 40; i++) {
			many[i] = malloc(i * 9000 + 1);
			memset(many[i], 1, i * 9000 + 1);
		}
		for (size_t i = 0; i < 40; i++)
			free(many[i]);
	}
}

static pthread_barrier_t up;

static void *old_thread(void *arg)
{
	expect_here();
	churn();
	pthread_barrier_wait(&up); /* the sandbox goes up */
	pthread_barrier_wait(&up);
	expect_here();
	churn();
	pthread_barrier_wait(&up);
	/* libc itself calls madvise when a thread ends */
	if (arg)
		pause();
	return NULL;
}

static void *new_thread(void *arg)
{
	churn();
	return arg;
}

int main(int argc, char **argv)
{
	bool kill = argc > 1 && !strcmp(argv[1], "kill");
	pthread_t t[2];

	pthread_barrier_init(&up, NULL, 2);
	pthread_create(&t[0], NULL, old_thread, kill ? &up : NULL);
	pthread_barrier_wait(&up);
	sandbox(kill ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM);
	pthread_barrier_wait(&up);
	churn();
	pthread_barrier_wait(&up);
	if (!kill) {
		pthread_join(t[0], NULL);
		pthread_create(&t[1], NULL, new_thread, NULL);
		pthread_join(t[1], NULL);
	}
	churn();
	return FAILED;
}
