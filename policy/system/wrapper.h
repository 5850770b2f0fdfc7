/* SPDX-License-Identifier: MIT */
/*
 * wrapper.h - commands that start another one: which is that, and does it get the
 * preload?
 *
 * Knows them by name (nice, env, sudo …) and looks at the words of the command line;
 * nothing is started or opened but to see whether a word is a program.
 */
#ifndef WRAPPER_H
#define WRAPPER_H

#include <stdbool.h>
#include <stddef.h>

/* Does argv[0] keep the preload from what it starts? Then the sentence says why, with the
 * cure. */
bool wrapper_drops(char *const argv[], char *sentence, size_t size);

/* The words of the command that argv[0] starts in its own place or as a child; NULL: it
 * is no such program, or none of the words is one. */
char *const *wrapper_inner(char *const argv[]);

#endif
