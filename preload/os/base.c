/* SPDX-License-Identifier: MIT */
/*
 * base.c - the one file that knows jemalloc
 *
 * jemalloc is linked as a private copy whose public names objcopy turned into je_* and
 * whose memory system calls it turned into base_* (base.syms). Ours leave errno alone, so
 * free() keeps errno when jemalloc gives memory back to the kernel.
 *
 * Never called on the realtime path.
 */
#include "base.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libc.h"
#include "log.h"
#include "sys.h"

/*
 * Defaults for programs that tune for realtime; what the program's own malloc_conf says
 * goes behind them and wins, then /etc/malloc.conf, then MALLOC_CONF. Blocks up to 128
 * KiB stay in the thread's cache (a pair of 64 KiB: 38 ns instead of 466). Decay stays at
 * jemalloc's 10 s: 0 would send 7,400 TLB-shootdown interrupts a second to every thread.
 */
#define BASE_SHARE     (64UL << 20) /* of a limit, for each arena */
#define BASE_TABLE     (1UL << 30)  /* addresses that one of its tables is for */
#define BASE_CHUNK     (2UL << 20)  /* what jemalloc aligns large pieces to */
#define BASE_STACK_GAP (1UL << 20)  /* that the kernel keeps below a stack */
#define BASE_APART     (8UL << 20)  /* bytes at most, see base_is_apart() */
static char base_conf[1024] = "tcache_max:131072";
extern const char *je_malloc_conf;
const char *je_malloc_conf = base_conf;

/* jemalloc's public variable: a program that defines it means us. */
__attribute__((visibility("default"))) const char *malloc_conf;

/* jemalloc's hook for messages, exported as in jemalloc; NULL: standard error. */
__attribute__((visibility("default"))) void (*malloc_message)(
	void *arg, const char *text);
extern void (*je_malloc_message)(void *arg, const char *text);

/* jemalloc's table from (size + 7) / 8 to size class, for small sizes. */
extern uint8_t je_sz_size2index_tab[];

static void base_message(void *arg, const char *text)
{
	if (malloc_message)
		malloc_message(arg, text);
	else
		sys_write(2, text, strlen(text));
}

static void base_append_conf(const char *theirs)
{
	size_t len = strlen(base_conf), more = theirs ? strlen(theirs) : 0;

	if (!more || len + 1 + more >= sizeof(base_conf))
		return;
	base_conf[len] = ',';
	memcpy(base_conf + len + 1, theirs, more + 1);
}

/* The addresses in which jemalloc's memory is wished, and from where on the next one is;
 * 0: anywhere. base_next: atomic, relaxed: a wish. */
static uintptr_t base_wished, base_next;

/*
 * A program that may have little has little taken: each of jemalloc's arenas costs 4 MiB
 * at once, and address space that it keeps for later counts. For each gigabyte of
 * addresses in which it has something jemalloc has a table of 2 MiB: so all is wished in
 * one, that below the library's own.
 */
static void base_fit_limits(void)
{
	static const int kinds[] = {RLIMIT_DATA, RLIMIT_AS};
	size_t least = SIZE_MAX;
	struct rlimit limit;
	char text[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (sys_call4(SYS_prlimit64, 0, kinds[i], 0, (long)&limit) == 0 &&
			limit.rlim_cur < least)
			least = limit.rlim_cur;
	if (least >= BASE_SHARE * 8)
		return;
	log_format(text, sizeof(text), "retain:false,narenas:%zu",
		least < BASE_SHARE ? 1 : least / BASE_SHARE);
	base_append_conf(text);
	base_wished = base_next = ((uintptr_t)&base_next & -BASE_TABLE) - BASE_TABLE;
	if (least < BASE_SHARE)
		base_append_conf("tcache_max:32768");
}

extern void *__libc_stack_end; /* the loader's: where the kernel put argc */

/*
 * Before libc has started (an IFUNC resolver allocates) its environ is not set, and
 * jemalloc would miss MALLOC_CONF. NULL also when the program has none.
 */
static char **base_early_environ(void)
{
	char **argv = (char **)__libc_stack_end + 1;
	long argc = *(long *)__libc_stack_end;

	return argv[argc] ? NULL : argv + argc + 1;
}

/* jemalloc's first call: it looks at its options. False: there is no memory for it. */
static bool base_first_call(void)
{
	bool early = environ == NULL;
	void *p;

	if (early)
		environ = base_early_environ();
	p = je_malloc(16);
	je_free(p);
	if (early)
		environ = NULL;
	return p != NULL;
}

/*
 * jemalloc's smallest class has 8 bytes, at 8-byte alignment; x86-64 asks for 16 at every
 * size. Sizes 0..8 are sent to class 1 (16 bytes) once the table is there; every size to
 * class computation of jemalloc goes through it, so sized frees agree.
 */
void base_init(void)
{
	static bool done, told;

	if (__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		return;
	if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED)) {
		base_fit_limits();
		base_append_conf(malloc_conf);
	}
	if (!base_first_call())
		return; /* it begins anew at the next call, and so do we */
	je_sz_size2index_tab[0] = 1;
	je_sz_size2index_tab[1] = 1;
	je_malloc_message = base_message;
	/* release: pairs with the acquire above; a second caller would write the same
	 * values */
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
}

