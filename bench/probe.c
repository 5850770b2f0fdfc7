/* SPDX-License-Identifier: MIT */
/*
 * probe.c - times or counts every call of an allocator, from in front of it
 *
 * Preloaded before the allocator under measurement (LD_PRELOAD="probe.so other.so"): each
 * function calls the next definition, glibc's or the other library's. Not part of the
 * product. Without PROBE_TABLE in the environment it only passes calls on.
 *
 * It never allocates, locks or prints. Counters live in a shared mapping (probe.h). A
 * call inside a call (operator new calling malloc) counts once.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include "probe.h"

#define EXPORT	      __attribute__((visibility("default")))
#define EARLY_BYTES   65536
#define INITIAL_EXEC  __attribute__((tls_model("initial-exec")))
#define NEXT(name)    ((__typeof__(next_##name))dlsym(RTLD_NEXT, #name))
#define RESOLVE(name) (next_##name = NEXT(name))

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);
static int (*next_posix_memalign)(void **, size_t, size_t);
static void *(*next_aligned_alloc)(size_t, size_t);
static void *(*next_memalign)(size_t, size_t);
static void *(*next__Znwm)(size_t);
static void *(*next__Znam)(size_t);
static void (*next__ZdlPv)(void *);
static void (*next__ZdaPv)(void *);
static void (*next__ZdlPvm)(void *, size_t);
static void (*next__ZdaPvm)(void *, size_t);

static struct probe_table *table;
static struct probe_slot no_slot; /* more threads than slots: not counted */
static INITIAL_EXEC __thread struct probe_slot *self;
static INITIAL_EXEC __thread bool nested;

/* What dlsym() might ask for while the real functions are being looked up. */
static _Alignas(16) char early[EARLY_BYTES];
static size_t early_used;
static bool resolving;

static void *early_alloc(size_t size)
{
	void *p = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	return early_used <= sizeof(early) ? p : NULL;
}

static bool is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + sizeof(early);
}

static void open_table(void)
{
	const char *path = getenv("PROBE_TABLE");
	void *p;
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return;
	table = p;
	table->pid = (uint32_t)getpid();
}

__attribute__((cold)) static void resolve(void)
{
	resolving = true;
	RESOLVE(calloc);
	RESOLVE(realloc);
	RESOLVE(free);
	RESOLVE(posix_memalign);
	RESOLVE(aligned_alloc);
	RESOLVE(memalign);
	RESOLVE(_Znwm);
	RESOLVE(_Znam);
	RESOLVE(_ZdlPv);
	RESOLVE(_ZdaPv);
	RESOLVE(_ZdlPvm);
	RESOLVE(_ZdaPvm);
	open_table();
	RESOLVE(malloc);
	resolving = false;
}

__attribute__((constructor)) static void start(void)
{
	if (next_malloc == NULL)
		resolve();
}

/* libstdc++ may come later than the first malloc (dlopen). */
__attribute__((cold, noinline)) static void resolve_cxx(void)
{
	RESOLVE(_Znwm);
	RESOLVE(_Znam);
	RESOLVE(_ZdlPv);
	RESOLVE(_ZdaPv);
	RESOLVE(_ZdlPvm);
	RESOLVE(_ZdaPvm);
}

