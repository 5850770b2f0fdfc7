/* SPDX-License-Identifier: MIT */
/*
 * cmd_report.c - rtmem report: run a program, or watch one that runs, and say whether its
 * threads got what was promised
 *
 * The page is held open, so the last figures are there when the program has ended,
 * however it did. Of a command and what it starts, the first process with a thread of a
 * rule is looked at: wrappers are many.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policy/system/output.h"
#include "policy/figures/report.h"
#include "cmd.h"
#include "started.h"

#define REPORT_LOOK  0.2 /* seconds */
#define REPORT_GRACE 2.0 /* seconds between SIGTERM and SIGKILL */

struct watcher {
	pid_t pid;
	bool child;
	struct started command;
	bool ended;
	double limit;	    /* seconds; 0: until the child ends */
	double start, told; /* told: when the child was asked to end; 0: not */
	struct report report;
};

static volatile sig_atomic_t report_stop; /* of what a command has left running */

struct report_options {
	const char *conf, *pid, *seconds, *output, *html;
	bool json;
};

static void report_pause(double seconds)
{
	nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

static bool report_ended(struct watcher *w)
{
	if (w->child)
		w->ended = started_ended(&w->command);
	else
		w->ended = stats_ended(&w->report.page);
	return w->ended;
}

/* What a wrapper started; in a group of its own it is not ours to end. */
static bool report_ours(const struct watcher *w)
{
	pid_t pid = w->report.page.pid;

	return pid > 1 && pid != w->pid && getpgid(pid) == getpgrp();
}

static void report_tell(const struct watcher *w, int signal)
{
	if (!w->ended)
		kill(w->pid, signal);
	if (report_ours(w))
		kill(w->report.page.pid, signal);
}

/* Is the time over? A command is told so, and has then to end. */
static bool report_over(struct watcher *w)
{
	double now = started_now();

	if (w->limit <= 0 || now - w->start < w->limit)
		return false;
	if (!w->child)
		return true;
	if (!w->told) {
		w->told = now;
		report_tell(w, SIGTERM);
	} else if (now - w->told > REPORT_GRACE) {
		report_tell(w, SIGKILL);
	}
	return false;
}

static bool report_matched(const struct stats_page *p)
{
	return p->copy && p->head.matched + p->head.ended > 0;
}

static void report_take(struct watcher *w, struct stats_page *page)
{
	if (w->report.page.copy)
		stats_close(&w->report.page);
	w->report.page = *page;
}

static bool report_alive(const struct stats_page *p)
{
	return p->copy && !stats_ended(p);
}

/* Of what the command has started; when that has ended, of what it has left. */
static void report_consider(struct stats_page *page, enum stats_trouble t, void *arg)
{
	struct watcher *w = arg;
	const struct stats_page *now = &w->report.page;

	if (t != STATS_OK)
		return;
	if (!report_matched(now) && process_descends(page->pid, getpid()) &&
		(report_matched(page) || (w->ended && !report_alive(now))))
		report_take(w, page);
	else
		stats_close(page);
}

/* Looks at the process with a thread of a rule: the command itself, or one that it has
 * started. Until there is one, at the command itself. */
static bool report_look(struct watcher *w, bool all)
{
	struct stats_page page;

	if (!w->report.page.copy && stats_open(w->pid, &page) == STATS_OK)
		report_take(w, &page);
	if (all && !report_matched(&w->report.page))
		stats_each_process(report_consider, w);
	return w->report.page.copy != NULL;
}

static void report_interrupted(int signal)
{
	(void)signal;
	report_stop = 1;
}

/* The command has ended: is there a daemon that goes on, and is the one to watch? One
 * that has no figures yet is given some time. */
static bool report_left(struct watcher *w)
{
	if (w->command.alone || w->told || report_stop)
		return false;
	signal(SIGINT, report_interrupted);
	signal(SIGQUIT, report_interrupted);
	if (report_alive(&w->report.page))
		return true;
	if (report_matched(&w->report.page))
		return false;
	report_look(w, true);
	return report_alive(&w->report.page) ||
	       started_now() - w->command.ended_at < REPORT_GRACE;
}

/* Nothing of it is left to be watched. */
static bool report_gone(struct watcher *w)
{
	return report_ended(w) && !(w->child && report_left(w));
}

/* The page of a program that is just starting: false when it ended before. */
static bool report_find(struct watcher *w)
{
	for (int i = 1; !report_gone(w); i++) {
		if (report_look(w, i % 20 == 0))
			return true;
		report_over(w);
		report_pause(0.005);
	}
	return false;
}

/* A page that is not written any more while its program goes on: the helper was stopped
 * and started, and has another. */
static void report_renew(struct watcher *w, uint64_t *published, double *since)
{
	struct stats_page fresh;

	if (w->report.page.head.published != *published) {
		*published = w->report.page.head.published;
		*since = started_now();
	} else if (started_now() - *since > 3 &&
		   stats_open(w->report.page.pid, &fresh) == STATS_OK) {
		report_take(w, &fresh);
		*since = started_now();
	}
}

static enum stats_trouble report_watch(struct watcher *w)
{
	double start = started_now(), since = start;
	enum stats_trouble t = STATS_OK;
	uint64_t published = 0;

	if (!w->child)
		w->start = start;
	while (t == STATS_OK && !report_gone(w) && !report_over(w)) {
		if (w->child)
			report_look(w, true);
		stats_watch(&w->report.page);
		report_faults_look(&w->report.faults, &w->report.page);
		report_pause(REPORT_LOOK);
		t = stats_read(&w->report.page);
		report_renew(w, &published, &since);
	}
	w->report.seconds = started_now() - start;
	if (t == STATS_OK)
		t = stats_read(&w->report.page);
	report_faults_look(&w->report.faults, &w->report.page);
	return t;
}

/* "the program returned 0" */
static int report_how(const struct watcher *w, char *to, size_t size)
{
	if (!w->ended)
		return snprintf(to, size, "the program goes on");
	if (!w->child)
		return snprintf(to, size, "the program has ended");
	if (w->told && w->command.ended_at >= w->told)
		return snprintf(
			to, size, "the program was asked to end after %g s", w->limit);
	if (WIFSIGNALED(w->command.status))
		return snprintf(to, size, "the program was ended by signal %d",
			WTERMSIG(w->command.status));
	return snprintf(
		to, size, "the program returned %d", WEXITSTATUS(w->command.status));
}

static void report_end(struct watcher *w)
{
	size_t size = sizeof(w->report.end);
	int n = report_how(w, w->report.end, size);

	/* one that has just been asked to end, will */
	if (w->child && w->ended && report_alive(&w->report.page) &&
		!(w->told && report_ours(w)))
		snprintf(w->report.end + n, size - (size_t)n,
			"; process %d, which it started, goes on", w->report.page.pid);
}

typedef void report_form(FILE *to, const struct report *r);

static bool report_write(const char *file, const struct report *r, report_form *form)
{
	FILE *f = output_open(file);

	if (f)
		form(f, r);
	if (f && fclose(f) == 0)
		return true;
	fprintf(stderr, "rtmem report: %s: %s\n", file, strerror(errno));
	return false;
}

/* The output of a command is its own: the report goes to standard error then. */
static int report_print(struct watcher *w, const struct report_options *o)
{
	bool kept = report_judge(&w->report), written = true;
	report_form *form = o->json ? report_json : report_text;

	if (o->output)
		written = report_write(o->output, &w->report, form);
	else
		form(w->child ? stderr : stdout, &w->report);
	if (o->html)
		written &= report_write(o->html, &w->report, report_html);
	return kept && written ? CMD_OK : CMD_NO;
}

/* Interrupts from the terminal are the program's: the report comes after it. */
static int report_command(struct watcher *w, const char *conf, char **command)
{
	w->pid = started_begin(&w->command, conf, command, NULL, NULL);
	w->child = true;
	w->start = started_now();
	if (w->pid < 0) {
		fprintf(stderr, "rtmem report: cannot start a process: %s\n",
			strerror(errno));
		return CMD_NO;
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (report_find(w))
		return CMD_OK;
	if (WIFEXITED(w->command.status) &&
		(WEXITSTATUS(w->command.status) == 126 ||
			WEXITSTATUS(w->command.status) == 127))
		return WEXITSTATUS(w->command.status);
	fputs("rtmem report: the program ended before there were figures: no rule names "
	      "it, it has one thread and not a realtime one, or it was too brief\n",
		stderr);
	return CMD_NO;
}

static int report_usage(const char *what)
{
	fprintf(stderr, "rtmem report: %s (see rtmem report --help)\n", what);
	return CMD_USAGE;
}

static int report_parse(struct cmd_line *l, struct report_options *o, struct watcher *w)
{
	const char **const to[] = {[REPORT_CONF] = &o->conf,
		[REPORT_PID] = &o->pid,
		[REPORT_SECONDS] = &o->seconds,
		[REPORT_OUTPUT] = &o->output,
		[REPORT_HTML] = &o->html};
	int option;

	while ((option = cmd_next(l)) >= 0) {
		if (option == REPORT_JSON)
			o->json = true;
		else
			*to[option] = l->value;
	}
	if (option == CMD_BAD)
		return CMD_USAGE;
	if (!o->pid == (l->at == l->argc))
		return report_usage("takes a command, or a process with --pid");
	if (o->pid && o->conf)
		return report_usage("--conf is for a command that is started");
	w->limit = o->pid ? 10 : 0;
	if (o->seconds && !cmd_duration(o->seconds, &w->limit))
		return report_usage("--seconds takes a number");
	if (o->pid && (w->pid = process_number(o->pid)) < 0)
		return report_usage("--pid takes the number of a process");
	return CMD_OK;
}

int cmd_report(int argc, char **argv)
{
	static struct watcher w;
	struct report_options o = {0};
	enum stats_trouble t = STATS_OK;
	struct cmd_line l;
	int ret;

	cmd_begin(&l, argc, argv);
	ret = report_parse(&l, &o, &w);
	if (ret != CMD_OK)
		return ret;
	if (o.pid)
		t = stats_open(w.pid, &w.report.page);
	else
		ret = report_command(&w, o.conf, argv + l.at);
	if (ret != CMD_OK)
		return ret;
	if (t == STATS_OK)
		t = report_watch(&w);
	if (t != STATS_OK)
		return stats_say("report", w.pid, t);
	report_end(&w);
	ret = report_print(&w, &o);
	stats_close(&w.report.page);
	return ret;
}