/* ---- fork ---- */

/* jemalloc's own handlers, as it gave them (base.syms); none before its first call. */
static void (*base_fork[3])(void);

int base_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	base_fork[1] = parent;
	base_fork[2] = child;
	/* release: the others; pairs with base_fork_prepare() */
	__atomic_store_n(&base_fork[0], prepare, __ATOMIC_RELEASE);
	return 0;
}

void base_fork_prepare(void)
{
	/* acquire: pairs with base_atfork() */
	void (*prepare)(void) = __atomic_load_n(&base_fork[0], __ATOMIC_ACQUIRE);

	if (prepare)
		prepare();
}

void base_fork_parent(void)
{
	if (base_fork[1])
		base_fork[1]();
}

void base_fork_child(void)
{
	if (base_fork[2])
		base_fork[2]();
}

void base_thread_warm(void)
{
	je_free(je_malloc(64));
}

static void base_set_all_arenas(const char *name, ssize_t value)
{
	size_t mib[3], miblen = 3, len = sizeof(unsigned);
	unsigned n = 0;

	if (je_mallctl("arenas.narenas", &n, &len, NULL, 0) ||
		je_mallctlnametomib(name, mib, &miblen))
		return;
	for (unsigned i = 0; i < n; i++) {
		mib[1] = i;
		je_mallctlbymib(mib, miblen, NULL, NULL, &value, sizeof(value));
	}
}

void base_keep_pages(void)
{
	ssize_t forever = -1;

	/* arenas to come, then those that are there */
	je_mallctl("arenas.dirty_decay_ms", NULL, NULL, &forever, sizeof(forever));
	je_mallctl("arenas.muzzy_decay_ms", NULL, NULL, &forever, sizeof(forever));
	base_set_all_arenas("arena.0.dirty_decay_ms", forever);
	base_set_all_arenas("arena.0.muzzy_decay_ms", forever);
}

/* MALLCTL_ARENAS_ALL: arena.4096 means all of them. */
void base_purge(void)
{
	je_mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
}

__thread uint32_t base_system_calls;

/* From the first address on, and again when the last is reached. Where something is
 * already, and for the second of two threads with one wish, the kernel finds a place. */
static void *base_wish(size_t len)
{
	uintptr_t at = __atomic_load_n(&base_next, __ATOMIC_RELAXED);

	if (!at)
		return NULL;
	if (len >= BASE_CHUNK)
		at = (at + BASE_STACK_GAP + BASE_CHUNK - 1) & -BASE_CHUNK;
	if (at + len > base_wished + BASE_TABLE)
		at = base_wished;
	__atomic_store_n(&base_next, at + len, __ATOMIC_RELAXED);
	return (void *)at;
}

/*
 * jemalloc takes 6 MiB for its own books before the first block, of which it writes to a
 * few pages. Where a program may have little data that would be all of it. So the first
 * of those mappings are stacks to the kernel, which RLIMIT_DATA does not count; blocks
 * are in mappings of other sizes.
 */
static bool base_is_apart(size_t len)
{
	static size_t apart; /* atomic, relaxed: a limit */

	return base_wished && len % BASE_CHUNK == 0 &&
	       __atomic_add_fetch(&apart, len, __ATOMIC_RELAXED) <= BASE_APART;
}

void *base_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	long r;

	if (!at && base_is_apart(len))
		flags |= MAP_GROWSDOWN;
	if (!at)
		at = base_wish(len);
	r = sys_mmap(at, len, prot, flags, fd, off);
	base_system_calls++;
	return sys_is_error(r) ? MAP_FAILED : (void *)r;
}

int base_munmap(void *at, size_t len)
{
	base_system_calls++;
	return sys_munmap(at, len) < 0 ? -1 : 0;
}

int base_mprotect(void *at, size_t len, int prot)
{
	base_system_calls++;
	return sys_mprotect(at, len, prot) < 0 ? -1 : 0;
}

int base_madvise(void *at, size_t len, int advice)
{
	int ret = -1;

	base_system_calls++;
	/* advice only: jemalloc does without where a filter might end the program for it
	 */
	if (sys_try_optional()) {
		if (!sys_restricted() && sys_madvise(at, len, advice) >= 0)
			ret = 0;
		sys_end_optional();
	}
	return ret;
}

/* For its background threads, which nobody in front of libc is to see. */
void *base_dlsym(void *handle, const char *name)
{
	return libc_find(name);
}