__attribute__((cold, noinline)) static struct probe_slot *take_slot(void)
{
	uint32_t i = __atomic_fetch_add(&table->slots, 1, __ATOMIC_RELAXED);

	if (i >= PROBE_SLOTS) {
		self = &no_slot;
		return self;
	}
	self = &table->slot[i];
	memset(self->bin, 0, sizeof(self->bin)); /* touch it before anything is timed */
	self->epoch = __atomic_load_n(&table->epoch, __ATOMIC_RELAXED);
	__atomic_store_n(&self->tid, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	return self;
}

/*
 * A new epoch: counters start afresh. Only now does the thread put itself under the
 * supervisor, so that nobody who looks for a filter while starting finds one.
 */
__attribute__((cold, noinline)) static void start_afresh(
	struct probe_slot *s, uint32_t epoch)
{
	int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
	int saved = errno;

	memset(s->calls, 0,
		offsetof(struct probe_slot, policy) - offsetof(struct probe_slot, calls));
	s->epoch = epoch;
	if (table->mode == PROBE_COUNT && s != &no_slot && s->trap.listener == 0 &&
		(table->all || policy == SCHED_FIFO || policy == SCHED_RR))
		trap_child(&s->trap);
	errno = saved;
}

/* A measured call, from enter() to leave(). */
struct call {
	struct probe_slot *slot; /* NULL: not measured */
	uint64_t ticks;
	long faults;
};

static long thread_faults(void)
{
	struct rusage u;
	int saved = errno;

	getrusage(RUSAGE_THREAD, &u);
	errno = saved;
	return u.ru_minflt + u.ru_majflt;
}

static inline struct call enter(void)
{
	struct call c = {NULL, 0, 0};
	uint32_t epoch;

	if (__builtin_expect(next_malloc == NULL, 0) && !resolving)
		resolve();
	if (table == NULL || nested)
		return c;
	nested = true;
	c.slot = self ? self : take_slot();
	epoch = __atomic_load_n(&table->epoch, __ATOMIC_RELAXED);
	if (__builtin_expect(c.slot->epoch != epoch, 0))
		start_afresh(c.slot, epoch);
	if (table->mode == PROBE_COUNT) {
		c.faults = thread_faults();
		__atomic_store_n(&c.slot->inside, 1, __ATOMIC_RELEASE);
	} else {
		c.ticks = __rdtsc();
	}
	return c;
}

static inline void leave(struct call c, enum probe_op op, size_t size)
{
	uint64_t ticks;

	if (c.slot == NULL)
		return;
	if (table->mode == PROBE_COUNT) {
		__atomic_store_n(&c.slot->inside, 0, __ATOMIC_RELEASE);
		c.slot->faults += (uint64_t)(thread_faults() - c.faults);
	} else {
		unsigned aux;

		ticks = __rdtscp(&aux) - c.ticks;
		c.slot->bin[op][probe_bin(ticks)]++;
		if (ticks > c.slot->max_ticks[op])
			c.slot->max_ticks[op] = ticks;
	}
	c.slot->calls[op]++;
	c.slot->bytes += size;
	nested = false;
}

EXPORT void *malloc(size_t size)
{
	struct call c = enter();
	void *p;

	if (next_malloc == NULL)
		return early_alloc(size);
	p = next_malloc(size);
	leave(c, PROBE_ALLOC, size);
	return p;
}

EXPORT void *calloc(size_t n, size_t size)
{
	struct call c = enter();
	void *p;

	if (next_malloc == NULL)
		return early_alloc(n * size);
	p = next_calloc(n, size);
	leave(c, PROBE_ALLOC, n * size);
	return p;
}

static void *realloc_early(void *old, size_t size)
{
	size_t room = (size_t)(early + sizeof(early) - (char *)old);
	void *p = malloc(size);

	if (p)
		memcpy(p, old, size < room ? size : room);
	return p;
}

EXPORT void *realloc(void *old, size_t size)
{
	struct call c;
	void *p;

	if (is_early(old))
		return realloc_early(old, size);
	c = enter();
	if (next_malloc == NULL)
		return early_alloc(size);
	p = next_realloc(old, size);
	leave(c, PROBE_ALLOC, size);
	return p;
}

EXPORT void free(void *p)
{
	struct call c;

	if (p == NULL || is_early(p))
		return;
	c = enter();
	next_free(p);
	leave(c, PROBE_FREE, 0);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	struct call c = enter();
	int r = next_posix_memalign(out, align, size);

	leave(c, PROBE_ALLOC, size);
	return r;
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	struct call c = enter();
	void *p = next_aligned_alloc(align, size);

	leave(c, PROBE_ALLOC, size);
	return p;
}

EXPORT void *memalign(size_t align, size_t size)
{
	struct call c = enter();
	void *p = next_memalign(align, size);

	leave(c, PROBE_ALLOC, size);
	return p;
}

/* operator new and delete: a preloaded allocator may export its own. */
#define OPERATOR_NEW(name)                                \
	EXPORT void *name(size_t size);                   \
	EXPORT void *name(size_t size)                    \
	{                                                 \
		struct call c;                            \
		void *p;                                  \
                                                          \
		if (__builtin_expect(!next_##name, 0))    \
			resolve_cxx();                    \
		c = enter();                              \
		p = next_##name(size); /* it may throw */ \
		leave(c, PROBE_ALLOC, size);              \
		return p;                                 \
	}
OPERATOR_NEW(_Znwm)
OPERATOR_NEW(_Znam)

#define OPERATOR_DELETE(name, parameters, ...)         \
	EXPORT void name parameters;                   \
	EXPORT void name parameters                    \
	{                                              \
		struct call c;                         \
                                                       \
		if (p == NULL)                         \
			return;                        \
		if (__builtin_expect(!next_##name, 0)) \
			resolve_cxx();                 \
		c = enter();                           \
		next_##name(__VA_ARGS__);              \
		leave(c, PROBE_FREE, 0);               \
	}
OPERATOR_DELETE(_ZdlPv, (void *p), p)
OPERATOR_DELETE(_ZdaPv, (void *p), p)
OPERATOR_DELETE(_ZdlPvm, (void *p, size_t n), p, n)
OPERATOR_DELETE(_ZdaPvm, (void *p, size_t n), p, n)
