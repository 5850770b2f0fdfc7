/* SPDX-License-Identifier: MIT */
/*
 * image.c - stacks and objects are locked, touched, and nothing beyond them is
 */
#include "memory/image.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

#define KIB 1024UL

static int failures;

#define CHECK(cond) check((cond), #cond, __LINE__)
static void check(bool ok, const char *what, int line)
{
	if (!ok) {
		printf("image.c:%d: %s\n", line, what);
		failures++;
	}
}

static long minor_faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	return ru.ru_minflt;
}

static size_t locked(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	size_t kib = 0;

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "VmLck:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return kib * KIB;
}

/* Writes `bytes` below the caller's frame; the number of faults it took. */
__attribute__((noinline)) static long faults_of_depth(size_t bytes)
{
	long before = minor_faults();
	volatile char *deep = __builtin_alloca(bytes);

	for (size_t at = 0; at < bytes; at += KIB)
		deep[bytes - 1 - at] = 1;
	return minor_faults() - before;
}

struct wish {
	size_t lock; /* what to ask for */
	size_t use;  /* then use that much without a fault */
};

static void *on_a_thread(void *arg)
{
	struct wish *w = arg;

	errno = 3;
	CHECK(image_lock_stack(0, w->lock) == 0);
	CHECK(errno == 3);
	if (w->use > 0)
		CHECK(faults_of_depth(w->use) == 0);
	CHECK(image_lock_stack((pid_t)syscall(SYS_gettid), 4 * KIB) == 0);
	CHECK(image_lock_stack(1, 4 * KIB) == -ESRCH);
	return NULL;
}

static void thread_stack(size_t size, size_t lock, size_t use)
{
	struct wish wish = {lock, use};
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	CHECK(pthread_attr_setstacksize(&attr, size) == 0);
	CHECK(pthread_create(&t, &attr, on_a_thread, &wish) == 0);
	pthread_join(t, NULL);
}

static void thread_stacks(void)
{
	size_t before;

	munlockall();
	thread_stack(1024 * KIB, 256 * KIB, 250 * KIB);
	thread_stack(16 * KIB, 256 * KIB, 4 * KIB); /* the guard ends it */
	thread_stack(256 * KIB, 0, 230 * KIB);
	before = locked();
	CHECK(before >= 256 * KIB && before <= 2048 * KIB);
}

/* The same on a stack of ours, to see the byte before it untouched and unlocked. */
static void nothing_below_the_stack(void)
{
	struct wish wish = {512 * KIB, 32 * KIB};
	size_t size = 64 * KIB;
	unsigned char vec[17];
	unsigned char *p = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t t;

	mprotect(p + size - 4096, 4096, PROT_NONE);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, p + size, size);
	pthread_create(&t, &attr, on_a_thread, &wish);
	pthread_join(t, NULL);
	CHECK(mincore(p, size, vec) == 0);
	for (int i = 0; i < 16; i++)
		CHECK(!(vec[i] & 1));
	munmap(p, 2 * size);
}

static void main_stack(void)
{
	munlockall();
	CHECK(image_lock_stack(0, 1024 * KIB) == 0);
	CHECK(faults_of_depth(900 * KIB) == 0);
	CHECK(locked() >= 1024 * KIB && locked() < 1400 * KIB);
}

/* Asking for more than RLIMIT_STACK gives what there is, not a signal. */
static void stack_limit(void)
{
	int status;

	if (fork() == 0) {
		setrlimit(RLIMIT_STACK, &(struct rlimit){2048 * KIB, 2048 * KIB});
		CHECK(image_lock_stack(0, 4096 * KIB) == 0);
		_exit(failures != 0);
	}
	wait(&status);
	CHECK(status == 0);
}

static char data[64 * KIB] = {1};
static char bss[64 * KIB];

