// SPDX-License-Identifier: MIT
/*
 * site_compile.c - one module against one policy: names become address intervals
 *
 * Every function of the module is asked of every rule once, here; what is left for the
 * realtime path is a sorted array. Where functions nest, the one that begins last wins;
 * where several names share an address, each of them counts. "foo.cold", "foo.part.0" and
 * "foo@@VERSION" are also asked as "foo", C++ names also as people write them.
 *
 * Never on the realtime path. Bound: functions x (rules + wrappers), n log n to sort.
 */
#include <sys/mman.h>

#include "policy/model/cxx_name.h"
#include "policy/model/glob.h"
#include "os/base.h"
#include "os/sys.h"
#include "site_private.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum { PREFIX_BITS = 1 << 12, NEST_MAX = 32, BASE_NAME_MAX = 256 };

struct wrapper {
	const char *object, *symbol; /* symbol NULL: all of the object */
};

static const struct wrapper wrapper[] = {
#define SITE_OBJECT(o)	  {o, NULL},
#define SITE_SYMBOL(o, s) {o, s},
#include "site_wrappers.def"
#undef SITE_OBJECT
#undef SITE_SYMBOL
};
enum { NWRAPPER = sizeof wrapper / sizeof wrapper[0] };

struct verdict {
	uint64_t plus, minus;
	bool transparent;
};

struct function {
	uint32_t start, end; /* offsets from the module's lo; end == start: unknown */
	struct verdict v;
};

struct compile {
	struct site_compiled *w;
	const struct match_process *m;
	struct site_module *mod;
	uint64_t ask;	       /* rules whose answer depends on the symbol */
	struct verdict object; /* code that no symbol covers */
	const char
		*here[NWRAPPER]; /* symbol globs of wrappers that apply to this object */
	unsigned nhere;
	uint8_t prefix[PREFIX_BITS / 8]; /* of names that some wrapper glob may match */
	struct function *f;
	uint32_t n, room;
	bool failed;
};

/* --- wrappers ------------------------------------------------------------ */

/* Hash of a name's first three bytes; false when it is shorter or starts with a wildcard.
 */
static bool prefix_of(const char *s, unsigned *out)
{
	unsigned h = 0;

	for (int i = 0; i < 3; i++) {
		if (!s[i] || s[i] == '*' || s[i] == '?' || s[i] == '[')
			return false;
		h = h * 31 + (unsigned char)s[i];
	}
	*out = h % PREFIX_BITS;
	return true;
}

static void wrappers_of_object(struct compile *c)
{
	for (unsigned i = 0; i < NWRAPPER; i++) {
		unsigned h;

		if (!glob_match_path(wrapper[i].object, c->mod->path))
			continue;
		if (!wrapper[i].symbol) {
			c->object.transparent = true;
			continue;
		}
		c->here[c->nhere++] = wrapper[i].symbol;
		if (prefix_of(wrapper[i].symbol, &h))
			c->prefix[h / 8] |= (uint8_t)(1 << h % 8);
		else
			__builtin_memset(c->prefix, 0xff, sizeof c->prefix);
	}
}

static bool is_wrapper(const struct compile *c, const char *name)
{
	unsigned h;

	if (!prefix_of(name, &h) || !(c->prefix[h / 8] & 1 << h % 8))
		return false;
	for (unsigned i = 0; i < c->nhere; i++) {
		if (glob_match(c->here[i], name))
			return true;
	}
	return false;
}

/* --- rules --------------------------------------------------------------- */

static void ask_rule(struct verdict *v, const struct policy_rule *r, unsigned bit,
	const char *path, const char *symbol)
{
	int answer = match_site(r, path, symbol);

	if (answer > 0)
		v->plus |= 1ull << bit;
	else if (answer < 0)
		v->minus |= 1ull << bit;
}

/* Does some value of r name this object together with a symbol? */
static bool symbol_matters(const struct policy_rule *r, const char *path)
{
	for (int i = 0; i < r->callsite.n; i++) {
		if (r->callsite.v[i].symbol &&
			glob_match_path(r->callsite.v[i].object, path))
			return true;
	}
	return false;
}

