/* SPDX-License-Identifier: MIT */
/*
 * cover.h - does one rule match everything another matches?
 */
#ifndef COVER_H
#define COVER_H

#include "policy.h"

/*
 * True only when it is certain that every allocation `small` matches is matched by
 * `wide`; false when it is not, when it cannot be told from the text, and when *steps,
 * which goes down with every comparison, is used up.
 */
bool cover_rule(
	const struct policy_rule *wide, const struct policy_rule *small, long *steps);

#endif
