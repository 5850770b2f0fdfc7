/* SPDX-License-Identifier: MIT */
/*
 * helper_group.h - the helper's control groups: its process's, not its maker's
 *
 * A realtime thread may have a group of its own, with a processor of its own or with
 * little time for others, and a new thread is where its maker is.
 */
#ifndef HELPER_GROUP_H
#define HELPER_GROUP_H

/* Called by the helper, once, with a descriptor table of its own. What cannot be had is
 * left. */
void helper_group_join(void);

#endif
