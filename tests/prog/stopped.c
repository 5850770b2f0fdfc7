/* SPDX-License-Identifier: MIT */
/*
 * stopped.c CASE [POLICY] - a thread is stopped at each of its instructions; another goes
 * on
 *
 * The process has a thread "rt" that a rule matches, a thread that does what CASE says,
 * the library's helper, and threads that own heaps of the same pool. All but "rt" are
 * stopped by a tracer, which steps one of them: the thread of CASE, or the helper. At
 * each instruction of the library that one stands still, and "rt" does a batch of mallocs
 * and frees: of cached sizes and larger ones, of blocks of other heaps, aligned, resized.
 * The batch has to end, each block has to come from the pool, and "rt" dies of any system
 * call but the one by which it waits for the next batch.
 *
 * Behind the first EVERY instructions of the library one is tried the first FIRST times
 * it is reached, and each LATER-th whatever it is: some cases have loops of many
 * thousands.
 *
 * CASE "native" is the one that has to fail: both use a pool that has a lock.
 *
 * POLICY: what takes the place of the file $RTMEM_CONF when CASE is "reload".
 * Exit 0 and one line: what was stepped. 1: what went wrong, and where.
 */
#include <sys/mman.h>

#include "stopped.h"

#define EVERY	8000
#define FIRST	2
#define LATER	64
#define LIVE	32
#define BATCH	24
#define BLOCKS	40	      /* of "rt", for others to free */
#define FOREIGN 24000	      /* of another heap, for "rt" to free */
#define FEW	500	      /* of these where they are one by one in the way */
#define LARGE	(200UL << 10) /* beyond every bin of a cache; twice: beyond a part */
#define OWNERS	8	      /* ordinary threads that have a heap of their own at most */

struct scene {
	const char *name;
	const char *thread; /* that is stepped; NULL: the helper is */
	size_t size;	    /* of the blocks of "rt" that others free */
	int owners;	    /* threads that took heaps before it */
	bool few, third_ends, ends, native;
	void (*before)(void), (*work)(void);
};

static const struct scene *scene;
static void *block[BLOCKS], *foreign[FOREIGN], *kept[BLOCKS];
static rtm_pool *pool;	 /* of the first block of "rt" */
static rtm_pool *native; /* one that has a lock */

static void failed(const char *what)
{
	snprintf(sh->failed, sizeof(sh->failed), "%s", what);
}

/* ---- the realtime thread ---- */

static uint64_t seed = 88172645463325252UL;

static size_t random_below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % n;
}

static void *checked(void *p)
{
	rtm_pool *mine = p ? rtm_get_pool(NULL, p) : NULL;

	if (!p)
		failed("an allocation failed");
	else if (!mine)
		failed("a block is not of a pool");
	else if (mine != pool)
		__atomic_store_n(&sh->moved, 1, __ATOMIC_RELEASE);
	return p;
}

static void odd_blocks(void)
{
	void *p = checked(aligned_alloc(256, 3000 + random_below(3000)));

	p = checked(realloc(p, 9000 + random_below(60000)));
	free(p);
	free(checked(calloc(3, 500 + random_below(500))));
}

static void batch_of_realtime(void)
{
	static void *live[LIVE], *large;
	static unsigned next_foreign;
	static size_t hoarded;

	for (; hoarded < sh->hoard; hoarded += 50000)
		checked(malloc(50000));
	for (int i = 0; i < BATCH; i++) {
		size_t k = random_below(LIVE);

		free(live[k]);
		live[k] = checked(malloc(16 + (random_below(65521) >> random_below(12))));
	}
	free(large);
	large = checked(malloc(100000 + random_below(sh->hoard ? 100000 : 250000)));
	odd_blocks();
	if (native)
		rtm_free(rtm_alloc(native, 100));
	for (int i = 0; i < 4 && next_foreign < FOREIGN - BLOCKS; i++)
		free(foreign[next_foreign++]);
}

