/* SPDX-License-Identifier: MIT */
/*
 * parse.c - what a policy file means, every error it can have, and that nothing is lost
 * to long lines, odd line ends or bytes that are not text
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "expect.h"
#include "policy/model/keys.h"
#include "policy/model/near.h"

static void defaults(void)
{
	struct policy *p = load_text("[app a]\n[pool p]\n[rule r]\npool = p\n");
	const struct policy_pool *q = &p->pool[0];
	const struct policy_rule *r = &p->rule[0];

	expect(p->realtime.allocator && p->realtime.audio && !p->realtime.video &&
			!p->realtime.report && !p->realtime.pin_process &&
			p->realtime.default_pool == 1 << 20,
		"defaults of [realtime]");
	expect(p->app[0].enabled && p->app[0].inherit, "defaults of [app]");
	expect(q->size == 4 << 20 && q->max == q->size && q->lock == POLICY_LOCK_TRY &&
			q->hugepages == POLICY_HUGE_NO &&
			q->when_full == POLICY_FULL_JEMALLOC &&
			q->commit == POLICY_COMMIT_MATCH && q->fork == POLICY_FORK_AUTO,
		"defaults of [pool]");
	expect(r->app.n == 0 && r->thread.n == 0 && r->sched == 0 && r->priority.n == 0 &&
			r->callsite.n == 0 && r->depth == 1 && r->size.n == 0 &&
			r->kind == POLICY_KIND_ALLOCATOR && r->pool == 0 &&
			r->stack == 0 && r->recycle == 0,
		"defaults of [rule]");
	policy_free(p);
}

static void values(void)
{
	struct policy *p = load_text(
		"[pool p]\nsize = 4M\nmax=16M\nlock = require\nhugepages = try\n"
		"when_full = fail\ncommit = start\nfork = cow\n"
		"[rule r]\nthread = data-loop*, audio* , ! audio-gui\n"
		"sched = rt, !fifo\npriority = 1..9, 20\n"
		"callsite = libavcodec.so*!av_frame_*, ! libfoo.so*!bar\nsize = ..64K\n"
		"kind = audio\npool = p\nstack = 256K\nrecycle = 0.5s\ndepth = 8\n");
	const struct policy_pool *q = &p->pool[0];
	const struct policy_rule *r = &p->rule[0];

	expect(p->nerror == 0, "values: errors");
	expect(q->size == 4 << 20 && q->max == 16 << 20 &&
			q->lock == POLICY_LOCK_REQUIRE &&
			q->hugepages == POLICY_HUGE_TRY &&
			q->when_full == POLICY_FULL_FAIL &&
			q->commit == POLICY_COMMIT_START && q->fork == POLICY_FORK_COW,
		"values of [pool]");
	expect(r->thread.n == 3 && strcmp(r->thread.v[1].pattern, "audio*") == 0 &&
			strcmp(r->thread.v[2].pattern, "audio-gui") == 0 &&
			r->thread.v[2].negated && !r->thread.v[0].negated,
		"thread");
	expect(r->sched == (POLICY_SCHED_RR | POLICY_SCHED_DEADLINE), "sched");
	expect(r->priority.n == 2 && r->priority.v[0].lo == 1 &&
			r->priority.v[0].hi == 9 && r->priority.v[1].lo == 20 &&
			r->priority.v[1].hi == 20,
		"priority");
	expect(r->callsite.n == 2 &&
			strcmp(r->callsite.v[0].object, "libavcodec.so*") == 0 &&
			strcmp(r->callsite.v[0].symbol, "av_frame_*") == 0 &&
			r->callsite.v[1].negated &&
			strcmp(r->callsite.v[1].symbol, "bar") == 0,
		"callsite");
	expect(r->size.n == 1 && r->size.v[0].lo == 0 && r->size.v[0].hi == 65536,
		"size");
	expect(r->kind == POLICY_KIND_AUDIO && r->stack == 256 << 10 &&
			r->recycle == 500000000 && r->depth == 8,
		"kind, stack, recycle, depth");
	policy_free(p);
}

static void replaced(void)
{
	struct policy *p = load_text("[rule a]\npool = jemalloc\nthread = one\n"
				     "[rule b]\npool = jemalloc\nthread = two\n"
				     "[realtime]\nreport = yes\n"
				     "[rule a]\npool = jemalloc\nsize = 5\n"
				     "[realtime]\nvideo = yes\n");

	expect(p->nrule == 2 && strcmp(p->rule[0].name, "b") == 0 &&
			strcmp(p->rule[1].name, "a") == 0,
		"the later section takes the earlier one's place at the end");
	expect(p->rule[1].thread.n == 0 && p->rule[1].size.n == 1 &&
			p->rule[1].origin.line == 9,
		"nothing of the earlier section is left");
	expect(p->realtime.report && p->realtime.video, "[realtime] goes on key by key");
	policy_free(p);
}

/* inih alone cuts names at 49 bytes and lines at 198, and glues indented lines. */
static void nothing_is_cut(void)
{
	char *text = malloc(1 << 18), name[POLICY_NAME_MAX + 2];
	struct policy *p;

	if (text == NULL)
		abort();
	memset(name, 'n', sizeof(name));
	name[POLICY_NAME_MAX] = '\0';
	sprintf(text,
		"[pool %s]\n  size = 8M\n  max = 9M\n[rule r]\npool = %s\nthread = ",
		name, name);
	for (int i = 0; i < 8000; i++)
		sprintf(text + strlen(text), "t%d, ", i);
	strcat(text, "last\nkind = audio\nbad = 1\n");
	p = load_text(text);
	expect(p->npool == 1 && strcmp(p->pool[0].name, name) == 0, "a name of 63 bytes");
	expect(p->pool[0].size == 8 << 20 && p->pool[0].max == 9 << 20, "indented keys");
	expect(p->rule[0].thread.n == 8001 &&
			strcmp(p->rule[0].thread.v[8000].pattern, "last") == 0,
		"a line of 64 KiB");
	expect(p->nerror == 1 && p->error[0].origin.line == 8, "the line after it is 8");
	policy_free(p);

	sprintf(text, "[pool %sn]\n", name);
	p = load_text(text);
	expect(p->nerror == 1 && strstr(p->error[0].text, "more than 63") != NULL,
		"a name of 64 bytes");
	policy_free(p);

	memset(text, 'k', 70000);
	strcpy(text + 70000, " = 1\n");
	memcpy(text, "[realtime]\n", 11);
	p = load_text(text);
	expect(p->nerror == 1 && strstr(p->error[0].text, "unknown key") != NULL,
		"a key of 64 KiB");
	policy_free(p);
	memset(text + 70000, '\0', 1);
	p = load_text(text);
	expect(p->nerror == 1 && strstr(p->error[0].text, "neither") != NULL,
		"64 KiB without a '='");
	policy_free(p);
	free(text);
}

