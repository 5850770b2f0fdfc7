/* SPDX-License-Identifier: MIT */
/*
 * cmd_run.c - rtmem run: start a program with the library preloaded
 *
 * Becomes the program: no process is left behind, and signals, exit code and output are
 * the program's own. Only the environment is changed: LD_PRELOAD (the library first, what
 * was there kept), with --conf RTMEM_CONF, beside an LD_AUDIT also GLIBC_TUNABLES.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/model/match.h"
#include "policy/model/policy.h"
#include "policy/system/elf_facts.h"
#include "policy/system/library.h"
#include "policy/system/preflight.h"
#include "policy/system/wrapper.h"
#include "cmd.h"

#define RUN_CANNOT  126
#define RUN_MISSING 127

#define RUN_WRAPPERS 8 /* one in the other */

/*
 * With auditors in the process the loader has 512 bytes of static TLS to spare for
 * libraries it did not foresee, and the library's allocator needs about 3 KiB.
 */
#define TUNABLE	      "glibc.rtld.optional_static_tls"
#define TUNABLE_BYTES "8192"

struct run {
	bool verbose;
	const char *conf;
	char **argv;
	char program[PATH_MAX];
	struct elf_facts facts;
	struct library library;
};

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	va_list ap;

	fputs("rtmem: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void say_warning(const char *sentence, void *arg)
{
	(void)arg;
	say("warning: %s", sentence);
}

/* setenv(3) of a formatted value; without memory for that there is nothing left to do. */
__attribute__((format(printf, 2, 3))) static void set(
	const char *name, const char *fmt, ...)
{
	char *value;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0 || setenv(name, value, 1) != 0) {
		say("out of memory");
		_exit(RUN_CANNOT);
	}
	va_end(ap);
	free(value);
}

/* A program that is started by the one that is: nice, env, sudo … */
static void look_inside(char *const argv[])
{
	static struct elf_facts facts;
	char path[PATH_MAX], why[512];

	for (int depth = 0; argv && depth < RUN_WRAPPERS; depth++) {
		if (wrapper_drops(argv, why, sizeof(why))) {
			say_warning(why, NULL);
			return;
		}
		if (elf_search(argv[0], path)) {
			elf_inspect(path, &facts);
			preflight(&facts, say_warning, NULL);
		}
		argv = wrapper_inner(argv);
	}
}

static int find_program(struct run *r)
{
	if (!elf_search(r->argv[0], r->program)) {
		int why = errno;

		say("%s: %s", r->argv[0],
			why == ENOENT ? "command not found" : strerror(why));
		return why == ENOENT || why == ENOTDIR ? RUN_MISSING : RUN_CANNOT;
	}
	elf_inspect(r->program, &r->facts);
	if (r->facts.kind == ELF_KIND_MISSING) {
		say("%s: its interpreter %s is not there", r->program, r->facts.path);
		return RUN_MISSING;
	}
	look_inside(r->argv);
	return CMD_OK;
}

/* The policy file's name: absolute, for the program may go elsewhere and start others. */
static int use_conf(const struct run *r)
{
	const char *conf = r->conf ? r->conf : getenv("RTMEM_CONF");
	char cwd[PATH_MAX];

	if (!conf || (!r->conf && !*conf))
		return CMD_OK;
	if (conf[0] == '/') {
		set("RTMEM_CONF", "%s", conf);
	} else if (getcwd(cwd, sizeof(cwd))) {
		set("RTMEM_CONF", "%s/%s", cwd, conf);
	} else {
		say("%s: %s", conf, strerror(errno));
		return CMD_NO;
	}
	return CMD_OK;
}

/* The policy the program will find; NULL without memory. quiet: say nothing of errors. */
static struct policy *load_policy(bool quiet)
{
	struct find_list files;
	struct policy *p;

	if (!quiet)
		return cmd_load(NULL);
	find_files(&files, false);
	p = policy_load(&files);
	find_free(&files);
	return p;
}

static void say_rules(const struct policy *p, const struct match_process *m)
{
	for (int i = 0; i < p->nfile; i++)
		say("policy   %s", p->file[i]);
	if (p->nfile == 0)
		say("policy   none: the program runs on plain jemalloc");
	else if (p->nfatal)
		say("rules    none: the policy has errors (rtmem check)");
	else if (!m->enabled)
		say("rules    none: an [app] section switches this program off");
	else if (m->nrule == 0)
		say("rules    none applies to this program");
	for (int i = 0; i < m->nrule; i++)
		say("rules    %s (%s:%d)", m->rule[i]->name, m->rule[i]->origin.file,
			m->rule[i]->origin.line);
}

