/* SPDX-License-Identifier: MIT */
/*
 * cmd_audit.c - rtmem audit: which realtime thread allocates what, in a program that it
 * runs or in one that runs already
 *
 * The program is started as by rtmem run, with a directory in its environment where the
 * library writes its figures; they are complete when the program ends, also by a signal.
 * Never waits longer than the duration plus AUDIT_GRACE for what it started. One
 * that runs already (audit_join.c) is left running.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policy/system/output.h"
#include "policy/audit/audit_report.h"
#include "cmd.h"
#include "started.h"

#define AUDIT_LOOK_MS 50
#define AUDIT_GRACE   2.0 /* seconds between SIGTERM and SIGKILL */

typedef void audit_form(const struct audit_report *r, FILE *to);

struct audit {
	double duration; /* seconds; 0: until the program ends */
	pid_t pid;	 /* of a process that runs; 0: a command is started */
	bool every;
	const char *conf, *html, *output;
	audit_form *form;
	char **argv;
	struct audit_report report;
	struct started command;
	struct audit_join join;
};

static volatile sig_atomic_t asked_to_stop;

static void ask_to_stop(int signal)
{
	(void)signal;
	asked_to_stop = 1;
}

static int parsed(const struct audit *a, bool command)
{
	if (a->pid && command)
		fputs("rtmem audit: takes a command, or a process with --pid\n", stderr);
	else if (a->pid && a->conf)
		fputs("rtmem audit: --conf is for a command that is started\n", stderr);
	else if (!a->pid && !command)
		fputs("rtmem audit: no command to run (see rtmem audit --help)\n",
			stderr);
	else
		return CMD_OK;
	return CMD_USAGE;
}

static int parse(struct audit *a, int argc, char **argv)
{
	struct cmd_line l;
	int option;

	a->form = audit_text;
	cmd_begin(&l, argc, argv);
	while ((option = cmd_next(&l)) != CMD_END) {
		if (option == CMD_BAD)
			return CMD_USAGE;
		if (option == AUDIT_DURATION && !cmd_duration(l.value, &a->duration)) {
			fprintf(stderr, "rtmem audit: '%s' is no number of seconds\n",
				l.value);
			return CMD_USAGE;
		}
		if (option == AUDIT_PID && (a->pid = process_number(l.value)) < 0) {
			fputs("rtmem audit: --pid takes the number of a process\n",
				stderr);
			return CMD_USAGE;
		}
		if (option == AUDIT_CONF)
			a->conf = l.value;
		else if (option == AUDIT_ALL)
			a->every = true;
		else if (option == AUDIT_JSON)
			a->form = audit_json;
		else if (option == AUDIT_SUGGEST)
			a->form = audit_suggest;
		else if (option == AUDIT_HTML)
			a->html = l.value;
		else if (option == AUDIT_OUTPUT)
			a->output = l.value;
	}
	a->argv = argv + l.at;
	return parsed(a, l.at < argc);
}

/* In the child, before it becomes the program. */
static void prepare(void *arg)
{
	const struct audit *a = arg;

	if (setenv("RTMEM_AUDIT", a->report.dir, 1) != 0)
		_exit(126);
	unsetenv("RTMEM_AUDIT_ALL");
	if (a->every)
		setenv("RTMEM_AUDIT_ALL", "1", 1);
}

/* What a wrapper started; in a group of its own it is not ours to end. */
static bool ours(pid_t pid)
{
	return pid > 1 && getpgid(pid) == getpgrp();
}

static void tell(const struct audit *a, int signal)
{
	if (!a->command.ended)
		kill(a->command.pid, signal);
	for (int i = 0; i < a->report.nprocess; i++) {
		pid_t pid = (pid_t)a->report.process[i]->pid;

		if (pid != a->command.pid && ours(pid))
			kill(pid, signal);
	}
}

/* What the command has left running, and has an audited thread. */
static void say_left(const struct audit *a)
{
	for (int i = 0; i < a->report.nprocess; i++) {
		const struct audit_process *p = a->report.process[i];

		if (p->file->nthread && p->pid && !ours((pid_t)p->pid) &&
			process_thread((pid_t)p->pid))
			fprintf(stderr, "rtmem audit: process %u goes on\n", p->pid);
	}
}

static void say_progress(const struct audit *a, double seconds)
{
	int threads;
	uint64_t n = audit_progress(&a->report, &threads);

	fprintf(stderr, "\rrtmem audit: %.0f s, %d thread%s, %lu allocations \033[K",
		seconds, threads, threads == 1 ? "" : "s", (unsigned long)n);
}

/* Of a process that ran before: until the time is over, it has ended, or we are told. */
static void follow_joined(struct audit *a)
{
	const struct timespec nap = {0, AUDIT_LOOK_MS * 1000000};
	double start = audit_now(), said = 0;
	bool show = isatty(STDERR_FILENO), there;

	do {
		there = audit_join_goes_on(&a->join);
		audit_look(&a->report);
		if (show && audit_now() - said > 0.5) {
			said = audit_now();
			say_progress(a, said - start);
		}
		if (there)
			nanosleep(&nap, NULL);
	} while (there && !asked_to_stop &&
		 !(a->duration > 0 && audit_now() - start > a->duration));
	if (show)
		fputs("\r\033[K", stderr);
	if (!there)
		fputs("rtmem audit: the program has ended\n", stderr);
	audit_join_end(&a->join);
}

