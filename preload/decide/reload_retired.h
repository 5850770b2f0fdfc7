/* SPDX-License-Identifier: MIT */
/*
 * reload_retired.h - policies that another one has replaced are freed
 */
#ifndef RELOAD_RETIRED_H
#define RELOAD_RETIRED_H

#include <stdint.h>

/* The helper, in each turn. now: its clock, in nanoseconds. */
void reload_retired_turn(int64_t now);

#endif
