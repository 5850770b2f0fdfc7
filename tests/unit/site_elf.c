// SPDX-License-Identifier: MIT
/*
 * site_elf.c - the symbol reader against damaged files
 *
 *	site_elf OBJECT [ROUNDS]
 *
 * Undamaged, the object names site_run; damaged, whatever is named is a terminated string
 * and nothing crashes.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/base.h"
#include "sites/site_private.h"

static unsigned long named, wanted, total;
static uint64_t state = 7;

static uint64_t draw(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 32;
}

static void count(void *arg, const char *name, uint64_t start, uint64_t size)
{
	named++;
	total += strlen(name);
	wanted += strcmp(name, "site_run") == 0;
}

/* The file into memory and into an anonymous file that can be damaged. */
static unsigned char *load(const char *path, size_t *len, int fd)
{
	FILE *f = fopen(path, "r");
	unsigned char *p = je_malloc(1 << 20);

	if (!f || !p)
		exit(2);
	*len = fread(p, 1, 1 << 20, f);
	fclose(f);
	if (pwrite(fd, p, *len, 0) != (ssize_t)*len)
		exit(2);
	return p;
}

static void round_of(int fd, const unsigned char *p, size_t len, struct site_module *m)
{
	const Elf64_Ehdr *eh = (const void *)p;
	unsigned n = 1 + (unsigned)(draw() % 60);

	for (unsigned i = 0; i < n; i++) {
		unsigned char b = draw() & 1 ? (unsigned char)draw() : 0xff;
		/* the section headers, the file header's end, or anywhere */
		uint64_t kind = draw() % 4;
		uint64_t at = kind < 2	  ? eh->e_shoff + draw() % (eh->e_shnum * 64u)
			      : kind == 2 ? 0x28 + draw() % 0x18
					  : draw() % len;

		if (pwrite(fd, &b, 1, (off_t)at) != 1)
			exit(2);
	}
	if (draw() % 8 == 0 && ftruncate(fd, (off_t)(draw() % len)))
		exit(2);
	site_elf_symbols(m, count, NULL);
	if (ftruncate(fd, (off_t)len) || pwrite(fd, p, len, 0) != (ssize_t)len)
		exit(2);
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 500, whole;
	int fd = memfd_create("damaged", 0);
	struct site_module m = {.path = (char[64]){""}};
	unsigned char *p;
	size_t len;

	base_init();
	if (argc < 2)
		return 2;
	p = load(argv[1], &len, fd);
	snprintf(m.path, 64, "/proc/self/fd/%d", fd);
	m.nphdr = ((const Elf64_Ehdr *)p)->e_phnum;
	m.phdr = (Elf64_Phdr *)(p + ((const Elf64_Ehdr *)p)->e_phoff);
	if (!site_elf_symbols(&m, count, NULL) || wanted != 1) {
		printf("site_run is not named in the whole file\n");
		return 1;
	}
	whole = named;
	alarm(60);
	for (unsigned long i = 0; i < rounds; i++)
		round_of(fd, p, len, &m);
	printf("whole: %lu; damaged, %lu rounds: %lu names, %lu bytes\n", whole, rounds,
		named - whole, total);
	return named == whole;
}
