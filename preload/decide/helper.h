/* SPDX-License-Identifier: MIT */
/*
 * helper.h - the one background thread: everything slow that a realtime thread must not
 * do
 *
 * Commits and grows pools, takes deferred frees to jemalloc, looks at thread facts,
 * writes posted messages, publishes figures, reads the policy again. Blocks all signals,
 * has a descriptor table of its own, is named "rtmem-helper". Started at most once per
 * process, never before a second thread exists or a rule has matched a realtime one.
 */
#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>

/*
 * A thread is matched. now: the helper starts. Else the program has one thread and that
 * one is not realtime: what is slow can wait until the pool falls short, and until then
 * the program has no thread that it did not make.
 */
void helper_matched(bool now);
void helper_start(void); /* idempotent; not on the realtime path; failure is not fatal */
/* The same, and pools that may grow are looked at also while no thread is matched. */
void helper_start_growing(void);
/* The same. The helper calls fn in each turn from now on; the last fn replaces others. */
void helper_start_for(void (*fn)(void));
bool helper_running(void);
/* The program's last thread is ending: libc ends the process when no thread is left, and
 * would wait for the helper forever. Waits for its current turn. */
void helper_stop(void);
/* The program is refused a thread: ours may be the one too many. True: it has ended, for
 * good. */
bool helper_make_room(void);
void helper_child(void); /* after fork, in the child: there is none */
#endif