static void own_image(void)
{
	long faults;

	munlockall();
	errno = 4;
	CHECK(image_lock_object(data) == 0);
	CHECK(errno == 4);
	faults = minor_faults();
	for (size_t at = 0; at < sizeof data; at += KIB)
		data[at]++, bss[at]++;
	CHECK(minor_faults() == faults);
	CHECK(locked() >= 128 * KIB && locked() < 1024 * KIB);
	CHECK(image_lock_object((const void *)(uintptr_t)&printf) == 0);
	CHECK(locked() > 1024 * KIB);
	CHECK(image_lock_object((void *)16) == -ENOENT);
}

static void ranges(void)
{
	char *p = mmap(NULL, 32 * KIB, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munlockall();
	CHECK(image_lock_stack_range(p + 4096, p + 16384) == 0);
	CHECK(locked() == 12288);
	CHECK(image_lock_stack_range(p + 1, p) == -EINVAL);
	munmap(p, 32 * KIB);
}

/* ---- pin_process ---- */

#define FORKS 20
static char globals[512 * KIB];

struct toucher {
	pthread_t thread;
	char *heap, *top;	 /* top: where the stack began, below libc's descriptor */
	int ready, stop, rounds; /* rounds: by the thread, of those that count */
	long faults;
};

/* Writes to globals, a small mapping and its stack every millisecond. */
static void *touch_often(void *arg)
{
	struct toucher *t = arg;
	char stack[32 * KIB];
	long before = 0;

	t->top = __builtin_frame_address(0);
	for (int round = 0; !__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE); round++) {
		for (size_t at = 4 * KIB; at < sizeof globals - 4 * KIB; at += 4 * KIB)
			globals[at]++;
		for (size_t at = 0; at < 256 * KIB; at += 4 * KIB)
			t->heap[at]++;
		for (size_t at = 0; at < sizeof stack; at += KIB)
			((volatile char *)stack)[at] = (char)round;
		if (round == 2)
			__atomic_store_n(&t->ready, 1, __ATOMIC_RELEASE);
		while (round == 2 && __atomic_load_n(&t->ready, __ATOMIC_ACQUIRE) == 1)
			usleep(1000);
		if (round == 3)
			before = minor_faults();
		if (round >= 3) /* release: pairs with await_rounds() */
			__atomic_store_n(&t->rounds, round - 2, __ATOMIC_RELEASE);
		usleep(1000);
	}
	t->faults = minor_faults() - before;
	return NULL;
}

/* One that has begun by now is not enough: the next is whole. */
static void await_rounds(struct toucher *t)
{
	int now = __atomic_load_n(&t->rounds, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&t->rounds, __ATOMIC_ACQUIRE) < now + 2)
		usleep(1000);
}

static long faults_of_forks(bool pin)
{
	struct toucher *t = mmap(NULL, 260 * KIB, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long faults;

	t->heap = (char *)t + 4 * KIB;
	pthread_create(&t->thread, NULL, touch_often, t);
	while (!__atomic_load_n(&t->ready, __ATOMIC_ACQUIRE))
		usleep(1000);
	if (pin)
		image_pin_process((uintptr_t)t->top, 64 * KIB);
	__atomic_store_n(&t->ready, 2, __ATOMIC_RELEASE);
	await_rounds(t);
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause(); /* it holds its copy as long as it is there */
		await_rounds(t);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	__atomic_store_n(&t->stop, 1, __ATOMIC_RELEASE);
	pthread_join(t->thread, NULL);
	faults = t->faults;
	munmap(t, 260 * KIB);
	return faults;
}

static void a_pinned_process_does_not_fault(void)
{
	long faults;

	CHECK(faults_of_forks(false) > 100 * FORKS);
	faults = faults_of_forks(true);
	printf("%ld faults in %d forks\n", faults, FORKS);
	/* without pins the pages are locked, and copied on writing like all others */
	CHECK(faults < FORKS || !machine_pins());
	image_pin_child();
}

int main(void)
{
	thread_stacks();
	nothing_below_the_stack();
	main_stack();
	stack_limit();
	own_image();
	ranges();
	a_pinned_process_does_not_fault();
	return failures != 0;
}
