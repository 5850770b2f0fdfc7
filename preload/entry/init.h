/* SPDX-License-Identifier: MIT */
/*
 * init.h - start, fork, exit
 */
#ifndef INIT_H
#define INIT_H

#include "policy/policy.h"

/* Section [realtime] of the policy this process runs under; NULL before the constructor
 * and without one. */
const struct policy_realtime *init_realtime(void);

/* A pool is about to exist without a policy (native API): fork handlers and look-ups on.
 */
void init_native(void);

#endif
