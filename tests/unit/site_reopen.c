// SPDX-License-Identifier: MIT
/*
 * site_reopen.c - an object is closed and another one opened at its address
 *
 *	site_reopen ONE TWO   objects of tests/prog/site_plug.c
 */
#include <dlfcn.h>

#include "os/base.h"
#include "site_ask.h"

static void *volatile sink;

static void plug_probe(void)
{
	sink = malloc(1);
	AFTER();
}

/* The rules of the plugs, asked about plug_xxx() which called plug_probe(). */
enum { PLUG_ONE, PLUG_TWO };
static void make_plug_rules(void)
{
	static struct policy_site value[] = {
		[PLUG_ONE] = {"site_plug_*", "plug_one", false},
		[PLUG_TWO] = {"site_plug_*", "plug_two", false},
	};
	static struct policy_rule rule[2];
	static struct match_process process = {.nrule = 2, .rule = {&rule[0], &rule[1]}};

	for (int i = 0; i < 2; i++) {
		rule[i].callsite.v = &value[i];
		rule[i].callsite.n = 1;
		rule[i].depth = 2;
	}
	want = site_init(&process);
}

static void *plug_open(const char *path, void (**run)(void (*)(void)))
{
	void *h = dlopen(path, RTLD_NOW);

	CHECK(h != NULL);
	*run = (void (*)(void (*)(void)))dlsym(h, "plug_run");
	return h;
}

static uint64_t plug_ask(void (*run)(void (*)(void)))
{
	answer = ~0ull;
	asking = true;
	run(plug_probe);
	return answer;
}

/* The object goes and another comes at its address: hooked, seen by the poll only, and
 * looked at before the hook after dlclose has run. */
static void reopen(const char *one, const char *two, int way)
{
	void (*run)(void (*)(void)), (*other)(void (*)(void));
	void *h = plug_open(one, &run);
	uint64_t early;

	site_modules_changed();
	for (int i = 0; i < 3; i++)
		CHECK(plug_ask(run) == 1u << PLUG_ONE);
	if (way != 1)
		site_module_closing(h);
	CHECK(plug_ask(run) == 1u << PLUG_ONE);
	dlclose(h);
	if (way == 0)
		site_module_closed();
	h = plug_open(two, &other);
	if (other == run)
		printf("same address\n");
	early = way == 1 ? 0 : plug_ask(other);
	CHECK(early == 0); /* not known yet; above all not what was there before */
	if (way == 1)
		site_poll();
	if (way == 2)
		site_module_closed();
	if (way == 0)
		site_poll(); /* the address it did not know */
	for (int i = 0; i < 3; i++)
		CHECK(plug_ask(other) == 1u << PLUG_TWO);
	site_module_closing(h);
	dlclose(h);
	site_module_closed();
}

int main(int argc, char **argv)
{
	base_init();
	if (argc < 3)
		return 2;
	make_plug_rules();
	site_here();
	for (int i = 0; i < 9; i++)
		reopen(argv[1], argv[2], i % 3);
	return failures != 0;
}
