// SPDX-License-Identifier: MIT
/*
 * site_stack.c - functions with every kind of frame, to be compiled in several ways
 *
 * site_run(seed, probe) calls through a random path of them and ends in probe(). Loaded
 * by tests/unit/site_oracle.c; tests/site.mk builds it with and without frame pointers,
 * at several levels, stripped and as C++.
 */
/* cflags: -shared -fPIC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone))
#define AFTER(x) __asm__ volatile("" ::"r"(x) : "memory")
#define KINDS	 9
#define EXPORTED __attribute__((visibility("default")))

struct run {
	uint64_t random;
	int depth;
	void (*probe)(void);
};

#ifdef __cplusplus
extern "C"
#endif
	EXPORTED void
	site_run(uint64_t seed, int depth, void (*probe)(void));

static void next(struct run *r);

static uint64_t draw(struct run *r)
{
	r->random = r->random * 6364136223846793005u + 1442695040888963407u;
	return r->random >> 33;
}

static NOINLINE void plain(struct run *r)
{
	next(r);
	AFTER(r);
}

static NOINLINE void big_frame(struct run *r)
{
	char b[70000];

	b[draw(r) % sizeof b] = 1;
	AFTER(b);
	next(r);
	AFTER(b);
}

static NOINLINE void variable_frame(struct run *r)
{
	size_t n = 1 + draw(r) % 500;
	char *b = (char *)__builtin_alloca(n);

	memset(b, 0, n);
	AFTER(b);
	next(r);
	AFTER(b);
}

static NOINLINE void realigned_frame(struct run *r)
{
	__attribute__((aligned(64))) char b[128];

	AFTER(b);
	next(r);
	AFTER(b);
}

static NOINLINE void realigned_variable(struct run *r)
{
	__attribute__((aligned(128))) char b[128];
	size_t n = 1 + draw(r) % 300;
	char *v = (char *)__builtin_alloca(n);

	memset(v, 0, n);
	AFTER(b);
	AFTER(v);
	next(r);
	AFTER(b);
}

static NOINLINE uint64_t many_registers(struct run *r, uint64_t a, uint64_t b, uint64_t c,
	uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
	uint64_t x = a * b, y = c * d, z = e * f, w = g ^ h;

	next(r);
	return x + y * z - w + a + b + c + d + e + f + g + h;
}

static NOINLINE void stack_arguments(struct run *r)
{
	uint64_t v = draw(r);

	AFTER(many_registers(r, v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7));
}

static struct run *sorting;

static int compare(const void *a, const void *b)
{
	struct run *r = sorting;

	if (r) {
		sorting = NULL;
		next(r);
		AFTER(r);
	}
	return *(const int *)a - *(const int *)b;
}

static NOINLINE void through_qsort(struct run *r)
{
	int v[] = {3, 1, 2};

	sorting = r;
	qsort(v, 3, sizeof v[0], compare);
	sorting = NULL;
}

static NOINLINE void through_bsearch(struct run *r)
{
	static const int v[] = {1, 2, 3};
	int key = 3;

	sorting = r;
	AFTER(bsearch(&key, v, 3, sizeof v[0], compare));
	sorting = NULL;
}

static NOINLINE void recursive(struct run *r, int n)
{
	if (n > 0)
		recursive(r, n - 1);
	else
		next(r);
	AFTER(r);
}

#ifdef __cplusplus
struct guard {
	struct run *r;
	explicit guard(struct run *x) : r(x)
	{
	}
	~guard()
	{
		AFTER(r);
	}
};
static NOINLINE void with_cleanup(struct run *r)
{
	guard g(r);

	try {
		next(r);
	} catch (...) {
		abort();
	}
}
#else
static NOINLINE void with_cleanup(struct run *r)
{
	plain(r);
	AFTER(r);
}
#endif

static NOINLINE void next(struct run *r)
{
	if (r->depth-- <= 0) {
		r->probe();
		AFTER(r);
		return;
	}
	switch (draw(r) % KINDS) {
	case 0:
		plain(r);
		break;
	case 1:
		big_frame(r);
		break;
	case 2:
		variable_frame(r);
		break;
	case 3:
		realigned_frame(r);
		break;
	case 4:
		realigned_variable(r);
		break;
	case 5:
		stack_arguments(r);
		break;
	case 6:
		through_qsort(r);
		break;
	case 7:
		recursive(r, (int)(draw(r) % 3));
		break;
	default:
		draw(r) & 1 ? with_cleanup(r) : through_bsearch(r);
	}
	AFTER(r);
}

void site_run(uint64_t seed, int depth, void (*probe)(void))
{
	struct run r = {seed, depth, probe};

	next(&r);
	AFTER(&r);
}
