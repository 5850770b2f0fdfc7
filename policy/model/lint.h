/* SPDX-License-Identifier: MIT */
/*
 * lint.h - what can only be judged when all files are read: rules against pools, rules
 * against rules
 */
#ifndef LINT_H
#define LINT_H

#include "policy.h"

/* Resolves pool names, fills in what depends on other values, adds errors and warnings.
 */
void lint(struct policy *p);

#endif
