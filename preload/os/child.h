/* SPDX-License-Identifier: MIT */
/*
 * child.h - how the child of a fork corrects inherited variables
 *
 * A variable that already has the right value is not written. Each page that the child
 * writes to is copied, and the copies are most of the cost of a fork.
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