static void *realtime(void *arg)
{
	uint32_t done = 0;

	prctl(PR_SET_NAME, "rt");
	pool = rtm_get_pool(NULL, block[0] = malloc(100));
	for (int i = 0; i < BLOCKS; i++)
		block[i] = checked(malloc(scene->size));
	sh->rt = (pid_t)raw(SYS_gettid, NULL, 0, 0, NULL);
	if (!forbid_system_calls(sh))
		failed("no filter");
	tell(&sh->ready, sh->ready + 1);
	for (;;) {
		wait_while(&sh->asked, done, NULL);
		batch_of_realtime();
		tell(&sh->done, ++done);
	}
	return arg;
}

/* ---- the others ---- */

/* Asked for by name in the policy. */
__attribute__((noinline)) void *elsewhere(size_t n)
{
	void *p = malloc(n);

	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

static void keep(int i, void *p)
{
	if (!p || rtm_get_pool(NULL, p) != pool)
		failed("a block of the other thread is not of the pool");
	kept[i] = p;
}

static void allocate_and_free(void)
{
	for (int i = 0; i < 8; i++)
		keep(i, elsewhere(i == 7 ? 2 * LARGE : 100UL << i));
	for (int i = 0; i < 8; i++)
		free(kept[i]);
}

static void free_blocks(void)
{
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
}

static void free_a_few(void)
{
	for (int i = 0; i < 6; i++)
		free(block[i]);
}

/* In turn of the two heaps; "rt" leaves these alone. */
static void free_of_both(void)
{
	for (int i = 0; i < 10; i++) {
		free(block[i]);
		free(foreign[FOREIGN - 1 - i]);
	}
}

/* Blocks of its own heap and of that of "rt" are in its cache. */
static void fill_cache(void)
{
	for (int i = 0; i < BLOCKS; i++)
		keep(i, elsewhere(i == 1 ? LARGE : scene->size));
	for (int i = 0; i < BLOCKS; i++)
		free(kept[i]);
	for (int i = 0; i < BLOCKS / 2; i++)
		free(block[BLOCKS / 2 + i]);
}

static void free_other_half(void)
{
	for (int i = 0; i < BLOCKS / 2; i++)
		free(block[i]);
}

static void use_native(void)
{
	for (int i = 0; i < 8; i++)
		rtm_free(rtm_alloc(native, 100));
}

static void become_matched(void)
{
	prctl(PR_SET_NAME, "second");
	allocate_and_free();
}

static void *third(void *arg)
{
	prctl(PR_SET_NAME, "third");
	for (int i = 0; i < (scene->few ? FEW : FOREIGN); i++)
		foreign[i] = malloc(100);
	if (!scene->third_ends) {
		tell(&sh->ready, sh->ready + 1);
		wait_while(&sh->never, 0, NULL);
	}
	return arg;
}

static void *owner(void *arg)
{
	prctl(PR_SET_NAME, "site");
	free(elsewhere(100));
	tell(&sh->ready, sh->ready + 1);
	wait_while(&sh->never, 0, NULL);
	return arg;
}

static void *other(void *arg)
{
	prctl(PR_SET_NAME, scene->thread ? scene->thread : "plain");
	sh->other = (pid_t)raw(SYS_gettid, NULL, 0, 0, NULL);
	if (scene->before)
		scene->before();
	tell(&sh->ready, sh->ready + 1);
	wait_while(&sh->go, 0, NULL);
	if (scene->work)
		scene->work();
	if (!scene->ends)
		tell(&sh->over, 1);
	return arg;
}

static void begin(void *(*fn)(void *), bool ends)
{
	uint32_t had = sh->ready;
	pthread_t t;

	if (pthread_create(&t, NULL, fn, NULL))
		_exit(3);
	if (ends)
		pthread_join(t, NULL);
	else
		wait_while(&sh->ready, had, NULL);
}

static void process(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (scene->native && rtm_create_pool(&native, 100000, "native"))
		_exit(3);
	begin(realtime, false);
	begin(third, scene->third_ends);
	for (int i = 0; i < scene->owners; i++)
		begin(owner, false);
	begin(other, false);
	/* this one, the helper, the third and the other, and those owners */
	sh->threads = 3U + !scene->third_ends + (unsigned)scene->owners;
	tell(&sh->ready, 100);
	wait_while(&sh->never, 0, NULL);
}

/* ---- the tracer ---- */

static const struct scene scenes[] = {
	{"free-small", "plain", 100, .work = free_blocks},
	{"free-large", "plain", LARGE, .work = free_a_few},
	{"free-foreign", "plain", 1000, .work = free_of_both},
	{"matched-free-small", "second", 1000, .before = fill_cache,
		.work = free_other_half},
	{"matched-free-large", "second", LARGE, .before = allocate_and_free,
		.work = free_a_few},
	{"matched-free-foreign", "second", 100, .before = fill_cache,
		.work = free_of_both},
	{"malloc-own", "second", 100, .before = allocate_and_free,
		.work = allocate_and_free},
	{"malloc-site", "site", 100, .before = allocate_and_free,
		.work = allocate_and_free},
	{"malloc-shared", "site", 100, OWNERS, .before = allocate_and_free,
		.work = allocate_and_free},
	{"exit", "second", 1000, .ends = true, .before = fill_cache},
	{"adopt", "plain", 100, .few = true, .third_ends = true, .work = become_matched},
	{"native", "plain", 100, .native = true, .work = use_native},
	{"grow", .few = true, .size = 100},
	{"reload", .few = true, .size = 100},
};

/* Is this instruction one at which "rt" has its turn? */
static bool wanted(struct tracer *t, const struct user_regs_struct *r)
{
	uintptr_t at = r->rip - t->lo;

	if (at >= t->hi - t->lo)
		return false;
	t->at = at;
	t->inside++;
	if (visits[at] < FIRST)
		return ++visits[at];
	return t->inside <= EVERY || t->inside % LATER == 0;
}

static void step_all(struct tracer *t)
{
	int turns = 0, most = strcmp(t->name, "grow") ? 100000 : 3;
	struct user_regs_struct r;
	time_t since = time(NULL) + 9 * PATIENCE; /* it is all of the case */

	while (!__atomic_load_n(&sh->over, __ATOMIC_ACQUIRE) &&
		go_on(t, PTRACE_SINGLESTEP, &r)) {
		if (wanted(t, &r)) {
			t->tried++;
			batch(t);
		}
		check_patience(t, since, "the stepped thread does not come to an end");
		if (scene->thread || r.rcx != r.rip || !helper_sleeps(&r))
			continue;
		if (++turns == most || sh->moved)
			break;
	}
}

/* Of the helper's cases: what it is to have done. */
static void let_helper_work(struct tracer *t, const char *policy)
{
	if (!strcmp(t->name, "grow")) {
		sh->hoard = 2400000;
		batch(t);
		step_all(t);
		sh->hoard = 4300000; /* more than the pool began with */
		batch(t);
		return;
	}
	if (rename(policy, getenv("RTMEM_CONF")))
		give_up(t, "no other policy");
	run_until_open(t, getenv("RTMEM_CONF"));
	step_all(t);
	if (!sh->moved)
		give_up(t, "the new policy was not followed");
}

int main(int argc, char **argv)
{
	struct tracer t = {.name = argc > 1 ? argv[1] : ""};

	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
		if (!strcmp(scenes[i].name, t.name))
			scene = &scenes[i];
	sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!scene || !rtm_get_pool || sh == MAP_FAILED)
		return 2;
	start(&t, process);
	stop_all(&t);
	find_library(&t);
	t.tid = scene->thread ? sh->other : t.helper;
	batch(&t);
	tell(&sh->go, 1);
	if (scene->thread)
		step_all(&t);
	else
		let_helper_work(&t, argc > 2 ? argv[2] : "");
	batch(&t);
	if (!t.tried)
		give_up(&t, "nothing of the library was stepped");
	printf("%s: %ld of %ld instructions of the library\n", t.name, t.tried, t.inside);
	kill(t.pid, SIGKILL);
	return 0;
}