static void odd_bytes(void)
{
	static const char crlf[] =
		"\xef\xbb\xbf[realtime]\r\nvideo = yes\r\n\r\nx = 1\r\n";
	static const char nul[] = "[realtime]\nvid\0eo = yes\nreport = yes\n";
	static const char last[] = "[realtime]\nvideo = yes";
	static const char bell[] = "[realtime]\n\x1b[31m = \x07\n\x9b = 1\n";
	struct policy *p = load_text(crlf);

	expect(p->realtime.video && p->nerror == 1 && p->error[0].origin.line == 4 &&
			strcmp(p->error[0].text, "unknown key 'x' in [realtime]") == 0,
		"byte order mark and CRLF");
	policy_free(p);
	p = load_bytes(nul, sizeof(nul) - 1);
	expect(p->realtime.report && p->nfatal == 1 && p->error[0].origin.line == 2,
		"NUL");
	policy_free(p);
	p = load_text(last);
	expect(p->realtime.video && p->nerror == 0, "no newline at the end");
	policy_free(p);
	p = load_text(bell);
	expect(p->nfatal == 2 && strchr(p->error[0].text, '\x1b') == NULL,
		"an error does not steer the terminal");
	policy_free(p);
}

static struct policy *load_file(const char *name, bool must_exist)
{
	char *list[] = {(char *)name};

	return policy_load(
		&(struct find_list){.file = list, .n = 1, .explicit_file = must_exist});
}

