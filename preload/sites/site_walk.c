// SPDX-License-Identifier: MIT
/*
 * site_walk.c - rules that need more than the immediate caller
 *
 * A walk goes from frame to frame by the recipes in the table. What it found is kept in
 * the thread's own cache under (return address, stack pointer), together with every word
 * of the stack and every register the walk depended on. A later hit compares all of them:
 * equal inputs, equal walk; so a remembered answer is never taken for another stack.
 *
 * Only memory between the caller's stack pointer and the end of the thread's own stack is
 * read, and the CFA grows with each frame. On another stack (coroutine, signal stack) or
 * in a thread nobody announced, the immediate caller is all that is looked at.
 *
 * Realtime: yes. Bound: SITE_FRAMES frames; a hit compares at most SITE_WORDS words.
 */
#include "site_private.h"
#include "site_thread.h"

enum { SITE_FRAMES = 64 };

#define FROM_CALLER ((uintptr_t)1) /* provenance: the register as site_frame has it */
#define LOST	    ((uintptr_t)0)

struct reg {
	uintptr_t value;
	uintptr_t from; /* LOST, FROM_CALLER, or the stack slot it was loaded from */
};

struct walk {
	uintptr_t hi; /* end of the stack; 0: read nothing */
	uintptr_t pc, sp;
	struct reg rbp, rbx;
	struct site_walked *log;
};

/* The walk depends on this word. */
static uintptr_t load(struct walk *k, uintptr_t at)
{
	struct site_walked *log = k->log;
	uintptr_t value = *(const uintptr_t *)at;

	if (log->n < SITE_WORDS)
		log->word[log->n] = (struct site_word){(const uintptr_t *)at, value};
	log->n++;
	return value;
}

/* The walk depends on this register: of the caller, or of the slot it came from. */
static bool use(struct walk *k, struct reg *r)
{
	if (r->from == LOST)
		return false;
	if (r->from == FROM_CALLER)
		k->log->uses |= r == &k->rbp ? SITE_USES_RBP : SITE_USES_RBX;
	else
		load(k, r->from);
	return true;
}

static bool in_frame(uintptr_t at, uintptr_t lo, uintptr_t hi)
{
	return at >= lo && at < hi && hi - at >= 8 && !(at & 7);
}

static uintptr_t frame_address(struct walk *k, uint64_t recipe)
{
	unsigned base = SITE_RECIPE_BASE(recipe);
	uintptr_t at = k->sp;

	if ((base & 3) == SITE_BASE_RBP || (base & 3) == SITE_BASE_RBX) {
		struct reg *r = (base & 3) == SITE_BASE_RBP ? &k->rbp : &k->rbx;

		if (!use(k, r))
			return 0;
		at = r->value;
	}
	at += (uintptr_t)((intptr_t)SITE_RECIPE_OFFSET(recipe) * 8);
	if (!(base & SITE_BASE_DEREF))
		return at;
	if (!in_frame(at, k->sp, k->hi))
		return 0;
	return load(k, at) + SITE_RECIPE_ADD(recipe) * 8;
}

/* Where the caller's register is, given the code in the recipe. */
static struct reg restored(
	struct walk *k, struct reg *r, unsigned code, struct reg *rbp, uintptr_t cfa)
{
	struct reg out = {0, LOST};

	if (code == SITE_SAVED_SAME)
		return *r;
	if (code == SITE_SAVED_LOST)
		return out;
	if (code < SITE_SAVED_AT_RBP)
		out.from = cfa - code * 8;
	else if (use(k, rbp))
		out.from = rbp->value - (code - SITE_SAVED_AT_RBP) * 8;
	if (in_frame(out.from, k->sp, cfa))
		out.value = *(const uintptr_t *)out.from;
	else
		out.from = LOST;
	return out;
}

/* To the caller's frame; false at the end of what can be told. */
static bool up(struct walk *k, uint64_t recipe)
{
	struct reg rbp, rbx;
	uintptr_t cfa;

	if (SITE_RECIPE_BASE(recipe) == SITE_BASE_END || !k->hi)
		return false;
	cfa = frame_address(k, recipe);
	if (cfa <= k->sp || cfa > k->hi || (cfa & 7))
		return false;
	rbp = restored(k, &k->rbp, SITE_RECIPE_RBP(recipe), &k->rbp, cfa);
	rbx = restored(k, &k->rbx, SITE_RECIPE_RBX(recipe), &k->rbp, cfa);
	k->pc = load(k, cfa - 8);
	k->sp = cfa;
	k->rbp = rbp;
	k->rbx = rbx;
	return k->pc != 0;
}

/* The rules in want that hold. *sure: the answer may be remembered. */
static uint64_t walk(struct site_compiled *w, struct walk *k, uint64_t want, bool *sure)
{
	uint64_t open = want, plus = 0, minus = 0;
	unsigned counted = 0;

	*sure = true;
	for (unsigned i = 0; i < SITE_FRAMES; i++) {
		uint64_t value = site_table_get(w, k->pc);
		const struct site_class *c;

		if (!value)
			value = site_resolve(w, k->pc);
		if (SITE_CLASS(value) == SITE_CLASS_UNKNOWN) {
			/* a module that is not compiled yet: what depends on it does not
			 * hold */
			*sure = false;
			return want & ~open & ~minus & (plus | w->only_negated);
		}
		*sure &= (value & SITE_KNOWN) != 0;
		c = &w->class[SITE_CLASS(value)];
		plus |= c->plus & open;
		minus |= c->minus & open;
		open &= ~(minus | (plus & w->sure));
		if (!(value & SITE_TRANSPARENT))
			open &= w->deeper[++counted];
		if (!open || !up(k, value >> SITE_RECIPE_SHIFT))
			break;
	}
	return want & ~minus & (plus | w->only_negated);
}

