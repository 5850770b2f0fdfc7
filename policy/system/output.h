/* SPDX-License-Identifier: MIT */
/*
 * output.h - the file that a report is written into
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

/*
 * As fopen(path, "we"), but that no symbolic link is followed that belongs to another
 * user, root excepted, wherever in the path it is: who writes as root into a directory of
 * others writes there and nowhere else. NULL and errno, ELOOP for such a link.
 */
FILE *output_open(const char *path);

#endif
