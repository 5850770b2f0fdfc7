/* SPDX-License-Identifier: MIT */
/*
 * observer.h - who is told what threads, rules and the helper do
 *
 * The rooms above publish figures. This room does not know them: it calls the functions
 * that they have set. Until then nobody is told.
 */
#ifndef OBSERVER_H
#define OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

struct match_process;
struct policy;
struct reload_result;
struct slot;

struct observer {
	/* The helper begins, takes a turn, ends. now: CLOCK_MONOTONIC, ns. */
	void (*open)(int64_t now);
	void (*turn)(int64_t now);
	void (*close)(void);
	/* Under the thread lock: a matched thread has ended. */
	void (*thread_ended_locked)(struct slot *s);
	/* Under the thread lock: other rules take over. */
	void (*rules_change_locked)(
		const struct match_process *was, const struct match_process *now);
	/* A policy takes over. It lives until another one does. */
	void (*policy_changed)(const struct policy *p);
	/* Helper: has somebody asked for a reload since the last answer? */
	bool (*reload_asked)(void);
	/* Helper: what came of reloads so far; answer: of the one that was asked for. */
	void (*reload_ended)(const struct reload_result *r, bool answer);
};

/* Before the helper starts and the first thread is matched; once. */
void observer_set(const struct observer *o);
/* Never NULL. */
const struct observer *observer(void);

#endif