static void rules_of_object(struct compile *c)
{
	for (int i = 0; i < c->m->nrule; i++) {
		const struct policy_rule *r = c->m->rule[i];

		if (r->callsite.n == 0)
			continue;
		ask_rule(&c->object, r, (unsigned)i, c->mod->path, NULL);
		if (symbol_matters(r, c->mod->path))
			c->ask |= 1ull << i;
	}
}

static void ask_rules(
	const struct compile *c, struct verdict *v, uint64_t ask, const char *name)
{
	for (; ask; ask &= ask - 1) {
		int i = __builtin_ctzll(ask);

		ask_rule(v, c->m->rule[i], (unsigned)i, c->mod->path, name);
	}
}

/* Of the rules that ask, those that may name a function by what programmers call it. */
static uint64_t asks_written(const struct compile *c, const char *name)
{
	uint64_t some = 0;

	for (uint64_t ask = c->ask; ask; ask &= ask - 1) {
		int bit = __builtin_ctzll(ask);
		const struct policy_rule *r = c->m->rule[bit];

		for (int i = 0; i < r->callsite.n && !(some >> bit & 1); i++) {
			const char *symbol = r->callsite.v[i].symbol;

			if (symbol && cxx_name_likely(symbol, name))
				some |= 1ull << bit;
		}
	}
	return some;
}

static void ask_name(const struct compile *c, struct verdict *v, const char *name)
{
	char written[CXX_NAME_MAX];
	uint64_t ask = 0;

	ask_rules(c, v, c->ask, name);
	if (name[0] == '_' && name[1] == 'Z')
		ask = asks_written(c, name);
	if (ask && cxx_name_demangle(name, written))
		ask_rules(c, v, ask, written);
	v->transparent |= is_wrapper(c, name);
}

/* "foo" of "foo.cold" or "foo@@V1" into buf; false when the name is whole already. */
static bool base_name(const char *name, char buf[BASE_NAME_MAX])
{
	unsigned n = 0;

	while (name[n] && name[n] != '@' && (name[n] != '.' || n == 0)) {
		if (n + 1 == BASE_NAME_MAX)
			return false;
		buf[n] = name[n];
		n++;
	}
	buf[n] = '\0';
	return name[n] != '\0' && n > 0;
}

/* --- functions ----------------------------------------------------------- */

static bool more_room(struct compile *c)
{
	uint32_t room = c->room ? 2 * c->room : 1024;
	void *p = je_realloc(c->f, room * sizeof *c->f);

	if (!p) {
		c->failed = true;
		return false;
	}
	c->f = p;
	c->room = room;
	return true;
}

static void add_function(void *arg, const char *name, uint64_t value, uint64_t size)
{
	struct compile *c = arg;
	uint64_t start = c->mod->base + value - c->mod->lo;
	uint64_t span = c->mod->hi - c->mod->lo;
	char base[BASE_NAME_MAX];
	struct function *f;

	if (start >= span || (c->n == c->room && !more_room(c)))
		return;
	f = &c->f[c->n++];
	f->start = (uint32_t)start;
	f->end = (uint32_t)(start + (size < span - start ? size : span - start));
	/* rules that do not look at symbols have answered for the object */
	f->v.plus = c->object.plus & ~c->ask;
	f->v.minus = c->object.minus & ~c->ask;
	f->v.transparent = c->object.transparent;
	ask_name(c, &f->v, name);
	if (base_name(name, base))
		ask_name(c, &f->v, base);
}

/* By start; of those with one start the longest first. */
static bool before(const struct function *a, const struct function *b)
{
	return a->start != b->start ? a->start < b->start : a->end > b->end;
}

static void sift(struct function *f, uint32_t at, uint32_t n)
{
	struct function v = f[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < n && before(&f[child], &f[child + 1]))
			child++;
		if (child >= n || !before(&v, &f[child]))
			break;
		f[at] = f[child];
		at = child;
	}
	f[at] = v;
}

/* Heap sort: libc's qsort() may call malloc. */
static void sort(struct function *f, uint32_t n)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift(f, i, n);
	while (n > 1) {
		struct function last = f[--n];

		f[n] = f[0];
		f[0] = last;
		sift(f, 0, n);
	}
}

