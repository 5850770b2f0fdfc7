/* SPDX-License-Identifier: MIT */
/*
 * helper_group.h - moves the helper into the control groups of its process
 *
 * A new thread begins in the group of its maker. A realtime thread may have a group of
 * its own, in which other threads get little time.
 */
#ifndef HELPER_GROUP_H
#define HELPER_GROUP_H

/* Called by the helper, once, with a descriptor table of its own. What cannot be had is
 * left. */
void helper_group_join(void);

#endif