/* The command has ended: is there a daemon that goes on? One without a realtime thread is
 * given some time to get one. */
static bool leaves_something(const struct audit *a)
{
	return !a->command.alone &&
	       (audit_goes_on(&a->report) ||
		       audit_now() - a->command.ended_at < AUDIT_GRACE);
}

/* Until the program has ended; it is told to when the time is over. */
static void follow(struct audit *a)
{
	const struct timespec nap = {0, AUDIT_LOOK_MS * 1000000};
	double start = audit_now(), told = 0, said = 0;
	bool show = isatty(STDERR_FILENO), done;

	do {
		done = started_ended(&a->command);
		audit_look(&a->report);
		if (show && audit_now() - said > 0.5) {
			said = audit_now();
			say_progress(a, said - start);
		}
		if (done && (told || !leaves_something(a)))
			break;
		if (!told &&
			(asked_to_stop ||
				(a->duration > 0 && audit_now() - start > a->duration))) {
			told = audit_now();
			tell(a, SIGTERM);
			done = a->command.ended;
		} else if (told && audit_now() - told > AUDIT_GRACE) {
			tell(a, SIGKILL);
		}
		nanosleep(&nap, NULL);
	} while (!(done && told));
	if (show)
		fputs("\r\033[K", stderr);
	if (WIFSIGNALED(a->command.status) && !told)
		fprintf(stderr, "rtmem audit: the program was ended by signal %d\n",
			WTERMSIG(a->command.status));
	say_left(a);
}

static int write_to(const struct audit *a, const char *path, audit_form *form)
{
	FILE *to = path ? output_open(path) : stdout;

	if (to)
		form(&a->report, to);
	if (to && fflush(to) == 0 && !ferror(to)) {
		if (path)
			fclose(to);
		return CMD_OK;
	}
	fprintf(stderr, "rtmem audit: %s: %s\n", path ? path : "standard output",
		strerror(errno));
	return CMD_NO;
}

/* Of processes that found no room for their figures; how many. */
static int say_no_room(const struct audit_report *r)
{
	int n = 0;

	for (int i = 0; *r->dir && i < r->nprocess; i++)
		n += r->process[i]->file->no_room != 0;
	if (n)
		fprintf(stderr,
			"rtmem audit: %d process%s could not be audited: no room in %s\n",
			n, n == 1 ? "" : "es", r->dir);
	return n;
}

static int report(struct audit *a)
{
	int failed, no_room;

	if (a->report.seen == 0) {
		/* rtmem run has said why, or the program kept the preload away */
		if (WIFEXITED(a->command.status) && WEXITSTATUS(a->command.status) >= 126)
			return WEXITSTATUS(a->command.status);
		if (WIFEXITED(a->command.status) && a->conf &&
			WEXITSTATUS(a->command.status) == CMD_NO)
			return CMD_NO;
		fputs("rtmem audit: the library was not in effect in this program "
		      "(static, setuid?)\n",
			stderr);
		return CMD_NO;
	}
	no_room = say_no_room(&a->report);
	if (a->report.left_out)
		fprintf(stderr,
			"rtmem audit: %d more processes were not audited: there is room "
			"for %d\n",
			a->report.left_out, AUDIT_PROCESSES);
	if (audit_finish(&a->report) == 0) {
		if (!no_room)
			fputs("rtmem audit: no realtime thread was seen; --all audits "
			      "every thread\n",
				stderr);
		return CMD_NO;
	}
	failed = a->html ? write_to(a, a->html, audit_html) : CMD_OK;
	if (!failed && (!a->html || a->output || a->form != audit_text))
		failed = write_to(a, a->output, a->form);
	for (int i = 0; i < a->report.nprocess; i++)
		audit_process_close(a->report.process[i]);
	return failed;
}

static void take_signals(void)
{
	struct sigaction stop = {.sa_handler = ask_to_stop};

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
}

static int audit_process(struct audit *a)
{
	int failed;

	take_signals();
	failed = audit_join(&a->join, &a->report, a->pid, a->every);
	if (failed)
		return failed;
	follow_joined(a);
	audit_look(&a->report);
	return report(a);
}

static int audit_command(struct audit *a)
{
	if (!audit_directory(&a->report))
		return CMD_NO;
	if (started_begin(&a->command, a->conf, a->argv, prepare, a) < 0) {
		perror("rtmem audit: fork");
		audit_remove(&a->report);
		return CMD_NO;
	}
	take_signals();
	follow(a);
	audit_look(&a->report);
	audit_remove(&a->report);
	return report(a);
}

int cmd_audit(int argc, char **argv)
{
	static struct audit a;
	int failed = parse(&a, argc, argv);

	if (failed)
		return failed;
	return a.pid ? audit_process(&a) : audit_command(&a);
}
