/* SPDX-License-Identifier: MIT */
/*
 * check_programs.c - programs that a policy names and that run under another name
 *
 * python3 is a link to python3.11, carla a script that runs on it, /bin is /usr/bin: what
 * `app` is compared with is the executable in the end. Looks each literal name up in
 * PATH, as execvp(3) would; a program that is not there is no mistake.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/model/glob.h"
#include "policy/model/match.h"
#include "policy/model/policy.h"
#include "policy/system/elf_facts.h"
#include "cmd.h"

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* rule NULL: an [app] section. */
static bool named_otherwise(
	const struct policy *p, const struct policy_rule *r, const char *exe)
{
	for (int i = 0; r == NULL && i < p->napp; i++)
		if (glob_match_path(p->app[i].name, exe))
			return true;
	return r != NULL && match_rule_app(r, exe);
}

static void check_name(const struct policy *p, const struct policy_rule *r,
	const struct policy_origin *at, const char *name)
{
	static struct elf_facts facts;
	char path[PATH_MAX], exe[PATH_MAX];

	if (!glob_literal(name) || !elf_search(name, path))
		return;
	elf_inspect(path, &facts);
	if (facts.kind == ELF_KIND_MISSING || !realpath(facts.path, exe) ||
		glob_match_path(name, exe) || named_otherwise(p, r, exe))
		return;
	fprintf(stderr, "%s:%d: warning: app: '%s' ", at->file, at->line, name);
	if (*facts.script)
		fprintf(stderr, "is a script that runs on %s, which is what counts\n",
			exe);
	else
		fprintf(stderr, "leads to %s, and that is what counts; write %s\n", exe,
			strchr(name, '/') != NULL ? exe : base_of(exe));
}

void check_programs(const struct policy *p)
{
	for (int i = 0; i < p->napp; i++)
		check_name(p, NULL, &p->app[i].origin, p->app[i].name);
	for (int i = 0; i < p->nrule; i++) {
		const struct policy_rule *r = &p->rule[i];

		for (int k = 0; k < r->app.n; k++)
			if (!r->app.v[k].negated)
				check_name(p, r, &r->origin, r->app.v[k].pattern);
	}
}
