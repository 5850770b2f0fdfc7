// SPDX-License-Identifier: MIT
/*
 * site_cfi_run.c - runs call frame instructions up to an address and condenses the row
 *
 * Only rows for the CFA, rbp, rbx and the return address are kept; instructions for other
 * registers are skipped over. Bound: SITE_CFI_OPS operations, 8 remembered rows.
 */
#include "site_cfi.h"

#include "site_cfi_private.h"

enum { REG_RBX = 3, REG_RBP = 6, REG_RSP = 7, REG_RA = 16 };
enum { REMEMBERED = 8, EXPR_MAX = 24 };

/* Where a register of the caller is. */
struct saved {
	enum { SAME, AT_CFA, AT_RBP, LOST, UNDEFINED } how;
	int64_t offset; /* bytes */
};

struct row {
	enum { CFA_NONE, CFA_REG, CFA_DEREF } how;
	uint64_t reg;
	int64_t offset, add;
	struct saved rbx, rbp, ra;
};

struct run {
	const struct site_cie *cie;
	struct row now, initial, remembered[REMEMBERED];
	int depth;
	unsigned ops;
	bool bad;
};

static struct saved *saved_of(struct row *row, uint64_t reg, struct saved *other)
{
	return reg == REG_RBX	? &row->rbx
	       : reg == REG_RBP ? &row->rbp
	       : reg == REG_RA	? &row->ra
				: other;
}

/* A small expression: breg N [deref [plus_uconst N]]; false for any other. */
static bool expression(struct site_reader *r, uint64_t *reg, int64_t *off, int64_t *add)
{
	enum { DEREF = 0x06, PLUS_UCONST = 0x23, BREG0 = 0x70, BREG31 = 0x8f };
	uint64_t len = site_uleb(r);
	struct site_reader e = *r;
	uint8_t op;
	bool deref = false;

	site_skip(r, len);
	e.end = r->p;
	op = site_read8(&e);
	*add = -1;
	if (r->bad || len > EXPR_MAX || op < BREG0 || op > BREG31)
		return false;
	*reg = (uint64_t)(op - BREG0);
	*off = site_sleb(&e);
	while (e.p < e.end && !e.bad) {
		op = site_read8(&e);
		if (op == DEREF && !deref) {
			deref = true;
			*add = 0;
		} else if (op == PLUS_UCONST) {
			*(deref ? add : off) += (int64_t)(site_uleb(&e) & 0xffffff);
		} else {
			return false;
		}
	}
	return !e.bad;
}

static void cfa_expression(struct run *run, struct site_reader *r)
{
	struct row *row = &run->now;
	int64_t add;

	if (expression(r, &row->reg, &row->offset, &add)) {
		row->how = add < 0 ? CFA_REG : CFA_DEREF;
		row->add = add < 0 ? 0 : add;
	} else {
		row->how = CFA_NONE;
	}
}

static void saved_expression(struct saved *s, struct site_reader *r)
{
	uint64_t reg;
	int64_t off, add;

	s->how = LOST;
	if (expression(r, &reg, &off, &add) && reg == REG_RBP && add < 0) {
		s->how = AT_RBP;
		s->offset = off;
	}
}

/* n is what the file says: factored, and any 64 bits. */
static int64_t factored(const struct run *run, int64_t n)
{
	return (int64_t)((uint64_t)n * (uint64_t)run->cie->data_align);
}

static void save_at(struct saved *s, int64_t offset)
{
	s->how = AT_CFA;
	s->offset = offset;
}

static void remember(struct run *run, bool restore)
{
	if (restore ? run->depth == 0 : run->depth == REMEMBERED)
		run->bad = true;
	else if (restore)
		run->now = run->remembered[--run->depth];
	else
		run->remembered[run->depth++] = run->now;
}

/* DW_CFA_def_cfa and its kin. */
static void define_cfa(struct run *run, unsigned op, struct site_reader *r)
{
	struct row *row = &run->now;

	if (op == 0x0f) {
		cfa_expression(run, r);
		return;
	}
	if (op == 0x0c || op == 0x0d || op == 0x12)
		row->reg = site_uleb(r);
	if (op == 0x0c || op == 0x0e)
		row->offset = (int64_t)site_uleb(r);
	else if (op == 0x12 || op == 0x13)
		row->offset = factored(run, site_sleb(r));
	if (op == 0x0c || op == 0x12) {
		row->how = CFA_REG;
		row->add = 0;
	} else if (row->how != CFA_REG) {
		run->bad = true;
	}
}

/* A register's rule is again what the CIE said. */
static void restore(struct run *run, uint64_t reg)
{
	struct saved other = {.how = SAME};

	*saved_of(&run->now, reg, &other) = *saved_of(&run->initial, reg, &other);
}

