/* SPDX-License-Identifier: MIT */
/*
 * parse_errors.c - every error a policy file can have: its line, its words, and that it
 * is reported once
 */
#include "expect.h"

static const struct {
	const char *text;
	const char *error[4]; /* "line:" and a part of the message */
} errors[] = {
	{"", {0}},
	{"\n; comment\n# comment\n  ; indented\n", {0}},
	{"[realtime]\n", {0}},
	{"[realtime]\naudio = yes ; comment\n", {0}},
	{"[realtime]\naudio: no\n", {0}},
	{"  [ realtime ]  \n\taudio=no\n", {0}},
	{"audio = yes\n", {"1:'audio' stands before the first section"}},
	{"[realtim]\n", {"1:unknown section [realtim]; did you mean [realtime]?"}},
	{"[rules x]\n", {"1:did you mean [rule]?"}},
	{"[nonsense]\nx = 1\n", {"1:unknown section [nonsense]; there are"}},
	{"[realtime x]\n", {"1:[realtime] has no name"}},
	{"[pool]\n", {"1:[pool] needs a name"}},
	{"[pool jemalloc]\n", {"1:a pool cannot be called jemalloc"}},
	{"[pool x\nsize = 1\n", {"1:a section heading without ']'"}},
	{"[pool x] y\n", {"1:text after the ']'"}},
	{"[pool x] ; y\n", {0}},
	{"[app a[12]]\n", {0}},
	{"[realtime]\naudio\n", {"2:neither [section] nor key = value: 'audio'"}},
	{"[realtime]\n= yes\n", {"2:no key before the '='"}},
	{"[realtime]\naudio =\n", {"2:audio: no value"}},
	{"[realtime]\naudoi = yes\n",
		{"2:unknown key 'audoi' in [realtime]; did you mean "
		 "'audio'?"}},
	{"[realtime]\nsize = 1\n", {"2:it belongs in [pool]"}},
	{"[realtime]\nzzzzz = 1\n", {"2:unknown key 'zzzzz' in [realtime]"}},
	{"[realtime]\naudio = ye\n",
		{"2:'ye' is not one of: yes no; did you mean 'yes'?"}},
	{"[realtime]\naudio = 1\n", {"2:'1' is not one of: yes no"}},
	{"[realtime]\naudio = yes\naudio = no\n",
		{"3:duplicate key 'audio': it was given in line 2"}},
	{"[realtime]\naudio = yes\n[realtime]\naudio = no\n", {0}},
	{"[pool a]\nsize = 4Q\n", {"2:size: '4Q' is not a size"}},
	{"[pool a]\nsize = 0\n", {"2:size: '0' is outside 1..4194240K"}},
	{"[pool a]\nsize = 4194240K\n", {0}},
	{"[pool a]\nsize = 4194241K\n", {"2:size: '4194241K' is outside"}},
	{"[pool a]\nsize = 99999999999G\n", {"2:too big a number"}},
	{"[pool a]\nmax = 4G\n", {"2:max: '4G' is outside"}},
	{"[pool a]\nsize = 4M\nmax = 2M\n",
		{"3:max of pool 'a' is smaller than its size"}},
	{"[pool a]\nmax = 2M\n", {"2:max of pool 'a' is smaller"}},
	{"[pool a]\nlock = tri\n", {"2:did you mean 'try'?"}},
	{"[rule r]\n", {"1:rule 'r' names no pool"}},
	{"[rule r]\npool = b\n", {"2:rule 'r' names an unknown pool 'b'"}},
	{"[pool audio]\n[rule r]\npool = audoi\n", {"3:did you mean 'audio'?"}},
	{"[rule r]\npool = jemaloc\n", {"2:did you mean 'jemalloc'?"}},
	{"[rule r]\npool = a\n[pool a]\n", {0}},
	{"[rule r]\npool = jemalloc\nthread = abcdefghijklmno\n", {0}},
	{"[rule r]\npool = jemalloc\nthread = abcdefghijklmnop\n",
		{"3:'abcdefghijklmnop' can never match: a thread name has at most 15"}},
	{"[rule r]\npool = jemalloc\nthread = *abcdefghijklmno?\n",
		{"3:can never match"}},
	{"[rule r]\npool = jemalloc\nthread = a[b\n", {"3:'[' that is never closed"}},
	{"[rule r]\npool = jemalloc\nthread = a,,b\n", {"3:an empty item in the list"}},
	{"[rule r]\npool = jemalloc\nthread = a, !\n", {"3:nothing after the '!'"}},
	{"[rule r]\npool = jemalloc\nsched = fiffo, rt, x\n",
		{"3:did you mean 'fifo'?", "3:'x' is not one of"}},
	{"[rule r]\npool = jemalloc\nsched = fifo, !rt\n", {"3:no class is left"}},
	{"[rule r]\npool = jemalloc\npriority = 100\n", {"3:'100' is outside 0..99"}},
	{"[rule r]\npool = jemalloc\npriority = 9..5\n", {"3:is an empty range"}},
	{"[rule r]\npool = jemalloc\nsched = other\npriority = 1..\n",
		{"4:no thread of these classes has such a priority"}},
	{"[rule r]\npool = jemalloc\nsched = fifo\npriority = 0\n",
		{"4:can never match"}},
	{"[rule r]\npool = jemalloc\nsize = 64K..16\n", {"3:is an empty range"}},
	{"[rule r]\npool = jemalloc\nsize = ..\n", {"3:is a range without ends"}},
	{"[rule r]\npool = jemalloc\ncallsite = libx!\n", {"3:no symbol after the '!'"}},
	{"[rule r]\npool = jemalloc\ndepth = 0\n", {"3:depth: '0' is outside 1..64"}},
	{"[rule r]\npool = jemalloc\ndepth = 65\n", {"3:depth: '65' is outside 1..64"}},
	{"[rule r]\npool = jemalloc\nrecycle = 5\n", {"3:is not a time"}},
	{"[rule r]\npool = jemalloc\nrecycle = 3601s\n", {"3:is outside 0..3600s"}},
	{"[rule r]\npool = jemalloc\nstack = 2G\n", {"3:is outside 0..1G"}},
	{"[rule r]\npool = jemalloc\napp = m/x\n[rule s]\npool = jemalloc\napp = m*\n",
		{0}},
	{"[app a[b]\n", {"1:'a[b' has a '[' that is never closed"}},
	{"[realtime]\nvid\x1b"
	 "eo = yes\n",
		{"2:the line has control characters"}},
	{"[realtime]\rvideo = yes\r", {"1:the line has control characters"}},
	{"[realtime]\n; form feed \f in a comment\n", {0}},
	{"[rule r]\npool = jemalloc\nthread = x\n[rule s]\npool = jemalloc\n",
		{"1:rule 'r' can never win: the later rule 's'"}},
	{"[rule r]\npool = jemalloc\n[rule s]\npool = jemalloc\nthread = x\n", {0}},
	{"[rule r]\npool = jemalloc\n[rule s]\nkind = video\npool = jemalloc\n",
		{"4:rule 's' is off"}},
	/* several, in order of lines, none swallowed */
	{"[pol a]\nx = 1\n[rule r]\npool = q\nsched = z\nfoo\n",
		{"1:unknown section", "4:unknown pool 'q'", "5:'z' is not one of",
			"6:neither [section]"}},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct policy *p = load_text(errors[i].text);
		int n = 0;

		while (n < 4 && errors[i].error[n] != NULL)
			n++;
		expect(p->nerror == n, "%d errors instead of %d in\n%s", p->nerror, n,
			errors[i].text);
		for (int k = 0; k < n && k < p->nerror; k++) {
			char *part;
			long line = strtol(errors[i].error[k], &part, 10);

			expect(p->error[k].origin.line == line &&
					strstr(p->error[k].text, part + 1) != NULL,
				"line %d: %s\ninstead of %s", p->error[k].origin.line,
				p->error[k].text, errors[i].error[k]);
		}
		policy_free(p);
	}
	return expected();
}
