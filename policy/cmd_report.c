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

#include "cmd.h"
#include "output.h"
#include "report.h"

#define REPORT_LOOK  0.2 /* seconds */
#define REPORT_GRACE 2.0 /* seconds between SIGTERM and SIGKILL */

struct watcher {
	pid_t pid;
	bool child;
	int status; /* of the child, when it has ended */
	bool ended;
	double limit;	    /* seconds; 0: until the child ends */
	double start, told; /* told: when the child was asked to end; 0: not */
	struct report report;
};

struct report_options {
	const char *conf, *pid, *seconds, *output, *html;
	bool json;
};

static double report_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void report_pause(double seconds)
{
	nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

static bool report_ended(struct watcher *w)
{
	if (w->child && !w->ended)
		w->ended = waitpid(w->pid, &w->status, WNOHANG) == w->pid;
	else if (!w->child)
		w->ended = stats_ended(&w->report.page);
	return w->ended;
}

static void report_tell(const struct watcher *w, int signal)
{
	pid_t pid = w->report.page.pid;

	kill(w->pid, signal);
	/* what a wrapper started; in a group of its own it is not ours to end */
	if (pid > 1 && pid != w->pid && getpgid(pid) == getpgrp())
		kill(pid, signal);
}

/* Is the time over? A command is told so, and has then to end. */
static bool report_over(struct watcher *w)
{
	double now = report_now();

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

static void report_consider(struct stats_page *page, enum stats_trouble t, void *arg)
{
	struct watcher *w = arg;

	if (t != STATS_OK)
		return;
	if (report_matched(page) && !report_matched(&w->report.page) &&
		process_descends(page->pid, w->pid))
		report_take(w, page);
	else
		stats_close(page);
}

/* The command itself, or what it has started: whichever has a thread of a rule; until
 * there is one, the command itself. */
static bool report_look(struct watcher *w, bool all)
{
	struct stats_page page;

	if (!w->report.page.copy && stats_open(w->pid, &page) == STATS_OK)
		report_take(w, &page);
	if (all && !report_matched(&w->report.page))
		stats_each_process(report_consider, w);
	return w->report.page.copy != NULL;
}

/* The page of a program that is just starting: false when it ended before. */
static bool report_find(struct watcher *w)
{
	for (int i = 1; !report_ended(w); i++) {
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
		*since = report_now();
	} else if (report_now() - *since > 3 &&
		   stats_open(w->report.page.pid, &fresh) == STATS_OK) {
		report_take(w, &fresh);
		*since = report_now();
	}
}

static enum stats_trouble report_watch(struct watcher *w)
{
	double start = report_now(), since = start;
	enum stats_trouble t = STATS_OK;
	uint64_t published = 0;

	if (!w->child)
		w->start = start;
	while (t == STATS_OK && !report_ended(w) && !report_over(w)) {
		if (w->child)
			report_look(w, true);
		stats_watch(&w->report.page);
		report_faults_look(&w->report.faults, &w->report.page);
		report_pause(REPORT_LOOK);
		t = stats_read(&w->report.page);
		report_renew(w, &published, &since);
	}
	w->report.seconds = report_now() - start;
	if (t == STATS_OK)
		t = stats_read(&w->report.page);
	report_faults_look(&w->report.faults, &w->report.page);
	return t;
}

static void report_end(struct watcher *w)
{
	char *to = w->report.end;
	size_t size = sizeof(w->report.end);

	if (!w->ended)
		snprintf(to, size, "the program goes on");
	else if (!w->child)
		snprintf(to, size, "the program has ended");
	else if (w->told)
		snprintf(to, size, "the program was asked to end after %g s", w->limit);
	else if (WIFSIGNALED(w->status))
		snprintf(to, size, "the program was ended by signal %d",
			WTERMSIG(w->status));
	else
		snprintf(to, size, "the program returned %d", WEXITSTATUS(w->status));
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

/* Starts the command as rtmem run does. Interrupts from the terminal are the program's:
 * the report comes after it. */
static pid_t report_start(const char *conf, char **command, int n)
{
	char **argv = calloc((size_t)n + 5, sizeof(*argv));
	int argc = 0;
	pid_t pid;

	if (!argv)
		return -1;
	argv[argc++] = (char *)(uintptr_t) "run";
	if (conf) {
		argv[argc++] = (char *)(uintptr_t) "--conf";
		argv[argc++] = (char *)(uintptr_t)conf;
	}
	argv[argc++] = (char *)(uintptr_t) "--";
	for (int i = 0; i < n; i++)
		argv[argc++] = command[i];
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(cmd_run(argc, argv));
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	free(argv);
	return pid;
}

static int report_command(struct watcher *w, const char *conf, char **command, int n)
{
	w->pid = report_start(conf, command, n);
	w->child = true;
	w->start = report_now();
	if (w->pid < 0) {
		fprintf(stderr, "rtmem report: cannot start a process: %s\n",
			strerror(errno));
		return CMD_NO;
	}
	if (report_find(w))
		return CMD_OK;
	if (WIFEXITED(w->status) &&
		(WEXITSTATUS(w->status) == 126 || WEXITSTATUS(w->status) == 127))
		return WEXITSTATUS(w->status);
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
		ret = report_command(&w, o.conf, argv + l.at, argc - l.at);
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
