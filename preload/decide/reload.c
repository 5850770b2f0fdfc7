/* SPDX-License-Identifier: MIT */
/*
 * reload.c - policy files that have changed are read again, and take over or do not
 *
 * Order: the new policy is read and checked; its call sites are compiled beside those in
 * use (site.h); its pools are made or grown; then one store puts its rules in place
 * (rule.h), and every thread is told to follow them (thread.h). Until then nothing has
 * changed, so an error leaves all as it was.
 *
 * Never on the realtime path, never a signal. What was in use before is freed later
 * (reload_retired.c).
 */
#include "reload.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "os/base.h"
#include "os/child.h"
#include "os/fd_table.h"
#include "os/log.h"
#include "os/sys.h"
#include "sites/site.h"
#include "observer.h"
#include "reload_retired.h"
#include "reload_watch.h"
#include "rule.h"
#include "thread.h"

/* A change is read when it has been the same for this long: editors write in steps. */
#define RELOAD_SETTLE_NS 200000000L
/* Looks without an event: where nothing tells of changes; and where something does, for
 * file systems that other machines write to. */
#define RELOAD_BLIND_NS 1000000000L
#define RELOAD_SURE_NS	10000000000L

#define RELOAD_NO_MEMORY "there is no memory for another policy"

/* Every [realtime] section that was in use, each once: threads read them at any time. */
struct reload_section {
	struct policy_realtime realtime;
	struct reload_section *next;
};

static struct reload_section *reload_sections;
static const struct policy_realtime
	*reload_now;		  /* atomic: release, acquire: the section is whole */
static char reload_exe[PATH_MAX]; /* "": nothing is read again */
static struct find_where reload_where = {.none = true};
static uint64_t reload_known; /* stamp of the files that were read last */
static uint64_t reload_seen;  /* and of what is there, until that is settled */
static int64_t reload_next;   /* time of the next look */
CHILD_DATA static struct reload_result reload_last;

/* Whose files were read: another root directory or user would find other ones. */
static struct reload_place {
	dev_t dev;
	ino_t ino;
	long user;
} reload_place;

static struct reload_place reload_here(void)
{
	struct reload_place here = {.user = sys_call3(SYS_geteuid, 0, 0, 0)};
	struct stat st = {0};

	sys_call3(SYS_stat, (long)"/", (long)&st, 0);
	here.dev = st.st_dev;
	here.ino = st.st_ino;
	return here;
}

static bool reload_same_place(void)
{
	struct reload_place here = reload_here();

	return here.dev == reload_place.dev && here.ino == reload_place.ino &&
	       here.user == reload_place.user;
}

/* ---- at start ---- */

const struct policy_realtime *reload_realtime(void)
{
	return __atomic_load_n(&reload_now, __ATOMIC_ACQUIRE);
}

struct policy *reload_first(bool secure)
{
	struct find_list files;
	struct policy *p = NULL;

	find_where(&reload_where, secure);
	find_again(&files, &reload_where);
	reload_place = reload_here();
	reload_known = reload_stamp(&files);
	if (!files.none && (files.n || files.explicit_file))
		p = policy_load(&files);
	find_free(&files);
	return p;
}

/* Without memory: the section before stays. */
static void reload_take_section(const struct policy *p)
{
	struct reload_section *s = reload_sections;

	while (s && memcmp(&s->realtime, &p->realtime, sizeof(s->realtime)) != 0)
		s = s->next;
	if (!s) {
		s = je_malloc(sizeof(*s));
		if (!s)
			return;
		memcpy(&s->realtime, &p->realtime, sizeof(s->realtime));
		s->next = reload_sections;
		reload_sections = s;
	}
	/* release: pairs with reload_realtime() */
	__atomic_store_n(&reload_now, &s->realtime, __ATOMIC_RELEASE);
}

void reload_use(const struct policy *p, const char *exe)
{
	log_format(reload_exe, sizeof(reload_exe), "%s", exe);
	if (p)
		reload_take_section(p);
}

void reload_never(void)
{
	find_where_free(&reload_where);
	reload_exe[0] = '\0';
}

void reload_child(void)
{
	/* what has changed since the policy was read shows by its stamp */
	reload_last = (struct reload_result){.reloads = 0};
	reload_watch_child();
}

/* ---- another policy ---- */

/* The error that a person is told: the first one that counts. */
static void reload_error(const struct policy *p, char *text, size_t len)
{
	char first[LOG_LINE_MAX];

	policy_error_text(p, policy_first_fatal(p), first, sizeof(first));
	if (p->nfatal > 1)
		log_format(text, (unsigned)len, "%s (and %d more; run rtmem check)",
			first, p->nfatal - 1);
	else
		log_format(text, (unsigned)len, "%s", first);
}