static bool runs_on_shell(const struct run *r)
{
	size_t len = strlen(r->facts.path);

	return *r->facts.script && len > 2 && strcmp(r->facts.path + len - 2, "sh") == 0;
}

/* A wrapper script is of no use when its shell keeps the preload to itself. */
static void warn_shell(const struct match_process *m, const char *exe)
{
	if (!m->inherit)
		say("warning: what this script starts gets no preload: the policy's "
		    "[app] "
		    "section for %s says inherit = no",
			strrchr(exe, '/') + 1);
}

/*
 * The person who names a file wants to hear all about its errors. Without --conf the
 * library says itself, in one line, that the policy cannot be used.
 */
static int check_policy(const struct run *r)
{
	bool quiet = !r->conf && !r->verbose;
	struct match_process m = {0};
	char exe[PATH_MAX]; /* as the library sees it: without symbolic links */
	struct policy *p;

	if ((quiet && !runs_on_shell(r)) || !realpath(r->facts.path, exe))
		return CMD_OK;
	p = load_policy(quiet);
	if (!p)
		return CMD_OK;
	if (p->nfatal == 0) {
		match_process(p, exe, &m);
		if (runs_on_shell(r))
			warn_shell(&m, exe);
	}
	int result = r->conf && p->nfatal ? CMD_NO : CMD_OK;
	if (r->verbose && result == CMD_OK)
		say_rules(p, &m);
	policy_free(p);
	return result;
}

static int preload(struct run *r)
{
	const char *old = getenv("LD_PRELOAD");

	if (!library_find(&r->library)) {
		say("the library is neither beside the tool nor where the loader looks; "
		    "install it, or build it");
		return CMD_NO;
	}
	if (!*r->library.word) {
		say("%s cannot be preloaded: LD_PRELOAD takes no path with a space or a "
		    "colon; move it",
			r->library.path);
		return CMD_NO;
	}
	if (!old || !*old)
		set("LD_PRELOAD", "%s", r->library.word);
	else if (!library_in_preload(old))
		set("LD_PRELOAD", "%s:%s", r->library.word, old);
	return CMD_OK;
}

static void make_room_beside_auditors(void)
{
	const char *audit = getenv("LD_AUDIT"), *old = getenv("GLIBC_TUNABLES");

	if (!audit || !*audit)
		return;
	if (!old || !*old)
		set("GLIBC_TUNABLES", "%s=%s", TUNABLE, TUNABLE_BYTES);
	else if (!strstr(old, TUNABLE "="))
		set("GLIBC_TUNABLES", "%s:%s=%s", old, TUNABLE, TUNABLE_BYTES);
}

static void say_environment(const struct run *r)
{
	static const char *const name[] = {"LD_PRELOAD", "RTMEM_CONF", "GLIBC_TUNABLES"};

	say("library  %s", r->library.path);
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++)
		if (getenv(name[i]))
			say("setting  %s=%s", name[i], getenv(name[i]));
	if (*r->facts.script)
		say("program  %s, a script that runs on %s", r->facts.script,
			r->facts.path);
	else
		say("program  %s", r->program);
}

static int parse(struct run *r, int argc, char **argv)
{
	struct cmd_line l;
	int option;

	cmd_begin(&l, argc, argv);
	while ((option = cmd_next(&l)) != CMD_END) {
		if (option == CMD_BAD)
			return CMD_USAGE;
		if (option == RUN_CONF)
			r->conf = l.value;
		else if (option == RUN_VERBOSE)
			r->verbose = true;
	}
	if (l.at == argc) {
		say("no command to run (see rtmem run --help)");
		return CMD_USAGE;
	}
	r->argv = argv + l.at;
	return CMD_OK;
}

int cmd_run(int argc, char **argv)
{
	static struct run r;
	int failed = parse(&r, argc, argv);

	if (!failed)
		failed = use_conf(&r);
	if (!failed)
		failed = find_program(&r);
	if (!failed)
		failed = check_policy(&r);
	if (!failed)
		failed = preload(&r);
	if (failed)
		return failed;
	make_room_beside_auditors();
	if (r.verbose)
		say_environment(&r);
	/* execvp hands a script without "#!" to the shell, as people expect */
	if (r.facts.kind == ELF_KIND_OTHER)
		execvp(r.program, r.argv);
	else
		execv(r.program, r.argv);
	say("%s: %s", r.program, strerror(errno));
	return RUN_CANNOT;
}
