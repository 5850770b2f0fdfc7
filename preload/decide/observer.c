/* SPDX-License-Identifier: MIT */
/*
 * observer.c - see observer.h
 */
#include "observer.h"

#include <stddef.h>

static void nobody_time(int64_t now)
{
}

static void nobody_close(void)
{
}

static void nobody_thread(struct slot *s)
{
}

static void nobody_rules(const struct match_process *was, const struct match_process *now)
{
}

static void nobody_policy(const struct policy *p)
{
}

static bool nobody_asks(void)
{
	return false;
}

static void nobody_reload(const struct reload_result *r, bool answer)
{
}

static const struct observer nobody = {nobody_time, nobody_time, nobody_close,
	nobody_thread, nobody_rules, nobody_policy, nobody_asks, nobody_reload};
static const struct observer *observer_now = &nobody;

void observer_set(const struct observer *o)
{
	/* release: pairs with observer() */
	__atomic_store_n(&observer_now, o, __ATOMIC_RELEASE);
}

const struct observer *observer(void)
{
	return __atomic_load_n(&observer_now, __ATOMIC_ACQUIRE);
}
