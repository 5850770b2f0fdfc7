/* SPDX-License-Identifier: MIT */
/*
 * site_inline.h - what is known about return addresses, and the one look-up of a hit
 *
 * The COMPILED SET is everything compiled from one policy: the table of return addresses,
 * the verdict classes they point to, the modules. The table is open-addressing; an entry
 * is a key and one word, each written once and atomically, so a reader needs no lock:
 *   key    0 free; else the return address, for as long as the set lives
 *   value  0 nothing known (not resolved yet, or the module went away); else class,
 *          flags and unwind recipe in one word
 * A class is a set of rules' verdicts, immutable once a value names it. Class 0 decides
 * nothing, so value 0 needs no test of its own.
 *
 * Realtime: yes. Bound: one probe here, SITE_PROBES in site_table.c.
 */
#ifndef SITE_INLINE_H
#define SITE_INLINE_H

#include <stdbool.h>
#include <stdint.h>

#define SITE_TABLE_BITS 13
#define SITE_ENTRIES	(1u << SITE_TABLE_BITS)
#define SITE_CLASSES	1024u

/*
 * A value: class in bits 0..15, two flags, the recipe of site_cfi.h above them.
 *   TRANSPARENT  does not count as a frame of `depth`
 *   KNOWN        code of an ELF object: what depends on it may be remembered
 * Class 1 is code that nothing matches, in no ELF object for one.
 */
#define SITE_CLASS(v)	   ((uint16_t)(v))
#define SITE_TRANSPARENT   (1ull << 16)
#define SITE_KNOWN	   (1ull << 17)
#define SITE_RECIPE_SHIFT  18
#define SITE_CLASS_UNKNOWN 0
#define SITE_CLASS_NOTHING 1

struct site_entry {
	uint64_t key;	/* atomic: CAS from 0, never changed again */
	uint64_t value; /* atomic: release by the resolver, acquire by readers */
};

/* Masks of rules: bit i is rule i of the policy that was compiled. */
struct site_class {
	uint64_t decided; /* this frame as the immediate caller settles these rules … */
	uint64_t holds;	  /* … and these of them hold */
	uint64_t plus;	  /* some value matches this frame */
	uint64_t minus;	  /* a negated value matches this frame */
};

struct site_modules;

struct site_compiled {
	struct site_entry entry[SITE_ENTRIES];
	struct site_class class[SITE_CLASSES];
	uint64_t rules;	       /* have a callsite condition */
	uint64_t only_negated; /* all their values are negated: hold unless one matches */
	uint64_t sure;	     /* have no negated value: one matching frame settles them */
	uint64_t deeper[65]; /* [n]: rules that look at more than n frames */
	uint32_t nclass;
	uint32_t nkey;		      /* atomic, relaxed: keys in use */
	struct site_modules *modules; /* atomic: release by the slow side, acquire */
};

/* atomic: release by site_init() and when the table is renewed, acquire by readers */
extern __attribute__((visibility("hidden"))) struct site_compiled *site_compiled;

/* What is known of a return address holds for one generation: it moves on when a module
 * comes or goes. atomic: seq_cst by the slow side; a thread that remembers
 * answers compares it. */
extern __attribute__((visibility("hidden"))) uint64_t site_generation;

static inline uint32_t site_hash(uint64_t ret)
{
	return ((uint32_t)ret * 0x9e3779b1u) >> (32 - SITE_TABLE_BITS);
}

/*
 * The answer for an immediate caller that was seen before: false when more has to be done
 * (site_match() does it). Only with want != 0, which only a policy with call sites gives.
 */
static inline bool site_fast(uintptr_t ret, uint64_t want, uint64_t *holds)
{
	/* acquire: the set is complete when it is seen (release in site_publish) */
	const struct site_compiled *w = __atomic_load_n(&site_compiled, __ATOMIC_ACQUIRE);
	const struct site_entry *e = &w->entry[site_hash(ret)];
	const struct site_class *c;

	/* acquire, both: pair with the releases in site_table_put() */
	if (__atomic_load_n(&e->key, __ATOMIC_ACQUIRE) != ret)
		return false;
	c = &w->class[SITE_CLASS(__atomic_load_n(&e->value, __ATOMIC_ACQUIRE))];
	if (want & ~c->decided)
		return false;
	*holds = want & c->holds;
	return true;
}

#endif
