/* SPDX-License-Identifier: MIT */
/*
 * record.c - writes down each malloc and free of a program, from in front of glibc's
 *
 * Preloaded by bench/record.sh alone, for traces to replay. RECORD_FILE names a file that
 * does not exist yet: the first process that makes it is recorded, what it starts is not.
 * bench/record.awk reads the file:
 * entry 0 has the number of entries as its size, entries 1 .. are struct event, in an
 * order in which an address is freed before it is handed out again.
 *
 * It takes no lock, but asks the kernel for the thread's class at each call: classes
 * change without a word, and nothing is timed here.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT	   __attribute__((visibility("default")))
#define EVENTS_MAX (16UL << 20) /* the file is sparse */

enum event_kind { EVENT_ALLOC = 1, EVENT_FREE = 2 };

struct event {
	uint64_t ns; /* since the file was made */
	uint64_t address;
	uint64_t size; /* asked for; of a free: what the block has */
	uint64_t what; /* thread << 16 | log2 of the alignment << 8 | realtime << 4 | kind
			*/
};

/* glibc's own, by names that nobody stands in front of: so nothing is looked up */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static struct event *event; /* NULL: not recorded */
static uint64_t used = 1; /* atomic, relaxed: the order of its steps is all that counts */
static uint64_t began;
static __thread uint64_t thread __attribute__((tls_model("initial-exec")));

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Of a child of fork, which has the parent's entries before it. */
static void leave(void)
{
	event = NULL;
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("RECORD_FILE");
	size_t bytes = EVENTS_MAX * sizeof(*event);
	int fd = path ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
	void *p = MAP_FAILED;

	if (fd < 0)
		return;
	if (ftruncate(fd, (off_t)bytes) == 0)
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return;
	pthread_atfork(NULL, NULL, leave);
	began = now();
	event = p;
}

static bool is_realtime(void)
{
	long class = syscall(SYS_sched_getscheduler, 0) & ~SCHED_RESET_ON_FORK;

	return class == SCHED_FIFO || class == SCHED_RR;
}

static void note(enum event_kind kind, const void *p, size_t size, size_t align)
{
	int saved = errno;
	uint64_t i;

	if (!event || !p)
		return;
	if (!thread)
		thread = (uint64_t)syscall(SYS_gettid);
	i = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
	if (i < EVENTS_MAX) {
		event[i] = (struct event){now() - began, (uintptr_t)p, size,
			thread << 16 | (uint64_t)__builtin_ctzl(align) << 8 |
				(uint64_t)is_realtime() << 4 | kind};
		event->size = i + 1;
	}
	errno = saved;
}

static void note_free(void *p)
{
	if (event && p)
		note(EVENT_FREE, p, malloc_usable_size(p), 1);
}

EXPORT void *malloc(size_t size)
{
	void *p = __libc_malloc(size);

	note(EVENT_ALLOC, p, size, 1);
	return p;
}

EXPORT void *calloc(size_t n, size_t size)
{
	void *p = __libc_calloc(n, size);

	note(EVENT_ALLOC, p, n * size, 1);
	return p;
}

/* As if it always moved. Where it fails the old block is lost to the record. */
EXPORT void *realloc(void *old, size_t size)
{
	void *p;

	note_free(old);
	p = __libc_realloc(old, size);
	note(EVENT_ALLOC, p, size, 1);
	return p;
}

EXPORT void free(void *p)
{
	note_free(p);
	__libc_free(p);
}

EXPORT void *memalign(size_t align, size_t size)
{
	void *p = __libc_memalign(align, size);

	note(EVENT_ALLOC, p, size, align);
	return p;
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	void *p = memalign(align, size);

	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}
