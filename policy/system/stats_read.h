/* SPDX-License-Identifier: MIT */
/*
 * stats_read.h - the statistics page of another process (include/rtmem_stats.h), as a
 * copy that can be trusted as far as its shape goes
 *
 * The page is the other program's to fill: it is opened through gate.h, for reading;
 * every offset, count and name is checked, names are made printable, nothing is mapped.
 * stats_ask() writes requests into it; nothing else is written. Nothing here waits longer
 * than it says.
 */
#ifndef STATS_READ_H
#define STATS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "process.h"
#include "rtmem_stats.h"

enum stats_trouble {
	STATS_OK,
	STATS_GONE,	/* no such process, or it has ended */
	STATS_DENIED,	/* another user's */
	STATS_NOT_OURS, /* runs without the library */
	STATS_NO_PAGE,	/* has the library, and nothing to show yet */
	STATS_FOREIGN,	/* the page is damaged or of another version */
	STATS_MANY,	/* so many pages are held that there is no room for it */
};

struct stats_page {
	pid_t pid;
	int fd, pidfd;
	char name[PROCESS_NAME]; /* base name of the executable, as its bytes are */
	char program[64];	 /* the same, printable */
	unsigned char *copy;
	size_t size;
	struct rtmem_stats_head head; /* of the copy */
};

/* Finds, opens and reads the page. On any trouble nothing is left open. */
enum stats_trouble stats_open(pid_t pid, struct stats_page *p);
/* A new copy, of one moment; at most 0.1 s. The old one stays on trouble. Works after the
 * process has ended, with its last figures. */
enum stats_trouble stats_read(struct stats_page *p);
void stats_close(struct stats_page *p);
/* The first copy, of p->fd: finds out how long the page is. */
enum stats_trouble stats_read_first(struct stats_page *p);

/* Has the process ended? */
bool stats_ended(const struct stats_page *p);
/* Writes n bytes at that offset: a request. False: it may not be written. */
bool stats_ask(const struct stats_page *p, const void *data, size_t n, size_t at);
/* Ask it to count for three more seconds. False: the page may not be written. */
bool stats_watch(struct stats_page *p);
/* Watch, and wait at most a second for figures that were counted: a fresh copy. */
enum stats_trouble stats_wait(struct stats_page *p);

/* Record i of a section, i < s->n; never NULL. */
const void *stats_record(
	const struct stats_page *p, const struct rtmem_stats_section *s, uint32_t i);

/* stats_file.c: a file in memory that the helper of a process has open, by the name it
 * was made with; for reading. -1: there is none, or *t says why. */
int stats_find_file(pid_t pid, const char *file, enum stats_trouble *t);
/* Processor time this thread has used, s. */
double stats_busy(void);

/* "rtmem stat: process 12: …" on standard error; returns CMD_NO. */
int stats_say(const char *command, pid_t pid, enum stats_trouble t);

/*
 * Calls fn for every process that runs with the library and that this user may look at,
 * in order of numbers; t is STATS_OK, STATS_NO_PAGE or STATS_FOREIGN, and page is open
 * when it is STATS_OK: fn closes or keeps it.
 */
void stats_each_process(
	void (*fn)(struct stats_page *page, enum stats_trouble t, void *arg), void *arg);

#endif