static void unreadable(void)
{
	static const struct {
		const char *file;
		bool must_exist;
		const char *error;
	} file[] = {
		{"/nonexistent/rtmem.conf", true, "No such file or directory"},
		{"/nonexistent/rtmem.conf", false, NULL},
		{"/", true, "is a directory"},
		{"/dev/null", true, NULL},
		{"/dev/zero", true, "larger than 1 MiB"},
	};
	char fifo[] = "/tmp/rtmem-parse-XXXXXX";
	struct policy *p;

	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		p = load_file(file[i].file, file[i].must_exist);
		expect(p->nfatal == (file[i].error != NULL), "%s: %d errors",
			file[i].file, p->nfatal);
		if (p->nerror > 0)
			expect(strstr(p->error[0].text, file[i].error) != NULL, "%s: %s",
				file[i].file, p->error[0].text);
		policy_free(p);
	}
	if (mkdtemp(fifo) == NULL || chdir(fifo) != 0 || mkfifo("f", 0600) != 0)
		abort();
	p = load_file("f", true);
	expect(p->nfatal == 1, "a pipe is not waited for");
	policy_free(p);
	unlink("f");
	rmdir(fifo);
}

static void enormous(void)
{
	size_t len = POLICY_FILE_MAX + 1;
	char *text = malloc(len);
	struct policy *p;

	for (size_t i = 0; i < len; i++)
		text[i] = i % 2 ? '\n' : 'x';
	p = load_bytes(text, len);
	expect(p->nerror == 1 && strstr(p->error[0].text, "larger than 1 MiB") != NULL,
		"1 MiB + 1");
	policy_free(p);
	p = load_bytes(text, len - 1);
	expect(p->nerror == POLICY_ERRORS_MAX + 1 &&
			strstr(p->error[POLICY_ERRORS_MAX].text, "too many") != NULL,
		"%d errors are kept", p->nerror);
	policy_free(p);
	free(text);
}

static void no_file(void)
{
	struct find_list none = {0};
	struct policy *p;

	errno = 77;
	p = policy_load(&none);
	expect(p != NULL && p->nrule == 0 && p->npool == 0 && p->nerror == 0 &&
			errno == 77,
		"no file: no rule, no error, errno kept");
	policy_free(p);
	policy_free(NULL);
}

static void error_texts(void)
{
	struct policy *p = load_text("[realtime]\n\nx = 1\n");
	char buf[256], tiny[8];

	policy_error_text(p, 0, buf, sizeof(buf));
	expect(strstr(buf, ":3: unknown key 'x'") != NULL, "%s", buf);
	policy_error_text(p, 0, tiny, sizeof(tiny));
	expect(strlen(tiny) == 7 && strncmp(buf, tiny, 7) == 0, "cut to '%s'", tiny);
	expect(policy_first_fatal(p) == 0, "first fatal");
	policy_free(p);
}

/* Each default in keys.def is a value the parser takes, and each key has its help. */
static void keys(void)
{
	for (int i = 0; i < KEYS_COUNT_ALL; i++) {
		const struct keys_key *k = &keys_table[i];
		char text[256];
		struct policy *p;

		expect(k->help[0] != '\0' && keys_find(k->section, k->name) == i, "%s",
			k->name);
		if (k->fallback[0] == '\0')
			continue;
		sprintf(text, "[pool p]\n[%s%s]\n%s%s = %s\n", keys_kind[k->section].name,
			keys_kind[k->section].named ? " x" : "",
			k->section == KEYS_RULE ? "pool = p\n" : "", k->name,
			k->fallback);
		p = load_text(text);
		expect(p->nerror == 0, "the default of %s is refused", k->name);
		policy_free(p);
	}
}

static void distances(void)
{
	struct near near;

	expect(near_distance("audio", 5, "audio", 5) == 0, "equal");
	expect(near_distance("audoi", 5, "audio", 5) == 1, "swapped");
	expect(near_distance("aud", 3, "audio", 5) == 2, "short");
	expect(near_distance("", 0, "abc", 3) == 3, "empty");
	expect(near_distance("kitten", 6, "sitting", 7) == 3, "kitten");
	near_begin(&near, "q");
	near_offer(&near, "p", 1);
	expect(near.best == NULL, "another letter is not near");
	near_begin(&near, "prioritty");
	near_offer(&near, "kind", 4);
	near_offer(&near, "priority", 8);
	near_offer(&near, "pool", 4);
	expect(near.best != NULL && strcmp(near.best, "priority") == 0, "the nearest");
}

int main(void)
{
	defaults();
	values();
	replaced();
	nothing_is_cut();
	odd_bytes();
	unreadable();
	enormous();
	no_file();
	error_texts();
	keys();
	distances();
	return expected();
}
