/* SPDX-License-Identifier: MIT */
/*
 * child.h - how the child of a fork puts right what it inherited
 *
 * What has the right value is not written: each page that the child writes to is copied,
 * which is most of what a fork costs.
 */
#ifndef CHILD_H
#define CHILD_H

/* Small variables that each child looks at or sets lie side by side. */
#define CHILD_DATA __attribute__((section("rtmem_child")))

#define CHILD_SET(variable, value)            \
	do {                                  \
		if ((variable) != (value))    \
			(variable) = (value); \
	} while (0)

#endif
