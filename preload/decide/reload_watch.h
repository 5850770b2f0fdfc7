/* SPDX-License-Identifier: MIT */
/*
 * reload_watch.h - when policy files may have changed, and whether they have
 *
 * Helper only: its descriptor table is its own, so nobody sees the one for inotify(7).
 */
#ifndef RELOAD_WATCH_H
#define RELOAD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/model/policy.h"

/* What the files are: names, places and times, in one number. Any thread, at start. */
uint64_t reload_stamp(const struct find_list *files);

/* Watches the files and every directory that one may appear in, as they are now; again
 * after each change. False: not all of them can be watched, so look often. */
bool reload_watch(const struct find_where *where, const struct find_list *files);
/* Has anything happened there since the last call? */
bool reload_watch_seen(void);
void reload_watch_close(void);
/* After fork, in the child: the helper's descriptor is not there. */
void reload_watch_child(void);

#endif
