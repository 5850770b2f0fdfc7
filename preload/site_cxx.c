// SPDX-License-Identifier: MIT
/*
 * site_cxx.c - C++ names as people write them, for call sites like lib.so!Foo::bar*
 *
 * Asks the __cxa_demangle of the runtime that the program itself uses, when it has one;
 * without one such names are not known. Never on the realtime path, and never looked up
 * under the site lock: dlopen(3) waits for constructors of other threads.
 */
#include <dlfcn.h>
#include <string.h>

#include "real.h"
#include "site_private.h"

typedef void *dlopen_fn(const char *, int);
typedef char *demangle_fn(const char *, char *, size_t *, int *);
typedef void free_fn(void *);

static demangle_fn *demangle;
static free_fn *release; /* of the malloc that the runtime is bound to */

bool site_cxx_asked(const struct policy_rule *r)
{
	for (int i = 0; i < r->callsite.n; i++) {
		const char *symbol = r->callsite.v[i].symbol;

		if (symbol && (strstr(symbol, "::") || strchr(symbol, '(')))
			return true;
	}
	return false;
}

void site_cxx_find(const struct match_process *m)
{
	static const char *const runtime[] = {"libstdc++.so.6", "libc++abi.so.1"};
	void *handle = NULL, *fn, *give;
	bool asked = false;

	for (int i = 0; m && i < m->nrule; i++)
		asked |= site_cxx_asked(m->rule[i]);
	/* acquire: pairs with the release below */
	if (!asked || __atomic_load_n(&demangle, __ATOMIC_ACQUIRE))
		return;
	/* kept open: what is found has to stay */
	for (unsigned i = 0; !handle && i < sizeof runtime / sizeof *runtime; i++)
		handle = REAL(dlopen_fn, "dlopen")(runtime[i], RTLD_LAZY | RTLD_NOLOAD);
	fn = handle ? dlsym(handle, "__cxa_demangle") : NULL;
	give = dlsym(RTLD_DEFAULT, "free");
	if (!fn || !give)
		return;
	release = (free_fn *)give;
	/* release: `release` before it */
	__atomic_store_n(&demangle, (demangle_fn *)fn, __ATOMIC_RELEASE);
}

char *site_cxx_name(const char *mangled)
{
	demangle_fn *fn = __atomic_load_n(&demangle, __ATOMIC_ACQUIRE);
	int status;

	if (!fn || mangled[0] != '_' || mangled[1] != 'Z')
		return NULL;
	return fn(mangled, NULL, NULL, &status);
}

void site_cxx_free(char *name)
{
	release(name);
}
