/* SPDX-License-Identifier: MIT */
/*
 * match.c - facts and expected verdicts as a table; and what the library does (standing
 * decision, then one allocation) against what rtmem explain shows (the trace), on random
 * policies
 */
#include "policy/model/match.h"

#include <sched.h>

#include "expect.h"

static const char policy_text[] = "[realtime]\n"
				  "video = no\n"
				  "[app gimp*]\n"
				  "enabled = no\n"
				  "inherit = no\n"
				  "[app gimp-2]\n"
				  "enabled = yes\n"
				  "[app gimp-3]\n"
				  "inherit = yes\n"
				  "[pool a]\n"
				  "[pool b]\n"
				  "[pool c]\n"
				  "[rule wide]\n"
				  "sched = rt\n"
				  "pool = a\n"
				  "[rule video]\n"
				  "app = tube\n"
				  "kind = video\n"
				  "pool = b\n"
				  "[rule small]\n"
				  "app = mpv, /opt/*/player\n"
				  "thread = audio*, ao, !audio-gui\n"
				  "size = 16..64K, !1000..2000\n"
				  "pool = b\n"
				  "[rule prio]\n"
				  "app = !mpv\n"
				  "sched = !rr, rt\n"
				  "priority = 50..\n"
				  "pool = b\n"
				  "[rule sited]\n"
				  "app = mpv\n"
				  "callsite = libav*!av_*, !libav*!av_frame*, libx.so\n"
				  "depth = 2\n"
				  "pool = c\n"
				  "[rule exempt]\n"
				  "app = mpv\n"
				  "thread = out\n"
				  "pool = jemalloc\n";

static const struct {
	const char *exe, *thread;
	int sched, priority;
	size_t size;
	const char *site[3]; /* object!symbol */
	const char *rule;    /* NULL: jemalloc */
} verdicts[] = {
	{"/usr/bin/x", "x", SCHED_OTHER, 0, 64, {0}, NULL},
	{"/usr/bin/x", "x", SCHED_FIFO, 1, 64, {0}, "wide"},
	{"/usr/bin/x", "x", SCHED_RR, 50, 64, {0}, "wide"},
	{"/usr/bin/x", "x", 6 /* deadline */, 0, 64, {0}, "wide"},
	{"/usr/bin/x", "x", SCHED_BATCH, 0, 64, {0}, NULL},
	{"/usr/bin/tube", "x", SCHED_OTHER, 0, 64, {0}, NULL},
	{"/usr/bin/mpv", "audio1", SCHED_OTHER, 0, 64, {0}, "small"},
	{"/usr/bin/mpv", "audio", SCHED_OTHER, 0, 15, {0}, NULL},
	{"/usr/bin/mpv", "audio", SCHED_OTHER, 0, 16, {0}, "small"},
	{"/usr/bin/mpv", "audio", SCHED_OTHER, 0, 65536, {0}, "small"},
	{"/usr/bin/mpv", "audio", SCHED_OTHER, 0, 65537, {0}, NULL},
	{"/usr/bin/mpv", "audio", SCHED_OTHER, 0, 1500, {0}, NULL},
	{"/usr/bin/mpv", "audio", SCHED_FIFO, 9, 1500, {0}, "wide"},
	{"/usr/bin/mpv", "audio-gui", SCHED_OTHER, 0, 64, {0}, NULL},
	{"/usr/bin/mpv", "ao", SCHED_OTHER, 0, 64, {0}, "small"},
	{"/usr/bin/mpv", "", SCHED_OTHER, 0, 64, {0}, NULL},
	{"/opt/x/player", "ao", SCHED_OTHER, 0, 64, {0}, "small"},
	{"/usr/x/player", "ao", SCHED_OTHER, 0, 64, {0}, NULL},
	{"/bin/y", "y", SCHED_FIFO, 50, 64, {0}, "prio"},
	{"/bin/y", "y", SCHED_FIFO, 49, 64, {0}, "wide"},
	{"/bin/y", "y", SCHED_RR, 50, 64, {0}, "wide"},
	{"/bin/mpv", "y", SCHED_FIFO, 50, 64, {0}, "wide"},
	{"/usr/bin/mpv", "v", SCHED_OTHER, 0, 9, {"libav.so!av_malloc"}, "sited"},
	{"/usr/bin/mpv", "v", SCHED_OTHER, 0, 9, {"/lib/libav.so!av_malloc"}, "sited"},
	{"/usr/bin/mpv", "v", SCHED_OTHER, 0, 9, {"libav.so!av_frame_new"}, NULL},
	{"/usr/bin/mpv", "v", SCHED_OTHER, 0, 9, {"libav.so"}, NULL},
	{"/usr/bin/mpv", "v", SCHED_OTHER, 0, 9, {"libx.so"}, "sited"},
	{"/usr/bin/mpv", "v", SCHED_OTHER, 0, 9, {"libc.so!f", "libx.so!g"}, "sited"},
	{"/usr/bin/mpv", "v", SCHED_OTHER, 0, 9, {"c!f", "c!g", "libx.so!h"}, NULL},
	{"/usr/bin/mpv", "v", SCHED_OTHER, 0, 9, {"libx.so!g", "libav!av_frame"}, NULL},
	{"/usr/bin/mpv", "out", SCHED_FIFO, 80, 64, {"libx.so"}, NULL},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What the library would do: an index into p->rule, or -1. */
static int library(const struct policy *p, const struct match_call *c)
{
	struct match_candidates s;
	struct match_process m;
	uint64_t sites = 0;
	int i;

	match_process(p, c->exe, &m);
	match_thread(&m, &c->thread, &s);
	for (i = 0; i < m.nrule; i++)
		if (c->nframe > 0 && match_rule_callsite(m.rule[i], c->frame, c->nframe))
			sites |= UINT64_C(1) << i;
	i = match_allocation(&m, &s, c->size, sites);
	return i < 0 ? -1 : (int)(m.rule[i] - p->rule);
}

/* What explain would say, exempt rules as -1. */
static int explained(const struct policy *p, const struct match_call *c)
{
	struct match_trace t;

	for (int i = p->nrule - 1; i >= 0; i--)
		if (match_trace_rule(p, &p->rule[i], c, &t))
			return p->rule[i].pool == POLICY_POOL_JEMALLOC ? -1 : i;
	return -1;
}

static void table(void)
{
	struct policy *p = load_text(policy_text);

	expect(p->nfatal == 0, "the table's policy has errors");
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct match_frame frame[3];
		char site[3][64];
		struct match_call c = {.exe = verdicts[i].exe,
			.thread = {verdicts[i].thread, verdicts[i].sched,
				verdicts[i].priority},
			.frame = frame,
			.has_size = true,
			.size = verdicts[i].size};
		const char *got;
		int rule;

		for (int k = 0; k < 3 && verdicts[i].site[k] != NULL; k++, c.nframe++) {
			strcpy(site[k], verdicts[i].site[k]);
			frame[k].object = strtok(site[k], "!");
			frame[k].symbol = strtok(NULL, "!");
		}
		rule = library(p, &c);
		got = rule >= 0 ? p->rule[rule].name : NULL;
		expect(got == verdicts[i].rule ||
				(got != NULL && verdicts[i].rule != NULL &&
					strcmp(got, verdicts[i].rule) == 0),
			"line %zu of the table: %s", i, got != NULL ? got : "jemalloc");
		expect(rule == explained(p, &c), "line %zu: explain differs", i);
	}
	policy_free(p);
}

