/* SPDX-License-Identifier: MIT */
/*
 * library.h - where is librtpreload, and what does LD_PRELOAD have to say?
 *
 * Shared by every command that starts programs or reports on the installation.
 */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <limits.h>
#include <stdbool.h>

struct library {
	char path[PATH_MAX]; /* the file */
	char word[PATH_MAX]; /* what to write into LD_PRELOAD: its soname, or the path */
};

/*
 * The library that belongs to this tool: beside it (a build directory), else in ../lib
 * (an installation), else wherever the loader finds it. False: there is none.
 *
 * The word is the soname when the loader resolves it to this very file: then it also
 * works where the path is not visible. A path with a space or a colon cannot be written
 * into LD_PRELOAD: word is "" then.
 */
bool library_find(struct library *out);

/* Where the loader looks by itself; ends with NULL. */
extern const char *const library_directory[];
/* The first file of this soname in the loader's cache that fits (NULL: any); "" when
 * none.
 */
void library_cached(
	const char *soname, bool (*fits)(const char *path), char out[static PATH_MAX]);

/* Is a librtpreload named in this LD_PRELOAD value already? */
bool library_in_preload(const char *value);

#endif
