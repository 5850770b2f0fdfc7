/* SPDX-License-Identifier: MIT */
/*
 * preflight.h - would a preload reach this program, and would it agree with it?
 *
 * One sentence per obstacle: what is wrong, why, and the cure. No cure is a file
 * capability: with one, the loader drops the preload without a word.
 */
#ifndef PREFLIGHT_H
#define PREFLIGHT_H

#include "elf_facts.h"

/*
 * Calls say(sentence, arg) for each obstacle; returns how many. Sentences begin with the
 * program's path and have no newline.
 */
int preflight(const struct elf_facts *f, void (*say)(const char *sentence, void *arg),
	void *arg);

#endif
