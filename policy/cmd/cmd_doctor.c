/* SPDX-License-Identifier: MIT */
/*
 * cmd_doctor.c - rtmem doctor: what decides success on this machine and for this program
 *
 * Changes nothing and starts no program of the user's. The checks are in doctor_*.c.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/system/elf_facts.h"
#include "policy/doctor/doctor.h"
#include "cmd.h"

struct question {
	const char *conf, *command;
	char **words; /* the command with its arguments */
};

static int parse(struct doctor *d, struct question *q, int argc, char **argv)
{
	struct cmd_line l;
	struct stat st;
	int option;

	cmd_begin(&l, argc, argv);
	while ((option = cmd_next(&l)) != CMD_END) {
		if (option == CMD_BAD)
			return CMD_USAGE;
		if (option == DOCTOR_CONF)
			q->conf = l.value;
		else if (option == DOCTOR_JSON)
			d->json = true;
		else if (option == DOCTOR_ROOT)
			d->root = l.value;
	}
	q->words = argv + l.at;
	q->command = *q->words;
	if (*d->root && (stat(d->root, &st) != 0 || !S_ISDIR(st.st_mode))) {
		fprintf(stderr, "rtmem doctor: %s is no directory\n", d->root);
		return CMD_USAGE;
	}
	return CMD_OK;
}

/* The rules that can apply to the command; to any program when none is named. */
static bool concerns(const struct policy *p, const struct policy_rule *r,
	const struct match_process *m)
{
	if (!m)
		return match_rule_kind(p, r);
	for (int i = 0; m->enabled && i < m->nrule; i++)
		if (m->rule[i] == r)
			return true;
	return false;
}

/* What the pools these rules use will lock. */
static void add_pools(
	struct doctor *d, const struct policy *p, const struct match_process *m)
{
	for (int i = 0; i < p->npool; i++) {
		const struct policy_pool *pool = &p->pool[i];
		bool used = pool->commit == POLICY_COMMIT_START && (!m || m->enabled);

		for (int r = 0; r < p->nrule && !used; r++)
			used = p->rule[r].pool == i && concerns(p, &p->rule[r], m);
		if (!used)
			continue;
		d->huge |= pool->hugepages != POLICY_HUGE_NO;
		d->fork |= pool->fork == POLICY_FORK_AUTO;
		if (pool->lock == POLICY_LOCK_NO)
			continue;
		d->size += pool->size;
		d->max += pool->max;
	}
}

static void check_policy(
	struct doctor *d, const struct policy *p, const struct question *q)
{
	char path[PATH_MAX], exe[PATH_MAX];
	static struct elf_facts f;
	struct match_process m;

	if (p->nfatal) {
		doctor_say(d, DOCTOR_FAIL, "policy", "correct what rtmem check prints",
			"%d error%s: programs run on plain jemalloc", p->nfatal,
			p->nfatal == 1 ? "" : "s");
		return;
	}
	if (p->nfile == 0)
		doctor_say(d, DOCTOR_WARNING, "policy",
			"install /etc/rtmem.conf, see rtmem.conf(5)",
			"none: programs run on plain jemalloc");
	else
		doctor_say(d, DOCTOR_OK, "policy", NULL, "%d file%s, %d rule%s", p->nfile,
			p->nfile == 1 ? "" : "s", p->nrule, p->nrule == 1 ? "" : "s");
	if (q->command && elf_search(q->command, path)) {
		elf_inspect(path, &f);
		if (realpath(f.path, exe)) {
			match_process(p, exe, &m);
			add_pools(d, p, &m);
			return;
		}
	}
	add_pools(d, p, NULL);
}

int cmd_doctor(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR");
	struct doctor d = {
		.root = "", .colour = isatty(STDOUT_FILENO) && (!no_color || !*no_color)};
	struct question q = {0};
	struct policy *p;

	if (parse(&d, &q, argc, argv) != CMD_OK)
		return CMD_USAGE;
	p = cmd_load(q.conf);
	if (d.json)
		fputs("{\"checks\": [", stdout);
	check_policy(&d, p, &q);
	doctor_limits(&d);
	doctor_cgroup(&d);
	doctor_memory(&d);
	doctor_kernel(&d);
	if (q.command)
		doctor_program(&d, p->nfatal ? NULL : p, q.words);
	if (d.json)
		printf("\n], \"ok\": %s}\n", d.bad ? "false" : "true");
	policy_free(p);
	return d.bad ? CMD_NO : CMD_OK;
}
