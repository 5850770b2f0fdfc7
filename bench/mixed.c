/* SPDX-License-Identifier: MIT */
/*
 * mixed.c - system calls and page faults of a realtime thread under mixed allocator work
 *
 *   mixed [OPERATIONS [FILE]]      (default 3,000,000; goes on until FILE is there)
 *
 * The thread is promoted, then does malloc, calloc, realloc, posix_memalign and free of
 * 16 B .. 64 KiB, gives blocks to an ordinary thread that frees them, frees and reallocs
 * blocks that thread made, and frees blocks it made itself before it was promoted. It
 * works a millisecond's worth at a time and sleeps in between, as audio threads do.
 *
 * Counted are all system calls of that thread (by a supervising process, exactly) and all
 * its page faults (getrusage), while it works: also those of touching what it was given.
 * What a block held is checked throughout. Exit 0 unless a check failed.
 */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "trap.h"

#define LIVE	   1024	   /* blocks of the realtime thread, at most */
#define OLD	   20000   /* blocks from before promotion */
#define RING	   1024	   /* blocks on their way from one thread to the other */
#define BATCH	   500	   /* operations a period */
#define PERIOD_NS  1000000 /* 1 ms */
#define CALLS_SEEN 512

struct block {
	uint64_t *p; /* its first word holds its size times an odd number */
	size_t size;
};

struct ring {
	_Alignas(64) uint32_t head; /* producer: release; consumer: acquire */
	_Alignas(64) uint32_t tail; /* consumer: release; producer: acquire */
	struct block b[RING];
};

/* Shared with the supervising process. */
struct shared {
	struct trap trap;
	uint32_t tid, counting, fifo;
	uint32_t enough; /* atomic: the file is there */
	uint64_t operations, faults, system_calls, first_faults;
	uint64_t number[CALLS_SEEN];
	char failed[128];
};

static struct shared *sh;
static struct block live[LIVE], old[OLD];
static int nold;
static struct ring to_other, from_other;
static bool done;
static struct rng rng = {88172645463325252u};
static uint64_t wanted = 3000000;
static const char *until; /* a file */

static void fail(const char *what)
{
	if (sh->failed[0] == '\0')
		snprintf(sh->failed, sizeof(sh->failed), "%s", what);
}

static bool ring_put(struct ring *r, struct block b)
{
	uint32_t head = r->head;

	if (head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) == RING)
		return false;
	r->b[head % RING] = b;
	__atomic_store_n(&r->head, head + 1, __ATOMIC_RELEASE);
	return true;
}