static void apps(void)
{
	struct policy *p = load_text(policy_text);
	struct match_process m;

	match_process(p, "/usr/bin/gimp", &m);
	expect(!m.enabled && !m.inherit,
		"gimp is switched off, and what it starts is not ours");
	match_process(p, "/usr/bin/gimp-2", &m);
	expect(m.enabled && !m.inherit, "enabled is said anew, inherit is not");
	match_process(p, "/usr/bin/gimp-3", &m);
	expect(!m.enabled && m.inherit, "inherit is said anew, enabled is not");
	match_process(p, "/usr/bin/mpv", &m);
	expect(m.enabled && m.inherit,
		"no [app]: enabled, the environment is left alone");
	expect(m.nrule == 4, "mpv has %d rules", m.nrule);
	policy_free(p);
}

/* An exempt thread costs nothing at all, and a plain rule ends the list. */
static void standing(void)
{
	struct policy *p = load_text(policy_text);
	struct match_thread t = {"out", SCHED_FIFO, 80};
	struct match_candidates s;
	struct match_process m;

	match_process(p, "/usr/bin/mpv", &m);
	match_thread(&m, &t, &s);
	expect(s.n == 0, "an exempt thread has %d candidates", s.n);
	t.name = "audio";
	match_thread(&m, &t, &s);
	expect(s.n == 3 && s.cand[0].ask_site && !s.cand[0].ask_size &&
			s.cand[1].ask_size && !s.cand[2].ask_size && !s.cand[2].ask_site,
		"sited, small, wide");
	policy_free(p);
}

