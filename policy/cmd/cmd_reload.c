/* SPDX-License-Identifier: MIT */
/*
 * cmd_reload.c - rtmem reload: a running process reads its policy again, now
 *
 * The process is asked through its statistics page, and answers there: no signal is sent,
 * nothing of it is stopped. Waits RELOAD_WAIT_MS for each process, no longer.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "policy/system/stats_read.h"
#include "cmd.h"

#define RELOAD_WAIT_MS 5000
#define RELOAD_STEP_MS 10

struct reload {
	const char *name; /* of the programs; NULL: all */
	int n;		  /* processes asked */
	int ret;
};

static int reload_say(const struct stats_page *p, const char *text)
{
	fprintf(stderr, "rtmem reload: process %d (%s): %s\n", p->pid, p->program, text);
	return CMD_NO;
}

/* A number that nobody else has written there. */
static uint64_t reload_number(const struct stats_page *p)
{
	uint64_t number = 0;

	while (number == 0 || number == p->head.reload ||
		number == p->head.reload_answered) {
		if (getrandom(&number, sizeof(number), GRND_NONBLOCK) !=
			(ssize_t)sizeof(number))
			number = (p->head.reload + 1) ^ (uint64_t)getpid() << 32;
	}
	return number;
}

static bool reload_ask(const struct stats_page *p, uint64_t number)
{
	return stats_ask(
		p, &number, sizeof(number), offsetof(struct rtmem_stats_head, reload));
}

/* NULL: answered; else why not. Somebody else may ask at the same time: the helper
 * answers the number it sees, so ours is written again. */
static const char *reload_wait(struct stats_page *p, uint64_t number)
{
	const struct timespec step = {.tv_nsec = RELOAD_STEP_MS * 1000000L};

	for (int ms = 0; ms < RELOAD_WAIT_MS; ms += RELOAD_STEP_MS) {
		if (stats_ended(p))
			return "ended before it answered";
		nanosleep(&step, NULL);
		if (stats_read(p) != STATS_OK)
			return "its statistics page is damaged";
		if (p->head.reload_answered == number)
			return NULL;
		if (p->head.reload != number && !reload_ask(p, number))
			return "its statistics page may not be written";
	}
	return "no answer: it is stopped, or its helper thread gets no processor time";
}

static int reload_answer(const struct stats_page *p)
{
	const struct rtmem_stats_head *h = &p->head;
	char text[sizeof(h->reload_message) + 64];

	if (h->reload_status != RTMEM_STATS_RELOAD_DONE) {
		snprintf(text, sizeof(text), "keeps its policy: %s", h->reload_message);
		return reload_say(p, text);
	}
	printf("%d (%s): reloaded, %u rule%s of %u file%s%s%s\n", p->pid, p->program,
		h->reload_rules, h->reload_rules == 1 ? "" : "s", h->files,
		h->files == 1 ? "" : "s", h->reload_message[0] ? "; " : "",
		h->reload_message);
	return CMD_OK;
}

static int reload_page(struct stats_page *p)
{
	uint64_t number = reload_number(p);
	const char *wrong;

	if (!reload_ask(p, number))
		return reload_say(p, "its statistics page may not be written");
	wrong = reload_wait(p, number);
	return wrong ? reload_say(p, wrong) : reload_answer(p);
}

static int reload_without(pid_t pid, enum stats_trouble t)
{
	if (t != STATS_NO_PAGE)
		return stats_say("reload", pid, t);
	fprintf(stderr,
		"rtmem reload: process %d: it cannot be reloaded: no rule named it when "
		"it started, its one thread has needed no helper yet, or it was started "
		"with raised rights\n",
		pid);
	return CMD_NO;
}

static int reload_process(pid_t pid)
{
	struct stats_page p;
	enum stats_trouble t = stats_open(pid, &p);
	int ret;

	if (t != STATS_OK)
		return reload_without(pid, t);
	ret = reload_page(&p);
	stats_close(&p);
	return ret;
}

/* One of all: those without a page are passed over, unless they were named. */
static void reload_one(struct stats_page *page, enum stats_trouble t, void *arg)
{
	struct reload *r = arg;
	bool named = !r->name || strcmp(page->name, r->name) == 0;
	int ret = CMD_OK;

	if (named && (t == STATS_OK || r->name)) {
		ret = t == STATS_OK ? reload_page(page) : reload_without(page->pid, t);
		r->n++;
	}
	if (t == STATS_OK)
		stats_close(page);
	if (ret != CMD_OK)
		r->ret = ret;
}

static int reload_each(const char *name)
{
	struct reload r = {.name = name};

	stats_each_process(reload_one, &r);
	if (r.n)
		return r.ret;
	fprintf(stderr, "rtmem reload: no process%s%s of yours can be reloaded\n",
		name ? " " : "", name ? name : "");
	return CMD_NO;
}

int cmd_reload(int argc, char **argv)
{
	struct cmd_line l;
	int option, ret = CMD_OK;
	bool all = false;

	cmd_begin(&l, argc, argv);
	while ((option = cmd_next(&l)) >= 0)
		all = true;
	if (option == CMD_BAD)
		return CMD_USAGE;
	if (all != (l.at == argc)) {
		fputs("rtmem reload: takes processes or names, or --all\n", stderr);
		return CMD_USAGE;
	}
	if (all)
		return reload_each(NULL);
	for (; l.at < argc; l.at++) {
		pid_t pid = process_number(argv[l.at]);
		int one = pid < 0 ? reload_each(argv[l.at]) : reload_process(pid);

		ret = one != CMD_OK ? one : ret;
	}
	return ret;
}
