/* SPDX-License-Identifier: MIT */
/*
 * init.c - start, fork and exit of the library
 *
 * The start reads the policy and looks for rules that can match this program. When there
 * is none, the library does nothing more than call jemalloc. A policy with errors means
 * one line on standard error, and plain jemalloc.
 */
#include "init.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "os/base.h"
#include "os/loader.h"
#include "os/log.h"
#include "os/proc.h"
#include "os/program.h"
#include "os/sys.h"
#include "memory/area.h"
#include "memory/image.h"
#include "engine/pools.h"
#include "engine/recycle.h"
#include "engine/tag.h"
#include "sites/site.h"
#include "trace/audit.h"
#include "decide/helper.h"
#include "decide/helper_birth.h"
#include "decide/observer.h"
#include "decide/reload.h"
#include "decide/rule.h"
#include "decide/thread.h"
#include "observe/stats.h"
#include "atfork.h"

#define INIT_MAPS_MAX (1UL << 20)
#define INIT_LEAST    (4UL << 20) /* with less there is nothing to begin with */

static struct match_process init_process; /* of the first policy */

/* ---- fork ---- */

static void (*init_children[INIT_CHILDREN])(void); /* atomic: release, acquire */

void init_child_also(void (*child)(void))
{
	for (int i = 0; i < INIT_CHILDREN; i++) {
		void (*none)(void) = NULL;

		/* release: what child looks at; pairs with init_fork_child() */
		if (__atomic_compare_exchange_n(&init_children[i], &none, child, false,
			    __ATOMIC_RELEASE, __ATOMIC_RELAXED) ||
			none == child)
			return;
	}
}

/* How long the helper may take to end its turn: 100 ms. */
#define INIT_HELPER_MOMENTS 2000

/* This fork keeps the helper waiting: to the program, there is no other thread. */
static __attribute__((tls_model("initial-exec"))) __thread bool init_fork_held;

static bool init_fork_prepare(void)
{
	proc_mine();
	init_fork_held = thread_only_one() && sys_try_hold_optional(INIT_HELPER_MOMENTS);
	/* the helper may wait for a lock of jemalloc's that this thread, interrupted, has
	 */
	if (thread_only_one() && !init_fork_held)
		base_fork_alone(true);
	loader_fork_prepare();
	area_fork_prepare();
	return !init_fork_held;
}

static void init_fork_parent(void)
{
	base_fork_alone(false);
	area_fork_parent();
	loader_fork_parent();
	if (init_fork_held)
		sys_go_on();
}

static void init_fork_child(void)
{
	base_fork_alone(false);
	init_fork_held = false;
	proc_child();
	loader_fork_child();
	lock_tid_forget();
	sys_child();
	site_child();
	audit_child();
	area_fork_child();
	image_pin_child();
	pools_child();
	rule_child();
	thread_child();
	reload_child();
	helper_child();
	stats_child();
	tag_child();
	recycle_child();
	for (int i = 0; i < INIT_CHILDREN; i++) {
		/* acquire: pairs with init_child_also() */
		void (*also)(void) = __atomic_load_n(&init_children[i], __ATOMIC_ACQUIRE);

		if (also)
			also();
	}
}

/* A process that came about without fork(), when somebody asks (proc.h). The helper may
 * have had locks of jemalloc's. */
static void init_copied(void)
{
	base_fork_child();
	init_fork_child();
}

void init_native(void)
{
	static bool done;

	if (!proc_mine() || __atomic_exchange_n(&done, true, __ATOMIC_ACQ_REL))
		return;
	proc_own(init_copied);
	stats_observe();
	helper_birth_note();
	atfork_first();
	atfork_use(init_fork_prepare, init_fork_parent, init_fork_child);
	thread_pools_exist();
}

/* ---- start ---- */

/* inherit = no: programs this one starts do not get us from it. Only our own name goes.
 */
static void init_strip_preload(char **env)
{
	for (; env && *env; env++) {
		char *value, *to, *at, *end;
		size_t len;

		if (strncmp(*env, "LD_PRELOAD=", 11))
			continue;
		value = to = at = *env + 11;
		while (*at) {
			len = strcspn(at, ": ");
			end = at + len;
			if (!memmem(at, len, "librtpreload.so", 15)) {
				if (to != value)
					*to++ = ':';
				memmove(to, at, len);
				to += len;
			}
			at = *end ? end + 1 : end;
		}
		*to = '\0';
		if (to == value)
			unsetenv("LD_PRELOAD");
		return;
	}
}

