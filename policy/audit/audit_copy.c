/* SPDX-License-Identifier: MIT */
/*
 * audit_copy.c - copies of the files that audited processes write
 *
 * The file is the other program's: it may end anywhere, change under us, and say
 * anything. It is read in the order in which it is filled: of a thread or stack whose
 * number is there, the record is complete.
 */
#include <stdlib.h>
#include <unistd.h>

#include "audit_report.h"

#define AT(field) offsetof(struct audit_file, field)

static bool copy_part(int fd, struct audit_file *to, size_t from, size_t size)
{
	return pread(fd, (char *)to + from, size, (off_t)from) == (ssize_t)size;
}

static void copy_end(char *text, size_t size)
{
	text[size - 1] = '\0';
}

/* Read or not, whole or not: what is there is bounded. */
static void copy_bound(struct audit_file *f)
{
	f->nthread = f->nthread < AUDIT_THREADS ? f->nthread : AUDIT_THREADS;
	f->nmodule = f->nmodule < AUDIT_MODULES ? f->nmodule : AUDIT_MODULES;
	copy_end(f->program, sizeof(f->program));
	for (int i = 0; i < AUDIT_THREADS; i++)
		copy_end(f->thread[i].name, sizeof(f->thread[i].name));
	for (int i = 0; i < AUDIT_MODULES; i++)
		copy_end(f->module[i].path, sizeof(f->module[i].path));
}

static bool copy_head(int fd, struct audit_file *f)
{
	struct {
		uint64_t magic;
		uint32_t version, pid;
	} head;

	return pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       head.magic == AUDIT_MAGIC && head.version == AUDIT_VERSION &&
	       copy_part(fd, f, 0, AT(thread));
}

bool audit_copy_again(int fd, struct audit_file *f, bool stacks)
{
	bool ok = copy_head(fd, f);

	if (!ok)
		return false;
	copy_bound(f);
	ok = copy_part(fd, f, AT(thread), f->nthread * sizeof(*f->thread));
	if (f->nthread && stacks)
		ok &= copy_part(fd, f, AT(stack), sizeof(f->stack)) &&
		      copy_part(fd, f, AT(module), f->nmodule * sizeof(*f->module));
	copy_bound(f);
	return ok;
}

struct audit_file *audit_copy(int fd)
{
	struct audit_file *f = calloc(1, sizeof(*f));

	if (f && audit_copy_again(fd, f, true))
		return f;
	free(f);
	return NULL;
}
