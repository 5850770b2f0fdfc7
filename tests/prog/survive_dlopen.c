/* SPDX-License-Identifier: MIT */
/* survive_dlopen.c PLUGIN - an object opened with RTLD_DEEPBIND shares our allocator; an
 * object with thread-local storage comes and goes 1000 times */
#include <dlfcn.h>

#include "victim.h"

static const char *plugin;

static void check_deepbind(void)
{
	void *lib = dlopen(plugin, RTLD_NOW | RTLD_DEEPBIND);
	char *(*make)(size_t) = (char *(*)(size_t))dlsym(lib, "plugin_make");
	char *(*text)(const char *) = (char *(*)(const char *))dlsym(lib, "plugin_text");
	void *(*aligned)(size_t, size_t) =
		(void *(*)(size_t, size_t))dlsym(lib, "plugin_aligned");
	void (*release)(void *) = (void (*)(void *))dlsym(lib, "plugin_free");
	const char *expect = getenv("VICTIM_EXPECT");

	for (size_t n = 1; n < 300000; n = n * 3 + 1) {
		char *p = realloc(make(n), n * 2);

		if (expect)
			CHECK_EQ(in_pool(p), !strcmp(expect, "pool"));
		memset(p, 1, n * 2);
		release(p);
		release(malloc(n));
		free(make(n));
		free(aligned(128, n));
	}
	free(text("words of a plugin"));
	CHECK_EQ(dlclose(lib), 0);
}

static void *touch(void *local)
{
	char *(*fn)(void) = (char *(*)(void))local;

	fn()[0]++;
	free(malloc(100));
	return NULL;
}

static void check_tls(void)
{
	for (int i = 0; i < 500; i++) {
		void *lib = dlopen(plugin, RTLD_NOW);
		void *local = lib ? dlsym(lib, "plugin_local") : NULL;
		pthread_t t;

		CHECK(local);
		touch(local);
		if (i % 10 == 0) {
			pthread_create(&t, NULL, touch, local);
			pthread_join(t, NULL);
		}
		CHECK_EQ(dlclose(lib), 0);
	}
}

static void victim(void)
{
	check_deepbind();
	check_tls();
}

int main(int argc, char **argv)
{
	plugin = argc > 1 ? argv[1] : "";
	return in_both_threads(victim);
}
