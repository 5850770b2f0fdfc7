/* SPDX-License-Identifier: MIT */
/*
 * audit_objects.c - the object files of a process that runs
 *
 * What is mapped where stands in /proc/PID/maps, by the kernel's hand. The file itself is
 * opened through /proc/PID/map_files, which is the mapped file even when its name leads
 * to another one now; where that is not allowed, by its name in the process's root, and
 * then it must be the same inode. Regular files only, through gate.h. Bound:
 * AUDIT_MODULES descriptors, OBJECTS_TIME of our processor time a look.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/system/gate.h"
#include "audit_report.h"

#define OBJECTS_TIME 0.05 /* s */

struct audit_objects {
	pid_t pid;
	bool foreign;
	int fd[AUDIT_MODULES];
	bool looked[AUDIT_MODULES];
};

struct audit_objects *audit_objects_open(pid_t pid)
{
	struct audit_objects *o = calloc(1, sizeof(*o));
	uid_t user;

	if (!o)
		return NULL;
	o->pid = pid;
	o->foreign = !gate_user(pid, pid, &user) || user != geteuid();
	for (int i = 0; i < AUDIT_MODULES; i++)
		o->fd[i] = -1;
	return o;
}

void audit_objects_close(struct audit_objects *o)
{
	for (int i = 0; o && i < AUDIT_MODULES; i++)
		if (o->fd[i] >= 0)
			close(o->fd[i]);
	free(o);
}

/* One line of maps: a mapping of a file. */
struct object_map {
	unsigned long lo, hi, inode;
	char path[512];
};

static int object_open(pid_t pid, const struct object_map *m)
{
	char name[640];
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/map_files/%lx-%lx", pid, m->lo, m->hi);
	fd = gate_regular(AT_FDCWD, name, 0);
	if (fd >= 0)
		return fd;
	snprintf(name, sizeof(name), "/proc/%d/root%s", pid, m->path);
	return gate_regular(AT_FDCWD, name, (ino_t)m->inode);
}

static void object_mapped(
	struct audit_objects *o, const struct audit_file *f, const struct object_map *m)
{
	for (uint32_t i = 0; i < f->nmodule && i < AUDIT_MODULES; i++) {
		if (o->looked[i] || f->module[i].lo < m->lo || f->module[i].lo >= m->hi)
			continue;
		o->looked[i] = true;
		o->fd[i] = object_open(o->pid, m);
	}
}

/* Is there anything to look for? */
static bool object_new(const struct audit_objects *o, const struct audit_file *f)
{
	for (uint32_t i = 0; i < f->nmodule && i < AUDIT_MODULES; i++) {
		if (!o->looked[i] && f->module[i].lo)
			return true;
	}
	return false;
}

void audit_objects_look(struct audit_objects *o, const struct audit_file *f)
{
	double start = stats_busy();
	struct object_map m;
	char path[64], line[1024];
	FILE *maps;

	if (!object_new(o, f))
		return;
	snprintf(path, sizeof(path), "/proc/%d/maps", o->pid);
	maps = fopen(path, "re");
	while (maps && stats_busy() - start < OBJECTS_TIME &&
		fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %*s %*s %lu %511[^\n]", &m.lo, &m.hi,
			    &m.inode, m.path) == 4 &&
			m.inode)
			object_mapped(o, f, &m);
	}
	if (maps)
		fclose(maps);
}

int audit_objects_take(struct audit_objects *o, uint32_t i)
{
	int fd = o && i < AUDIT_MODULES ? o->fd[i] : -1;

	if (fd >= 0)
		o->fd[i] = -1;
	return fd;
}

bool audit_objects_foreign(const struct audit_objects *o)
{
	return !o || o->foreign;
}
