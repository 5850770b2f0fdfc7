/* SPDX-License-Identifier: MIT */
/*
 * escape.h - text in the formats the tool writes: JSON, labels of OpenMetrics, HTML
 *
 * What must not be printed (printable.h) is a '?' in all of them; a newline or tab is one
 * space, but in HTML itself.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdio.h>

/* With its quotes; '<' escaped too, so that it may stand in a script of a page. */
void escape_json(FILE *to, const char *s);
/* With its quotes. */
void escape_label(FILE *to, const char *s);
void escape_html(FILE *to, const char *s);

#endif
