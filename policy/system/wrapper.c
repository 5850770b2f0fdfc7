/* SPDX-License-Identifier: MIT */
/*
 * wrapper.c - see wrapper.h
 *
 * Two tables: who hands on its environment as it is, and who does not. A command that
 * stands in neither is taken to be the program itself.
 */
#include "wrapper.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "elf_facts.h"
#include "library.h"

static const char *const hands_on[] = {"env", "nice", "ionice", "chrt", "taskset",
	"nohup", "setsid", "stdbuf", "time", "timeout", "setpriv", "prlimit", "numactl",
	"unshare", "nsenter", "strace", "ltrace", "xvfb-run", "dbus-run-session", "su",
	"runuser", "bwrap", "gamemoderun", "pw-jack", "schedtool", "cpulimit"};

static const struct drops {
	const char *name;
	const char *when[4]; /* only with one of these words; none: always */
	bool inside;	     /* it is another system there */
	const char *why;
} drops[] = {
	{"sudo", {0}, false, "takes LD_PRELOAD out of the environment"},
	{"doas", {0}, false, "starts its command in an environment of its own"},
	{"pkexec", {0}, false, "starts its command in an environment of its own"},
	{"su", {"-", "-l", "--login"}, false,
		"starts its command in an environment of its own"},
	{"runuser", {"-", "-l", "--login"}, false,
		"starts its command in an environment of its own"},
	{"setpriv", {"--reset-env"}, false, "clears the environment"},
	{"firejail", {0}, false, "takes LD_PRELOAD out of the environment"},
	{"systemd-run", {0}, false,
		"has its command started by the service manager, in that one's "
		"environment"},
	{"run0", {0}, false,
		"has its command started by the service manager, in that one's "
		"environment"},
	{"at", {0}, false, "has its command started by a daemon"},
	{"batch", {0}, false, "has its command started by a daemon"},
	{"ssh", {0}, false, "starts its command on another machine"},
	{"bwrap", {"--clearenv"}, true, "clears the environment"},
	{"flatpak", {0}, true, "starts its command in a sandbox"},
	{"snap", {0}, true, "starts its command in a sandbox"},
	{"docker", {0}, true, "starts its command in a container"},
	{"podman", {0}, true, "starts its command in a container"},
	{"systemd-nspawn", {0}, true, "starts its command in a container"},
	{"machinectl", {0}, true, "starts its command in a container"},
};

static const char *wrapper_base(const char *word)
{
	const char *slash = strrchr(word, '/');

	return slash ? slash + 1 : word;
}

static bool wrapper_is_one(const char *word)
{
	for (size_t i = 0; i < sizeof(hands_on) / sizeof(*hands_on); i++)
		if (strcmp(wrapper_base(word), hands_on[i]) == 0)
			return true;
	return false;
}

/* The first word that is a program: an option's argument is none, in practice. */
char *const *wrapper_inner(char *const argv[])
{
	char path[PATH_MAX];

	if (!argv[0] || !wrapper_is_one(argv[0]))
		return NULL;
	while (*++argv)
		if (**argv != '-' && !strchr(*argv, '=') && elf_search(*argv, path))
			return argv;
	return NULL;
}

/* env: "-i", "-", "-vi", "--ignore-environment" */
static bool env_ignores(const char *word)
{
	size_t flags = strcspn(word + 1, "uCS"); /* these take what follows */

	if (strcmp(word, "-") == 0 || strcmp(word, "--ignore-environment") == 0)
		return true;
	return word[0] == '-' && word[1] != '-' && memchr(word + 1, 'i', flags);
}

/* env: "-u LD_PRELOAD", "-uLD_PRELOAD", "--unset=LD_PRELOAD" */
static bool env_unsets(const char *word, const char *next)
{
	if (strcmp(word, "-u") == 0 || strcmp(word, "--unset") == 0)
		return next && strcmp(next, "LD_PRELOAD") == 0;
	return strcmp(word, "-uLD_PRELOAD") == 0 ||
	       strcmp(word, "--unset=LD_PRELOAD") == 0;
}

static bool env_drops(char *const argv[], const char **why)
{
	char *const *inner = wrapper_inner(argv);

	*why = NULL;
	for (; *++argv && argv != inner;) {
		if (env_ignores(*argv))
			*why = "clears the environment";
		else if (env_unsets(*argv, argv[1]))
			*why = "takes LD_PRELOAD out of the environment";
		else if (strncmp(*argv, "LD_PRELOAD=", 11) == 0)
			*why = library_in_preload(*argv + 11)
				       ? NULL
				       : "sets LD_PRELOAD to something else";
	}
	return *why;
}

static bool wrapper_has(char *const argv[], const char *const word[static 4])
{
	char *const *inner = wrapper_inner(argv);

	if (!word[0])
		return true;
	for (; *++argv && argv != inner;)
		for (int i = 0; i < 4 && word[i]; i++)
			if (strcmp(*argv, word[i]) == 0)
				return true;
	return false;
}

static bool wrapper_find(char *const argv[], const char **why, bool *inside)
{
	const char *name = wrapper_base(argv[0]);

	*inside = false;
	if (strcmp(name, "env") == 0)
		return env_drops(argv, why);
	for (size_t i = 0; i < sizeof(drops) / sizeof(*drops); i++) {
		if (strcmp(name, drops[i].name) != 0 || !wrapper_has(argv, drops[i].when))
			continue;
		*why = drops[i].why;
		*inside = drops[i].inside;
		return true;
	}
	return false;
}

bool wrapper_drops(char *const argv[], char *sentence, size_t size)
{
	const char *why;
	bool inside;

	if (!wrapper_find(argv, &why, &inside))
		return false;
	if (inside)
		snprintf(sentence, size,
			"%s %s: the program gets no preload; rtmem has to be used in "
			"there",
			argv[0], why);
	else
		snprintf(sentence, size,
			"%s %s: the program gets no preload; write: %s ... rtmem run "
			"PROGRAM",
			argv[0], why, argv[0]);
	return true;
}