/* Functions with one start become one: every alias counts. Returns how many are left. */
static uint32_t merge_aliases(struct function *f, uint32_t n)
{
	uint32_t out = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (out > 0 && f[out - 1].start == f[i].start) {
			f[out - 1].v.plus |= f[i].v.plus;
			f[out - 1].v.minus |= f[i].v.minus;
			f[out - 1].v.transparent |= f[i].v.transparent;
		} else {
			f[out++] = f[i];
		}
	}
	return out;
}

/* --- intervals ----------------------------------------------------------- */

static void emit(struct compile *c, uint32_t start, const struct verdict *v)
{
	struct site_module *m = c->mod;
	struct site_interval *last = m->ninterval ? &m->interval[m->ninterval - 1] : NULL;
	uint16_t class = site_class_of(c->w, v->plus, v->minus, v->transparent);
	uint32_t verdict =
		class == SITE_CLASS_UNKNOWN
			? 0
			: class | (uint32_t)SITE_KNOWN |
				  (v->transparent ? (uint32_t)SITE_TRANSPARENT : 0);

	if (last && last->start == start && m->ninterval > 1 &&
		m->interval[m->ninterval - 2].verdict == verdict)
		m->ninterval--;
	else if (last && last->start == start)
		last->verdict = verdict;
	else if (!last || last->verdict != verdict)
		m->interval[m->ninterval++] = (struct site_interval){start, verdict};
}

/* One sweep over the sorted functions; a stack holds those that enclose the present one.
 * Each function emits at most one interval where it starts and one where it ends. */
static void sweep(struct compile *c)
{
	const struct function *open[NEST_MAX];
	unsigned depth = 0;

	emit(c, 0, &c->object);
	for (uint32_t i = 0; i <= c->n; i++) {
		uint32_t here = i < c->n ? c->f[i].start : UINT32_MAX;

		while (depth > 0 && open[depth - 1]->end <= here) {
			uint32_t end = open[--depth]->end;

			/* those that ended inside are no longer open either */
			while (depth > 0 && open[depth - 1]->end <= end)
				depth--;
			emit(c, end, depth ? &open[depth - 1]->v : &c->object);
		}
		if (i == c->n)
			break;
		emit(c, here, &c->f[i].v);
		if (depth < NEST_MAX)
			open[depth++] = &c->f[i];
	}
}

/* A function without a size (assembly) ends where the next begins. */
static void give_sizes(struct compile *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->f[i].end == c->f[i].start)
			c->f[i].end = i + 1 < c->n ? c->f[i + 1].start
						   : (uint32_t)(c->mod->hi - c->mod->lo);
	}
}

/* May a walk pass this module: by its depth, a wrapper in it, or because we live there?
 */
static bool may_be_walked(const struct compile *c)
{
	uintptr_t self = (uintptr_t)site_compile;
	bool any = site_every || c->object.transparent || c->w->deeper[1] != 0 ||
		   (self >= c->mod->lo && self < c->mod->hi);

	for (uint32_t i = 0; i < c->n && !any; i++)
		any = c->f[i].v.transparent;
	return any;
}

/* Unwind tables: in memory before a realtime thread looks. */
static void prefault(const struct compile *c)
{
	uintptr_t lo = (uintptr_t)c->mod->cfi.hdr & ~4095ul;
	size_t len = (uintptr_t)c->mod->cfi.hi - lo;

	if (c->mod->cfi.hdr && c->mod->walked && !sys_restricted())
		sys_madvise((void *)lo, len, MADV_POPULATE_READ);
}

void site_compile(
	struct site_compiled *w, const struct match_process *m, struct site_module *mod)
{
	struct compile *c = je_calloc(1, sizeof *c);

	mod->ninterval = 0;
	mod->interval = NULL;
	if (!c)
		return;
	c->w = w;
	c->m = m;
	c->mod = mod;
	wrappers_of_object(c);
	rules_of_object(c);
	if (c->ask || (c->nhere && !c->object.transparent))
		site_elf_symbols(mod, add_function, c);
	sort(c->f, c->n);
	c->n = merge_aliases(c->f, c->n);
	give_sizes(c);
	mod->interval = je_malloc((2ul * c->n + 1) * sizeof *mod->interval);
	if (mod->interval && !c->failed)
		sweep(c);
	mod->walked = may_be_walked(c);
	prefault(c);
	je_free(c->f);
	je_free(c);
}
