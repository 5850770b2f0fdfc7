/* SPDX-License-Identifier: MIT */
/*
 * parse_memory.c - the n-th allocation fails, for every n: a policy is then marked fatal
 * or not there at all, never half and silent; and everything is freed
 */
#include <dirent.h>

#include "expect.h"

/* libs: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=free */

static long fails_at = -1; /* which allocation from now on; -1: none */
static long made, live;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);

static bool fails(void)
{
	return made++ == fails_at;
}

void *__wrap_malloc(size_t size)
{
	void *p = fails() ? NULL : __real_malloc(size);

	live += p != NULL;
	return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *p = fails() ? NULL : __real_calloc(n, size);

	live += p != NULL;
	return p;
}

void *__wrap_realloc(void *old, size_t size)
{
	void *p = fails() ? NULL : __real_realloc(old, size);

	live += p != NULL && old == NULL;
	return p;
}

char *__wrap_strdup(const char *s)
{
	char *p = fails() ? NULL : __real_strdup(s);

	live += p != NULL;
	return p;
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

static const char good[] =
	"[realtime]\nvideo = yes\n[app a]\ninherit = yes\n[pool p]\nsize = 1M\n"
	"[rule r]\nthread = a, !b\ncallsite = x!y, z\nsize = 1..2\nsched = rt\npool = p\n"
	"[rule s]\napp = q\npool = jemalloc\n[pool p]\nmax = 8M\n";
static const char bad[] = "[pol x]\n[pool p]\nsize = 4Q\nlock = tri\nx\n[rule r]\n"
			  "thread = a,,b[, cccccccccccccccccccc\nsched = fif\npool = q\n";

/* Is the policy whole, and without errors? */
static bool whole(const struct policy *p)
{
	return p->nfatal == 0 && p->realtime.video && p->napp == 1 && p->npool == 1 &&
	       p->nrule == 2 && p->rule[0].thread.n == 2 && p->rule[0].callsite.n == 2 &&
	       p->rule[0].size.n == 1 && p->rule[1].app.n == 1 && p->rule[0].pool == 0 &&
	       p->rule[1].pool == POLICY_POOL_JEMALLOC && p->pool[0].max == 8 << 20;
}

static bool load(const char *file, bool is_good)
{
	struct find_list list;
	struct policy *p;
	bool failed;
	char buf[64];

	live = made = 0;
	find_named(&list, file);
	p = policy_load(&list);
	find_free(&list);
	failed = fails_at >= 0 && made > fails_at;
	if (p != NULL && is_good)
		expect(p->nfatal > 0 || whole(p), "allocation %ld: half a policy",
			fails_at);
	if (p != NULL && !is_good)
		expect(p->nfatal > 0, "allocation %ld: errors are forgotten", fails_at);
	if (p != NULL && p->nfatal > 0)
		policy_error_text(p, policy_first_fatal(p), buf, sizeof(buf));
	expect(p != NULL || failed, "no policy and no reason");
	policy_free(p);
	expect(live == 0, "allocation %ld: %ld blocks are left", fails_at, live);
	return failed;
}

static void every_allocation(const char *text, bool is_good)
{
	int fd = memfd_create("policy", MFD_CLOEXEC);
	char name[64];

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	fails_at = -1;
	load(name, is_good);
	expect(made > 20, "only %ld allocations were counted", made);
	for (fails_at = 0; load(name, is_good); fails_at++)
		;
	close(fd);
}

/* A search that lost a name must not pass for one that found less. */
static void search(void)
{
	struct find_list whole_list, list;

	setenv("XDG_CONFIG_HOME", "/proc/self", 1);
	unsetenv("RTMEM_CONF");
	fails_at = -1;
	find_files(&whole_list, false);
	for (fails_at = 0; fails_at < 8; fails_at++) {
		live = made = 0;
		find_files(&list, false);
		expect(list.lost || list.n == whole_list.n, "name %ld is lost", fails_at);
		find_free(&list);
		expect(live == 0, "name %ld: %ld blocks are left", fails_at, live);
	}
	fails_at = -1;
	find_free(&whole_list);
}

int main(void)
{
	every_allocation(good, true);
	every_allocation(bad, false);
	search();
	return expected();
}
