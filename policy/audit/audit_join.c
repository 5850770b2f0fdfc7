/* SPDX-License-Identifier: MIT */
/*
 * audit_join.c - begin an audit in a process that runs, keep it going, end it
 *
 * What is asked for stands in the process's statistics page, which is held with flock()
 * meanwhile, so that there is one audit at a time. The figures come in a file in memory
 * of the helper thread, which is copied. When
 * this program is killed the process ends the audit by itself after three seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/system/exit.h"
#include "audit_report.h"

#define JOIN_WAIT  8.0 /* s, until it must have begun: symbols are read before */
#define JOIN_BEAT  0.5
#define JOIN_QUIET 2.0 /* s without a sign of life, until it is looked for again */

#define JOIN_AT(field)                                \
	(offsetof(struct rtmem_stats_head, request) + \
		offsetof(struct rtmem_stats_request, field))

static int join_say(pid_t pid, const char *what)
{
	fprintf(stderr, "rtmem audit: process %d: %s\n", pid, what);
	return CMD_NO;
}

static void join_pause(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static bool join_read(const struct audit_join *j, struct rtmem_stats_request *q)
{
	return pread(j->page.fd, q, sizeof(*q),
		       offsetof(struct rtmem_stats_head, request)) == sizeof(*q);
}

/* Its number and a beat, in one write: number 0 ends it. */
static bool join_ask(struct audit_join *j, uint64_t number)
{
	struct timespec ts;
	uint64_t word[2] = {number};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	word[1] = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	j->beaten = audit_now();
	return stats_ask(&j->page, word, sizeof(word), JOIN_AT(audit));
}

/* Until it has begun; an exit code. */
static int join_wait(struct audit_join *j)
{
	struct rtmem_stats_request q;
	double start = audit_now();
	pid_t pid = j->page.pid;

	while (audit_now() - start < JOIN_WAIT) {
		if (stats_ended(&j->page))
			return stats_say("audit", pid, STATS_GONE);
		if (!join_ask(j, j->number) || !join_read(j, &q))
			return stats_say("audit", pid, STATS_FOREIGN);
		if (q.going == j->number)
			return CMD_OK;
		if (q.refused == j->number)
			return join_say(pid,
				q.error == ENOMEM ? "there is no memory for an audit"
						  : "it may not make a file in memory");
		join_pause();
	}
	return join_say(pid, "its helper thread does not answer");
}

static int join_copy(struct audit_join *j, struct audit_report *r)
{
	enum stats_trouble t = STATS_OK;
	pid_t pid = j->page.pid;
	int fd = stats_find_file(pid, RTMEM_STATS_AUDIT_FILE, &t);
	struct audit_file *f = fd < 0 ? NULL : audit_copy(fd);

	if (f && audit_add(r, j->page.program, (uint32_t)pid, f, fd)) {
		r->process[r->nprocess - 1]->joined = true;
		r->process[r->nprocess - 1]->objects = audit_objects_open(pid);
		return CMD_OK;
	}
	free(f);
	if (fd >= 0)
		close(fd);
	if (stats_ended(&j->page))
		return stats_say("audit", pid, STATS_GONE);
	return join_say(pid, "its figures are damaged or of another version");
}

static int join_begin(struct audit_join *j, struct audit_report *r, bool every)
{
	struct rtmem_stats_request q;
	uint32_t all = every;
	int failed;

	if (flock(j->page.fd, LOCK_EX | LOCK_NB) != 0)
		return join_say(j->page.pid, "another rtmem audit is at it");
	if (!join_read(j, &q))
		return stats_say("audit", j->page.pid, STATS_FOREIGN);
	if (q.going == RTMEM_STATS_AUDIT_START)
		return join_say(
			j->page.pid, "it was started by rtmem audit, which is at it");
	j->number = (uint64_t)getpid() << 32 ^ (uint64_t)(audit_now() * 1e6);
	if (!stats_ask(&j->page, &all, sizeof(all), JOIN_AT(all)))
		return stats_say("audit", j->page.pid, STATS_DENIED);
	failed = join_wait(j);
	return failed ? failed : join_copy(j, r);
}

int audit_join(struct audit_join *j, struct audit_report *r, pid_t pid, bool every)
{
	enum stats_trouble t = stats_open(pid, &j->page);
	int failed;

	if (t != STATS_OK)
		return stats_say("audit", pid, t);
	j->heard = audit_now();
	failed = join_begin(j, r, every);
	if (failed)
		audit_join_end(j);
	return failed;
}

/* Nothing was published for long: is that still the page of this process? It is not after
 * an exec. */
static bool join_same(struct audit_join *j)
{
	struct stats_page now;
	struct stat was, is;
	bool same;

	if (stats_open(j->page.pid, &now) != STATS_OK)
		return false;
	same = fstat(j->page.fd, &was) == 0 && fstat(now.fd, &is) == 0 &&
	       was.st_ino == is.st_ino;
	stats_close(&now);
	return same;
}

bool audit_join_goes_on(struct audit_join *j)
{
	uint64_t published;

	if (stats_ended(&j->page))
		return false;
	if (audit_now() - j->beaten > JOIN_BEAT)
		join_ask(j, j->number);
	if (pread(j->page.fd, &published, sizeof(published),
		    offsetof(struct rtmem_stats_head, published)) != sizeof(published))
		return false;
	if (published != j->published) {
		j->published = published;
		j->heard = audit_now();
	} else if (audit_now() - j->heard > JOIN_QUIET) {
		if (!join_same(j))
			return false;
		j->heard = audit_now();
	}
	return true;
}

void audit_join_end(struct audit_join *j)
{
	struct rtmem_stats_request q;

	if (j->number && join_ask(j, 0)) {
		for (int i = 0; i < 100 && !stats_ended(&j->page); i++) {
			if (!join_read(j, &q) || q.going != j->number)
				break;
			join_pause();
		}
	}
	stats_close(&j->page);
}
