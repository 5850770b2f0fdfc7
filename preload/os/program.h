/* SPDX-License-Identifier: MIT */
/*
 * program.h - which program is this?
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The program's file as a person would name it: a full path where there is one, the bare
 * name of a file in memory, the name a removed file had. Started through the dynamic
 * loader it is the program, not the loader. Works without /proc. False: nobody knows.
 * Needs no more than PATH_MAX bytes; never on the realtime path.
 */
bool program_name(char *path, size_t len);

#endif