/* The rules of p for this program. */
static struct rule_set *reload_rules(struct policy *p)
{
	struct match_process m;

	match_process(p, reload_exe, &m);
	if (!m.enabled)
		m.nrule = 0;
	return rule_set_new(p, &m);
}

/* False: there was no memory for the call sites, and all is as before. */
static bool reload_sites(struct rule_set *set)
{
	const struct match_process *sites = rule_sites(set);

	return !sites || site_init(sites) != 0;
}

/* p, which is sound, takes over, or is freed. */
static bool reload_take(struct policy *p, struct reload_result *r)
{
	struct rule_set *set = reload_rules(p);
	const struct match_process *m;

	if (!set || !reload_sites(set)) {
		log_format(r->message, sizeof(r->message), RELOAD_NO_MEMORY);
		if (set)
			rule_set_free(set);
		else
			policy_free(p);
		return false;
	}
	rule_set_pools(set, r->message, sizeof(r->message));
	reload_take_section(p);
	observer()->policy_changed(p);
	thread_follow(set);
	m = rule_process(set);
	r->rules = (uint32_t)(m->nrule - m->first);
	return true;
}

/* Reads the files. True: what they say is in use now. */
static bool reload_read(const struct find_list *files, struct reload_result *r)
{
	struct policy *p = policy_load(files);

	if (!p) {
		log_format(r->message, sizeof(r->message), RELOAD_NO_MEMORY);
		return false;
	}
	if (!p->nfatal)
		return reload_take(p, r);
	reload_error(p, r->message, sizeof(r->message));
	policy_free(p);
	return false;
}

static void reload_do(const struct find_list *files, uint64_t stamp, int64_t now)
{
	struct reload_result *r = &reload_last;

	reload_known = reload_seen = stamp;
	r->refused = !reload_read(files, r);
	if (!r->refused) {
		r->reloads++;
		r->at = now;
		return;
	}
	r->failures++;
	log_line("%s: the policy in use stays", r->message);
}

/* ---- when ---- */

static void reload_refuse(const char *why)
{
	struct reload_result *r = &reload_last;

	r->refused = true;
	log_format(r->message, sizeof(r->message), "%s", why);
}

/* Somebody asked for it: at once, whether anything has changed or not. */
static void reload_asked(int64_t now)
{
	struct find_list files;

	if (!reload_exe[0]) {
		reload_refuse("no rule could match when it started: there are none to "
			      "change");
	} else if (sys_restricted()) {
		reload_refuse("the program has a system call filter: no file is opened");
	} else if (!reload_same_place()) {
		reload_refuse("the program has another root directory or user than at "
			      "its start: the files would be other ones");
	} else if (reload_where.none) {
		reload_refuse("RTMEM_CONF is empty: there is no policy to read");
	} else {
		find_again(&files, &reload_where);
		reload_do(&files, reload_stamp(&files), now);
		find_free(&files);
	}
	observer()->reload_ended(&reload_last, true);
}

/* Compares the files with those that were read, and with those of a moment ago. */
static void reload_look(int64_t now)
{
	struct find_list files;
	uint64_t stamp;
	bool told;

	find_again(&files, &reload_where);
	told = reload_watch(&reload_where, &files);
	stamp = reload_stamp(&files);
	reload_next = now + (told ? RELOAD_SURE_NS : RELOAD_BLIND_NS);
	if (stamp != reload_known && stamp != reload_seen) {
		reload_seen = stamp;
		reload_next = now + RELOAD_SETTLE_NS;
	} else if (stamp != reload_known) {
		reload_do(&files, stamp, now);
		observer()->reload_ended(&reload_last, false);
	}
	find_free(&files);
}

void reload_turn(int64_t now)
{
	reload_retired_turn(now);
	if (!fd_table_private())
		return;
	if (observer()->reload_asked()) {
		reload_asked(now);
		return;
	}
	if (!reload_exe[0] || reload_where.none || sys_restricted())
		return;
	if (reload_watch_seen() && reload_next > now + RELOAD_SETTLE_NS)
		reload_next = now + RELOAD_SETTLE_NS;
	if (now >= reload_next && reload_same_place())
		reload_look(now);
}

void reload_open(int64_t now)
{
	const struct match_process *m = rule_process(rule_in_use());

	/* the files may have changed since the policy was read: a look at once */
	reload_next = now;
	reload_seen = reload_known;
	reload_last.rules = (uint32_t)(m->nrule - m->first);
	observer()->reload_ended(&reload_last, false);
}

void reload_close(void)
{
	reload_watch_close();
}
