// SPDX-License-Identifier: MIT
/*
 * site_cfi.c - the unwind data reader against damaged data
 *
 * The unwind segments of every loaded object are copied to the end of a mapping that is
 * surrounded by unreadable pages, damaged, and asked for recipes. Whatever comes out, it
 * must come out: no read outside the bounds, no endless loop. Undamaged, the copy must
 * give the recipes of the original.
 *
 *	site_cfi [ROUNDS]
 */
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sites/site_cfi.h"

enum { PAGE = 4096, QUERIES = 40 };

static unsigned long rounds = 60, recipes, ends, damaged_recipes, wrong;
static uint64_t state = 1;

static uint64_t draw(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 32;
}

/* A copy of [lo, hi) that ends exactly where readable memory ends, and one that begins
 * where it begins. */
static uint8_t *guarded(const uint8_t *lo, size_t n, bool at_end, void **map, size_t *len)
{
	size_t body = (n + PAGE - 1) & ~(size_t)(PAGE - 1);
	uint8_t *p;

	*len = body + 2 * PAGE;
	*map = mmap(NULL, *len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = (uint8_t *)*map + PAGE;
	if (*map == MAP_FAILED || mprotect(p, body, PROT_READ | PROT_WRITE))
		abort();
	if (at_end)
		p += body - n;
	memcpy(p, lo, n);
	return p;
}

static void damage(uint8_t *p, size_t n, size_t hdr)
{
	/* from a few bytes to one in sixteen; the header, where everything starts, in one
	 * round of eight only, or nothing behind it would be reached */
	size_t times = 1 + draw() % (1 + (draw() & 1 ? n / 16 : n / 512));
	bool header = draw() % 8 == 0;

	for (size_t i = 0; i < times; i++) {
		size_t at = hdr + (header ? draw() % 64 : 12 + draw() % (n - hdr));

		if (at >= n)
			continue;
		switch (draw() % 4) {
		case 0:
			p[at] = (uint8_t)draw();
			break;
		case 1:
			p[at] = 0xff;
			break;
		case 2:
			p[at] ^= (uint8_t)(1u << draw() % 8);
			break;
		default:
			memset(p + at, (int)draw(), n - at < 16 ? n - at : 16);
		}
	}
}

static void object(
	const uint8_t *hdr, const uint8_t *lo, size_t n, uintptr_t code, size_t len)
{
	struct site_cfi real = {hdr, lo, lo + n};

	for (unsigned long round = 0; round < rounds; round++) {
		void *map;
		size_t maplen;
		uint8_t *p = guarded(lo, n, round & 1, &map, &maplen);
		struct site_cfi copy = {p + (hdr - lo), p, p + n};
		intptr_t moved = p - lo;

		for (int i = 0; i < QUERIES; i++) {
			uintptr_t pc = code + draw() % len;
			uint64_t r = site_cfi_recipe(&real, pc);

			recipes += r != SITE_RECIPE_END;
			ends += r == SITE_RECIPE_END;
			wrong += r != site_cfi_recipe(&copy, pc + (uintptr_t)moved);
		}
		damage(p, n, (size_t)(hdr - lo));
		/* also a segment that is cut short */
		if (draw() % 4 == 0)
			copy.hi -= draw() % n;
		for (int i = 0; i < QUERIES; i++) {
			uintptr_t pc = code + draw() % len + (uintptr_t)moved;

			damaged_recipes += site_cfi_recipe(&copy, pc) != SITE_RECIPE_END;
		}
		munmap(map, maplen);
	}
}

static int each(struct dl_phdr_info *info, size_t size, void *arg)
{
	const ElfW(Phdr) *frame = NULL, *code = NULL;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_GNU_EH_FRAME)
			frame = ph;
		else if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X))
			code = ph;
	}
	for (int i = 0; frame && code && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD && frame->p_vaddr - ph->p_vaddr < ph->p_filesz)
			object((const uint8_t *)(info->dlpi_addr + frame->p_vaddr),
				(const uint8_t *)(info->dlpi_addr + ph->p_vaddr),
				ph->p_filesz, info->dlpi_addr + code->p_vaddr,
				code->p_memsz);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 10);
	alarm(120);
	dl_iterate_phdr(each, NULL);
	printf("%lu recipes, %lu without; damaged: %lu; copies that differ: %lu\n",
		recipes, ends, damaged_recipes, wrong);
	return wrong != 0 || recipes < 4 * ends || damaged_recipes < recipes / 20;
}