/* More rules than a mask has bits: the parser says so; the last 64 are what is left. */
static void too_many(void)
{
	char text[8192] = "[pool a]\n";
	struct match_process m;
	struct policy *p;

	for (int i = 0; i < 70; i++)
		sprintf(text + strlen(text), "[rule r%d]\nthread = t%d\npool = a\n", i,
			i);
	p = load_text(text);
	expect(p->nfatal == 1, "70 rules: %d fatal errors", p->nfatal);
	match_process(p, "/bin/x", &m);
	expect(m.nrule == 64 && strcmp(m.rule[0]->name, "r6") == 0 &&
			strcmp(m.rule[63]->name, "r69") == 0,
		"the last 64 rules");
	policy_free(p);
}

static const char *pick(const char *const *from, long n)
{
	return from[random() % n];
}

static void random_rule(char *out, int number)
{
	static const char *const app[] = {"*", "a", "!a", "b*", "a, b, !bb"};
	static const char *const thread[] = {"t", "*", "u*", "!t", "t?, !tt"};
	static const char *const sched[] = {"rt", "fifo", "other", "!rr", "rr, idle"};
	static const char *const priority[] = {"0..50", "1..", "..99", "!7", "0..98"};
	static const char *const size[] = {"16..", "..64", "!32", "8, 9", "1..2, 60.."};
	static const char *const site[] = {"x", "x!f", "!x", "y!*, !y!g", "*"};
	static const char *const kind[] = {
		"audio", "video", "allocator", "audio", "audio"};
	static const char *const pool[] = {"a", "b", "jemalloc", "a", "b"};
	static const struct {
		const char *key;
		const char *const *value;
	} key[] = {{"app", app}, {"thread", thread}, {"sched", sched},
		{"priority", priority}, {"size", size}, {"callsite", site},
		{"kind", kind}};

	sprintf(out + strlen(out), "[rule r%d]\npool = %s\ndepth = %ld\n", number,
		pick(pool, 5), 1 + random() % 3);
	for (size_t i = 0; i < COUNT(key); i++)
		if (random() % 4 == 0)
			sprintf(out + strlen(out), "%s = %s\n", key[i].key,
				pick(key[i].value, 5));
}

static void random_call(struct match_call *c, struct match_frame *frame)
{
	static const char *const exe[] = {"/p/a", "/p/b", "bb", "/c", "a"};
	static const char *const name[] = {"t", "tt", "u", "", "uv"};
	static const int sched[] = {SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_IDLE, 6};
	static const char *const object[] = {"x", "/l/x", "y", "z", "/y"};
	static const char *const symbol[] = {"f", "g", NULL, "f", "h"};

	*c = (struct match_call){.exe = pick(exe, 5),
		.thread = {pick(name, 5), sched[random() % 5], (int)(random() % 100)},
		.frame = frame,
		.nframe = (int)(1 + random() % 4),
		.has_size = true,
		.size = (size_t)(random() % 70)};
	for (int i = 0; i < c->nframe; i++)
		frame[i] = (struct match_frame){pick(object, 5), pick(symbol, 5), NULL};
}

static void random_policies(void)
{
	int hits = 0;

	srandom(2);
	for (int i = 0; i < 400; i++) {
		char text[4096] = "[pool a]\n[pool b]\n";
		struct policy *p;

		for (int r = 0; r < 6; r++)
			random_rule(text, r);
		p = load_text(text);
		for (int k = 0; k < 200; k++) {
			struct match_frame frame[4];
			struct match_call c;
			int rule;

			random_call(&c, frame);
			rule = library(p, &c);
			hits += rule >= 0;
			expect(rule == explained(p, &c), "explain differs on\n%s", text);
		}
		policy_free(p);
	}
	expect(hits > 10000 && hits < 70000, "the random policies are worth it: %d",
		hits);
}

/* A warning "can never win" must be true: such a rule is the library's answer to nothing.
 */
static void shadowed_never_win(void)
{
	int shadowed = 0;

	srandom(3);
	for (int i = 0; i < 400; i++) {
		char text[4096] = "[pool a]\n[pool b]\n";
		bool never[6] = {0};
		struct policy *p;

		for (int r = 0; r < 6; r++)
			random_rule(text, r);
		p = load_text(text);
		for (int e = 0; e < p->nerror; e++)
			for (int r = 0; r < p->nrule; r++)
				if (!p->error[e].fatal &&
					p->error[e].origin.line == p->rule[r].origin.line)
					never[r] = ++shadowed > 0;
		for (int k = 0; k < 300; k++) {
			struct match_frame frame[4];
			struct match_call c;
			int rule;

			random_call(&c, frame);
			rule = library(p, &c);
			expect(rule < 0 || !never[rule],
				"rule r%d wins all the same:\n%s", rule, text);
		}
		policy_free(p);
	}
	expect(shadowed > 100, "only %d shadowed rules were tried", shadowed);
}

int main(void)
{
	table();
	apps();
	standing();
	too_many();
	random_policies();
	shadowed_never_win();
	return expected();
}