unsigned site_stack(const struct site_frame *f, uintptr_t *ret, unsigned max)
{
	/* acquire: as in site_match() */
	struct site_compiled *w = __atomic_load_n(&site_compiled, __ATOMIC_ACQUIRE);
	bool on_stack = f->cfa >= site_self.lo && f->cfa < site_self.hi && !(f->cfa & 7);
	struct site_walked log;
	struct walk k = {.hi = on_stack ? site_self.hi : 0,
		.pc = f->ret,
		.sp = f->cfa,
		.rbp = {f->rbp, FROM_CALLER},
		.rbx = {f->rbx, FROM_CALLER},
		.log = &log};
	unsigned n = 0;

	log.n = log.uses = 0;
	while (w && n < max && n < SITE_FRAMES) {
		uint64_t value = site_table_get(w, k.pc);

		if (!value)
			value = site_resolve(w, k.pc);
		ret[n++] = k.pc;
		if (!up(&k, value >> SITE_RECIPE_SHIFT))
			break;
	}
	return n;
}

/* Is e the walk of this very stack? Compares all that the walk depended on. */
static inline bool same_stack(const struct site_walked *e, const struct site_frame *f,
	uint64_t want, uint64_t generation)
{
	if (e->ret != f->ret || e->cfa != f->cfa || e->generation != generation ||
		(want & ~e->want))
		return false;
	if ((e->uses & SITE_USES_RBP) && e->rbp != f->rbp)
		return false;
	if ((e->uses & SITE_USES_RBX) && e->rbx != f->rbx)
		return false;
	for (unsigned i = 0, n = e->n; i < n; i++) {
		if (*e->word[i].at != e->word[i].word)
			return false;
	}
	return true;
}

static inline struct site_walked *place(
	const struct site_thread *t, const struct site_frame *f)
{
	return site_walked_at(t->walks, f->ret, f->cfa);
}

struct site_walked *site_walk_remembered(
	const struct site_frame *f, uint64_t want, uint64_t *holds)
{
	struct site_thread *t = &site_self;
	/* seq_cst: as in site_walk() */
	uint64_t generation = __atomic_load_n(&site_generation, __ATOMIC_SEQ_CST);
	struct site_walked *e;
	bool same;

	if (!site_thread_enter(t))
		return NULL;
	e = place(t, f);
	*holds = e->holds & want;
	same = same_stack(e, f, want, generation);
	site_thread_leave(t);
	return same ? e : NULL;
}

/* e becomes this walk; only what it depends on is copied. */
static void remember(struct site_walked *e, const struct site_walked *log)
{
	e->quick = 0;
	/* a signal handler of this thread finds it not ready */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	e->generation = log->generation;
	e->cfa = log->cfa;
	e->n = log->n;
	e->uses = log->uses;
	e->ret = log->ret;
	e->rbp = log->rbp;
	e->rbx = log->rbx;
	e->want = log->want;
	e->holds = log->holds;
	__builtin_memcpy(e->word, log->word, log->n * sizeof *e->word);
}

void site_walked_quick(struct site_walked *e, const struct site_frame *f,
	site_check_fn *check, site_then_fn *then)
{
	struct site_thread *t = &site_self;

	if (!site_thread_enter(t))
		return;
	/* a signal handler may have taken its place meanwhile */
	if (e->ret == f->ret && e->cfa == f->cfa && e->generation) {
		e->check = check;
		e->then = then;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		e->quick = f->ret;
	}
	site_thread_leave(t);
}

uint64_t site_walk(struct site_compiled *w, const struct site_frame *f, uint64_t want,
	struct site_walked **e)
{
	struct site_thread *t = &site_self;
	/* seq_cst: read before anything the answer is made of */
	uint64_t generation = __atomic_load_n(&site_generation, __ATOMIC_SEQ_CST);
	struct site_walked log;
	bool on_stack = f->cfa >= t->lo && f->cfa < t->hi && !(f->cfa & 7);
	bool sure;
	struct walk k = {.hi = on_stack ? t->hi : 0,
		.pc = f->ret,
		.sp = f->cfa,
		.rbp = {f->rbp, FROM_CALLER},
		.rbx = {f->rbx, FROM_CALLER},
		.log = &log};
	uint64_t holds;

	log.ret = f->ret;
	log.cfa = f->cfa;
	log.rbp = f->rbp;
	log.rbx = f->rbx;
	log.want = want;
	log.generation = generation;
	log.n = log.uses = 0;
	log.holds = holds = walk(w, &k, want, &sure);
	/* seq_cst: as in site_resolve(), nothing is remembered during a dlclose */
	sure &= !__atomic_load_n(&site_closing, __ATOMIC_SEQ_CST);
	if (on_stack && sure && log.n <= SITE_WORDS && site_thread_enter(t)) {
		*e = place(t, f);
		remember(*e, &log);
		site_thread_leave(t);
	}
	return holds;
}
