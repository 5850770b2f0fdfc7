/* SPDX-License-Identifier: MIT */
/*
 * match.h - from facts to the rule that wins
 *
 * Pure: no system call, no allocation, no state. The library and `rtmem explain` call the
 * same functions, so explain never contradicts the library.
 *
 * Bound: every function is linear in the number of rules and of their values.
 */
#ifndef MATCH_H
#define MATCH_H

#include "policy.h"

/* What [app] sections and `app =` conditions decide for one program, once per process. */
struct match_process {
	/* [app]: of each, the last matching section that gives it; else yes */
	bool enabled, inherit;
	int first; /* number of the first rule: 0, but where two policies meet */
	int nrule; /* one more than the last's; app and kind conditions hold here */
	const struct policy_rule *rule[POLICY_RULES_MAX]; /* reading order; bit i of a
							     mask; none below first */
};

/* exe: full path of the executable. Rules switched off by [realtime] are not in
 * out->rule; out->first is 0. */
void match_process(const struct policy *p, const char *exe, struct match_process *out);

/* The last [app] section for the program that gives this key (KEYS_AT_app_…), or NULL. */
const struct policy_app *match_app(const struct policy *p, const char *exe, int key);

/* Facts about a thread: what its candidate rules depend on. */
struct match_thread {
	const char *name; /* "" when unknown */
	int sched;	  /* SCHED_*, without SCHED_RESET_ON_FORK */
	int priority;	  /* 0 for the time-sharing classes */
};

/*
 * The rules that can still win for one thread, last written first, each with what remains
 * to be asked at each allocation. The list ends with the first that asks nothing more.
 * n == 0: jemalloc, always.
 */
struct match_candidates {
	int n;
	struct {
		uint8_t rule;  /* index into match_process.rule */
		bool ask_size; /* rule->size has to hold */
		bool ask_site; /* bit `rule` of the call-site mask has to be set */
	} cand[POLICY_RULES_MAX];
};

void match_thread(const struct match_process *m, const struct match_thread *t,
	struct match_candidates *out);

/*
 * The rule for one allocation, as an index into m->rule, or -1 for jemalloc.
 * sites: bit i is set when the callsite condition of rule i holds.
 */
int match_allocation(const struct match_process *m, const struct match_candidates *s,
	size_t size, uint64_t sites);

/* One condition each; also the parts explain prints. An absent condition holds. */
bool match_rule_app(const struct policy_rule *r, const char *exe);
bool match_rule_kind(const struct policy *p, const struct policy_rule *r);
bool match_rule_thread(const struct policy_rule *r, const char *name);
bool match_rule_sched(const struct policy_rule *r, int sched);
bool match_rule_priority(const struct policy_rule *r, int priority);
bool match_rule_size(const struct policy_rule *r, size_t size);

/*
 * One frame against the values of `callsite`. object: full path of the ELF object
 * (matched by basename, or by full path when the glob has a slash); symbol: NULL when
 * unknown; the linker's name or a demangled one, with its short forms (cxx_name.h). +1
 * some value matches it, -1 a negated value matches it, 0 neither. A rule holds at a call
 * when some frame within depth gives +1 (or every value is negated) and none gives -1.
 */
int match_site(const struct policy_rule *r, const char *object, const char *symbol);

struct match_frame {
	const char *object, *symbol; /* symbol NULL: unknown */
	const char *written;	     /* the same by its demangled name, or NULL */
};

/* frame[0] is the immediate caller, wrappers already left out. */
bool match_rule_callsite(
	const struct policy_rule *r, const struct match_frame *frame, int nframe);

/* One allocation with all facts about it, for explanations. */
struct match_call {
	const char *exe;
	struct match_thread thread;
	const struct match_frame
		*frame; /* nframe 0: not known, then no such rule holds */
	int nframe;
	bool has_size; /* false: not known, then no rule with a size holds */
	size_t size;
};

/* What one rule says to it, condition by condition; an absent condition holds. */
struct match_trace {
	const struct policy_rule *rule;
	bool app, kind, thread, sched, priority, callsite, size;
	bool wins; /* all of them */
};

/* Realtime: yes. Returns out->wins. The last rule of a policy that wins is the one the
 * library follows: it is the same functions that decide. */
bool match_trace_rule(const struct policy *p, const struct policy_rule *r,
	const struct match_call *c, struct match_trace *out);

#endif