static bool ring_get(struct ring *r, struct block *b)
{
	uint32_t tail = r->tail;

	if (__atomic_load_n(&r->head, __ATOMIC_ACQUIRE) == tail)
		return false;
	*b = r->b[tail % RING];
	__atomic_store_n(&r->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

/*
 * Touched to the end of what malloc_usable_size() tells, slack included: that much of a
 * block realloc copies, and faults of the program's own untouched pages are not meant.
 */
static struct block sealed(void *p, size_t size)
{
	struct block b = {p, size};

	if (p == NULL) {
		fail("an allocation failed");
		b.size = 0;
		return b;
	}
	if ((uintptr_t)p % 16)
		fail("a block is not aligned to 16");
	touch(p, malloc_usable_size(p));
	b.p[0] = size * 0x9e3779b97f4a7c15;
	((unsigned char *)p)[size - 1] = (unsigned char)size;
	return b;
}

static void check(struct block b)
{
	if (b.p == NULL)
		return;
	if (b.p[0] != b.size * 0x9e3779b97f4a7c15 ||
		((unsigned char *)b.p)[b.size - 1] != (unsigned char)b.size)
		fail("a block's content changed");
}

static struct block make_zeroed(size_t size)
{
	unsigned char *p = calloc(1, size);

	for (size_t i = 0; p && i < size; i += size / 16 + 1)
		if (p[i])
			fail("calloc gave a block that is not zero");
	return sealed(p, size);
}

static struct block make_aligned(size_t size)
{
	size_t align = (size_t)32 << (rng_next(&rng) % 8);
	void *p = NULL;

	if (posix_memalign(&p, align, size) || (uintptr_t)p % align)
		fail("posix_memalign");
	return sealed(p, size);
}

static struct block resize(struct block b, size_t size)
{
	uint64_t *p;

	check(b);
	p = realloc(b.p, size);
	if (p && p[0] != b.size * 0x9e3779b97f4a7c15)
		fail("realloc lost the content");
	return sealed(p, size);
}

static void drop(struct block *b)
{
	check(*b);
	free(b->p);
	b->p = NULL;
}

/* One operation on a slot that holds no block. */
static void fill(struct block *b, unsigned what)
{
	size_t size = rng_size(&rng);

	if (what < 12)
		*b = make_zeroed(size);
	else if (what < 24)
		*b = make_aligned(size);
	else if (what < 34 && ring_get(&from_other, b))
		*b = resize(*b, size);
	else if (what < 40 && nold > 0)
		*b = resize(old[--nold], size);
	else
		*b = sealed(malloc(size), size);
}

/* One operation on a slot that holds one. */
static void change(struct block *b, unsigned what)
{
	struct block other;

	if (what < 25)
		*b = resize(*b, rng_size(&rng));
	else if (what < 40 && ring_put(&to_other, *b))
		b->p = NULL;
	else if (what < 50 && ring_get(&from_other, &other))
		drop(&other);
	else if (what < 60 && nold > 0)
		drop(&old[--nold]);
	else
		drop(b);
}

static struct block *next_full(struct block *from)
{
	for (struct block *b = from; b < from + 16 && b < live + LIVE; b++)
		if (b->p)
			return b;
	return NULL;
}

static void work(unsigned n)
{
	bool draining = sh->operations / 100000 % 2;

	for (unsigned i = 0; i < n; i++) {
		uint64_t v = rng_next(&rng);
		struct block *b = &live[v % LIVE];
		unsigned what = (unsigned)(v >> 32) % 100;

		/* Load comes and goes: every other while most blocks are given back. */
		if (draining && !b->p && what % 8 && (b = next_full(b)) == NULL)
			b = &live[0];
		if (b->p && draining && what >= 25)
			drop(b);
		else if (b->p)
			change(b, what);
		else
			fill(b, what);
	}
}

static uint64_t thread_faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (uint64_t)(u.ru_minflt + u.ru_majflt);
}

/* release and acquire: pairs with seen(), which runs while this thread is stopped */
static void counting(uint32_t on)
{
	__atomic_store_n(&sh->counting, on, __ATOMIC_RELEASE);
}

static void work_periods(void)
{
	uint64_t next = now_ns();

	/* relaxed: nothing else is handed over with it */
	while (sh->operations < wanted ||
		!__atomic_load_n(&sh->enough, __ATOMIC_RELAXED)) {
		uint64_t before = thread_faults();

		counting(1);
		work(BATCH);
		counting(0);
		before = thread_faults() - before;
		sh->faults += before;
		if (sh->operations == 0)
			sh->first_faults = before;
		sh->operations += BATCH;
		if (now_ns() > next + 50 * PERIOD_NS)
			next = now_ns(); /* a slow allocator need not catch up */
		sleep_until_next(&next, PERIOD_NS);
	}
}

static void *realtime(void *arg)
{
	memset(&to_other, 0, sizeof(to_other)); /* its pages are there */
	memset(live, 0, sizeof(live));
	for (int i = 0; i < OLD; i++) {
		size_t size = rng_size(&rng) / 8 + 16;

		old[nold++] = sealed(malloc(size), size);
	}
	/* release: pairs with the acquire in child() */
	__atomic_store_n(&sh->tid, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	work(20 * BATCH); /* as ordinary: its own code, stack and tables are warm */
	sh->fifo = promote(50, -1);
	usleep(400000); /* what watches threads from outside has noticed by now */
	if (trap_child(&sh->trap) < 0)
		fail("no supervisor");
	work_periods();
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void *ordinary(void *arg)
{
	struct rng mine = {0x123456789};
	struct block b;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		for (int i = 0; i < 200; i++) {
			size_t size = rng_size(&mine);

			while (ring_get(&to_other, &b))
				drop(&b);
			b = sealed(malloc(size), size);
			if (!ring_put(&from_other, b))
				drop(&b);
		}
		usleep(300);
	}
	return NULL;
}

static int child(void)
{
	pthread_t rt, other;

	memset(&from_other, 0, sizeof(from_other));
	pthread_create(&rt, NULL, realtime, NULL);
	while (!__atomic_load_n(&sh->tid, __ATOMIC_ACQUIRE))
		usleep(1000); /* the realtime thread's tables are ready */
	pthread_create(&other, NULL, ordinary, NULL);
	pthread_join(rt, NULL);
	pthread_join(other, NULL);
	return sh->failed[0] != '\0';
}

static void seen(pid_t tid, int nr)
{
	if (!__atomic_load_n(&sh->counting, __ATOMIC_ACQUIRE))
		return;
	sh->system_calls++;
	if (nr >= 0 && nr < CALLS_SEEN)
		sh->number[nr]++;
}

/* The library's helper runs before what is not realtime: that others keep it from its
 * processor while it holds a pool's lock is not what is measured. */
static void helper_ahead(pid_t pid)
{
	struct sched_param first = {.sched_priority = 1};
	struct dirent *task;
	char path[64], name[32];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && (task = readdir(d)) != NULL) {
		pid_t tid = atoi(task->d_name);
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
		f = tid > 0 ? fopen(path, "r") : NULL;
		if (f && fgets(name, sizeof(name), f) && !strcmp(name, "rtmem-helper\n"))
			sched_setscheduler(tid, SCHED_FIFO, &first);
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
}

static int supervise(pid_t pid)
{
	int listener = trap_parent(&sh->trap, pid), status;

	helper_ahead(pid); /* the realtime thread waits for its first answer */
	if (listener < 0) {
		fprintf(stderr, "mixed: no supervisor: %s\n", strerror(-listener));
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (listener < 0)
			usleep(1000);
		else if (!trap_serve(listener, 10, seen))
			listener = -1;
		if (!until || access(until, F_OK) == 0)
			__atomic_store_n(&sh->enough, 1, __ATOMIC_RELAXED);
	}
	return status;
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc > 1)
		wanted = strtoull(argv[1], NULL, 0);
	until = argc > 2 ? argv[2] : NULL;
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(child());
	}
	status = supervise(pid);
	printf("operations %lu class %s system_calls %lu faults %lu first_batch_faults "
	       "%lu",
		sh->operations, sh->fifo ? "FIFO" : "OTHER", sh->system_calls, sh->faults,
		sh->first_faults);
	for (int i = 0; i < CALLS_SEEN; i++)
		if (sh->number[i])
			printf(" call_%d %lu", i, sh->number[i]);
	printf(" %s\n", status ? sh->failed[0] ? sh->failed : "the program died" : "ok");
	return status != 0;
}