/* Is that process preloaded? Bound: INIT_MAPS_MAX bytes. */
static bool init_has_us(int pid)
{
	static const char us[] = "librtpreload.so";
	char path[32], buf[4096];
	size_t keep = 0, seen = 0;
	bool found = false;
	ssize_t n;
	int fd;

	log_format(path, sizeof(path), "/proc/%d/maps", pid);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	while (fd >= 0 && !found && seen < INIT_MAPS_MAX &&
		(n = sys_read(fd, buf + keep, sizeof(buf) - keep)) > 0) {
		size_t have = keep + (size_t)n;

		found = memmem(buf, have, us, sizeof(us) - 1) != NULL;
		/* the name may be cut: its length is kept for the next look */
		keep = have < sizeof(us) ? have : sizeof(us);
		memmove(buf, buf + have - keep, keep);
		seen += (size_t)n;
	}
	if (fd >= 0)
		sys_close(fd);
	return found;
}

/*
 * Is the program that started this one preloaded too? Then it has said the same: a script
 * would otherwise repeat the line for every command in it. What a script left behind, or
 * what stands in a pipe, has another parent, but still the script's first process as the
 * leader of its group.
 */
static bool init_another_said(void)
{
	int group = getpgrp();

	return init_has_us(getppid()) || (group != getpid() && init_has_us(group));
}

static void init_report_errors(const struct policy *p)
{
	char text[LOG_LINE_MAX];
	int first = policy_first_fatal(p);

	if (first < 0)
		first = policy_first_refused(p);
	if (first < 0 || init_another_said())
		return;
	policy_error_text(p, first, text, sizeof(text));
	if (!p->nfatal)
		log_line("%s", text);
	else if (p->nfatal > 1)
		log_line("%s (and %d more; run rtmem check): no rule is used", text,
			p->nfatal - 1);
	else
		log_line("%s: no rule is used", text);
}

static struct policy *init_read(void)
{
	struct policy *p = reload_first(getauxval(AT_SECURE) != 0);

	if (p)
		init_report_errors(p);
	if (p && p->nfatal) {
		policy_free(p);
		p = NULL;
	}
	return p;
}

/* The policy, if this program may be touched by it. An audit follows the program into
 * what it starts: wrappers are many. */
static struct policy *init_match(struct policy *p, const char *exe, char **env)
{
	log_know_stderr();
	match_process(p, exe, &init_process);
	if (!init_process.inherit && !getenv("RTMEM_AUDIT"))
		init_strip_preload(env);
	if (init_process.enabled)
		return p;
	policy_free(p);
	init_process = (struct match_process){.enabled = false};
	return NULL;
}

/* Threads are matched from now on: rules of p, or an audit, want to know them. */
static void init_rules(struct policy *p)
{
	struct rule_set *set = rule_set_new(p, &init_process);
	char note[4]; /* no pool is there yet that could be too small */

	if (!set)
		return;
	if (area_limits_leave() < INIT_LEAST) {
		log_line(
			"the limits of memory (ulimit -d, ulimit -v) leave %zu KiB: no rule is used",
			area_limits_leave() >> 9);
		return;
	}
	init_native();
	rule_set_pools(set, note, sizeof(note));
	observer()->policy_changed(p);
	site_init(&init_process);
	thread_start(set, helper_matched, helper_stop);
}

/* Runs after the constructors of libc and of what the program links. */
static __attribute__((constructor)) void init_start(int argc, char **argv, char **env)
{
	char exe[PATH_MAX];
	struct policy *p;

	base_init();
	atfork_first();
	p = init_read();
	if (!program_name(exe, sizeof(exe))) {
		log_format(exe, sizeof(exe), "?");
		if (p)
			log_line(
				"cannot tell which program this is: rules and sections that name one are not for it");
	}
	if (p)
		p = init_match(p, exe, env);
	/* for its [realtime] section, whether or not a rule can match */
	reload_use(p, exe);
	if (audit_start(exe))
		site_walk_everything();
	else if (!init_process.nrule) {
		reload_never();
		return;
	}
	init_rules(p);
}

/* ---- exit ---- */

static void init_report_pool(struct pool *p, void *arg)
{
	struct heap_stats st;

	if (!p->ready || pools_inherited(p))
		return;
	pool_say_full(p);
	if (!reload_realtime()->report)
		return;
	pool_stats(p, &st);
	log_line(
		"pool \"%s\" (rule \"%s\"): %zu KiB, %zu KiB locked, peak %zu KiB, grown %lu times, full %lu times",
		p->name, p->rule, p->area.committed >> 10, p->area.locked >> 10,
		st.peak >> 10, (unsigned long)p->growths, (unsigned long)p->full_events);
}

static __attribute__((destructor)) void init_exit(void)
{
	/* not what a parent left unsaid, and not into its page */
	if (!proc_mine())
		return;
	log_flush_posted();
	stats_exit();
	if (reload_realtime())
		pools_each(init_report_pool, NULL);
}