/* Instructions that say where one register was saved. */
static void define_saved(struct run *run, unsigned op, struct site_reader *r)
{
	uint64_t reg = site_uleb(r);
	struct saved other, *s = saved_of(&run->now, reg, &other);

	switch (op) {
	case 0x05:
		save_at(s, factored(run, (int64_t)site_uleb(r)));
		break;
	case 0x06:
		restore(run, reg);
		break;
	case 0x07:
		s->how = UNDEFINED;
		break;
	case 0x08:
		s->how = SAME;
		break;
	case 0x10:
		saved_expression(s, r);
		break;
	case 0x11:
		save_at(s, factored(run, site_sleb(r)));
		break;
	case 0x2f:
		save_at(s, -factored(run, (int64_t)(site_uleb(r) & INT32_MAX)));
		break;
	default: /* register, val_offset, val_offset_sf, val_expression */
		s->how = LOST;
		if (op == 0x16)
			site_skip(r, site_uleb(r));
		else
			site_uleb(r);
	}
}

/* One instruction that is not an advance. */
static void step(struct run *run, unsigned op, struct site_reader *r)
{
	struct saved other;

	if (op >= 0xc0) {
		restore(run, op & 0x3f);
		return;
	}
	if (op >= 0x80) {
		save_at(saved_of(&run->now, op & 0x3f, &other),
			factored(run, (int64_t)site_uleb(r)));
		return;
	}
	switch (op) {
	case 0x00:
		break;
	case 0x0a:
	case 0x0b:
		remember(run, op == 0x0b);
		break;
	case 0x0c ... 0x0f:
	case 0x12:
	case 0x13:
		define_cfa(run, op, r);
		break;
	case 0x05 ... 0x09:
	case 0x10:
	case 0x11:
	case 0x14 ... 0x16:
	case 0x2f:
		define_saved(run, op, r);
		break;
	case 0x2e: /* GNU_args_size */
		site_uleb(r);
		break;
	default:
		run->bad = true;
	}
}

/* Runs r until its location passes pc. */
static void execute(struct run *run, struct site_reader r, uint64_t loc, uintptr_t pc)
{
	while (r.p < r.end && !r.bad && !run->bad) {
		uint8_t op = site_read8(&r);

		if (++run->ops > SITE_CFI_OPS)
			run->bad = true;
		if ((op & 0xc0) == 0x40)
			loc += (op & 0x3fu) * run->cie->code_align;
		else if (op >= 0x02 && op <= 0x04)
			loc += site_read(&r, 1u << (op - 2)) * run->cie->code_align;
		else if (op == 0x01)
			loc = site_cfi_pointer(&r, run->cie->encoding);
		else
			step(run, op, &r);
		if (loc > pc)
			break;
	}
	run->bad |= r.bad;
}

static unsigned saved_code(const struct saved *s)
{
	int64_t n = -s->offset / 8;

	if (s->how == SAME)
		return SITE_SAVED_SAME;
	if (s->offset % 8 == 0 && s->how == AT_CFA && n >= 1 && n < SITE_SAVED_LOST)
		return (unsigned)n;
	if (s->offset % 8 == 0 && s->how == AT_RBP && n >= 0 && n < 128)
		return SITE_SAVED_AT_RBP + (unsigned)n;
	return SITE_SAVED_LOST;
}

static uint64_t condense(const struct row *row)
{
	unsigned base = row->reg == REG_RSP   ? SITE_BASE_RSP
			: row->reg == REG_RBP ? SITE_BASE_RBP
			: row->reg == REG_RBX ? SITE_BASE_RBX
					      : SITE_BASE_END;

	if (row->how == CFA_NONE || base == SITE_BASE_END)
		return SITE_RECIPE_END;
	if (row->ra.how != AT_CFA || row->ra.offset != -8)
		return SITE_RECIPE_END;
	if (row->offset % 8 || row->offset / 8 >= 1 << 21 || row->offset / 8 < -(1 << 21))
		return SITE_RECIPE_END;
	if (row->how == CFA_DEREF)
		base |= SITE_BASE_DEREF;
	if (row->add % 8 || row->add < 0 || row->add / 8 > 31)
		return SITE_RECIPE_END;
	return SITE_RECIPE(base, row->offset / 8, row->add / 8, saved_code(&row->rbp),
		saved_code(&row->rbx));
}

uint64_t site_cfi_run(const struct site_cie *cie, uint64_t start, uintptr_t pc)
{
	struct run run = {.cie = cie};

	/* the CIE's instructions hold from the function's first byte: no location passes
	 */
	execute(&run, cie->init, 0, UINTPTR_MAX);
	run.initial = run.now;
	execute(&run, cie->code, start, pc);
	return run.bad ? SITE_RECIPE_END : condense(&run.now);
}
