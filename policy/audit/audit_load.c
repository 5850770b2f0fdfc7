/* SPDX-License-Identifier: MIT */
/*
 * audit_load.c - the files that audited processes write, and the state of their threads
 * in /proc
 *
 * This file reads copies of the files (audit_copy.c). Numbers in them are bounded before
 * they are used as indexes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/model/printable.h"
#include "policy/system/gate.h"
#include "audit_report.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

double audit_now(void)
{
	return (double)now_ns() * 1e-9;
}

uint32_t audit_threads(const struct audit_file *f)
{
	return f->nthread < AUDIT_THREADS ? f->nthread : AUDIT_THREADS;
}

/* Has it ended with nothing to report? What it wrote last may be newer than our copy. */
static bool is_idle(const struct audit_process *p)
{
	if (audit_threads(p->file) || (p->pid && process_thread((pid_t)p->pid)))
		return false;
	audit_copy_again(p->fd, p->file, false);
	return !audit_threads(p->file) && !p->file->no_room;
}

static void drop(struct audit_process *p)
{
	if (p->fd >= 0)
		close(p->fd);
	audit_process_close(p);
	free(p->file);
	free(p->sample);
	free(p);
}

/* Processes that `which` names leave the report. */
static void drop_all(
	struct audit_report *r, bool (*which)(const struct audit_process *p), bool remove)
{
	char path[512];
	int n = 0;

	for (int i = 0; i < r->nprocess; i++) {
		struct audit_process *p = r->process[i];

		if (!which(p)) {
			r->process[n++] = p;
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s", r->dir, p->file_name);
		if (remove)
			unlink(path);
		drop(p);
	}
	r->nprocess = n;
}

bool audit_add(struct audit_report *r, const char *name, uint32_t pid,
	struct audit_file *f, int fd)
{
	struct audit_process *p = calloc(1, sizeof(*p));

	if (p)
		p->sample = calloc(AUDIT_SAMPLES, sizeof(*p->sample));
	if (!p || !p->sample) {
		free(p);
		return false;
	}
	snprintf(p->file_name, sizeof(p->file_name), "%s", name);
	p->file = f;
	p->fd = fd;
	p->pid = pid;
	r->process[r->nprocess++] = p;
	r->seen++;
	return true;
}

/* The process that has written it, as we number it. */
static uint32_t writer_of(const struct audit_file *f, const char *name, int fd)
{
	char end[72];
	struct stat st;

	snprintf(end, sizeof(end), "/%s", name);
	if (fstat(fd, &st) != 0)
		return 0;
	return (uint32_t)process_with_file((pid_t)f->pid, end, st.st_ino);
}

static void look_at_file(struct audit_report *r, const char *name)
{
	char path[512];
	struct audit_file *f;
	int fd;

	for (int i = 0; i < r->nprocess; i++) {
		if (strcmp(r->process[i]->file_name, name) == 0)
			return;
	}
	if (*name == '.' || strlen(name) > 63)
		return;
	if (r->nprocess == AUDIT_PROCESSES) {
		r->left_out++;
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	fd = gate_regular(AT_FDCWD, path, 0);
	if (fd < 0)
		return;
	f = audit_copy(fd);
	if (f && audit_add(r, name, writer_of(f, name, fd), f, fd))
		return;
	free(f);
	close(fd);
}

static void look_for_files(struct audit_report *r)
{
	DIR *d = *r->dir ? opendir(r->dir) : NULL;
	struct dirent *e;

	r->left_out = 0;
	while (d && (e = readdir(d)))
		look_at_file(r, e->d_name);
	if (d)
		closedir(d);
}

static bool slurp(char *buf, size_t size, uint32_t pid, uint32_t tid, const char *what)
{
	char path[96];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", pid, tid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void look_at_thread(
	const struct audit_process *p, uint32_t i, struct audit_seen *s)
{
	unsigned long minor, major;
	const char *rest;
	char text[512];
	uint32_t tid;

	if (!s->tid)
		s->tid = (uint32_t)process_outer(
			(pid_t)p->pid, (pid_t)p->file->thread[i].tid);
	tid = s->tid;
	if (slurp(text, sizeof(text), p->pid, tid, "comm"))
		snprintf(
			s->name, sizeof(s->name), "%.*s", (int)strcspn(text, "\n"), text);
	if (!slurp(text, sizeof(text), p->pid, tid, "stat"))
		return;
	rest = strrchr(text, ')'); /* behind the name, which may hold anything */
	if (rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %lu %*u %lu", &minor,
			    &major) == 2) {
		if (p->joined && !s->faults) {
			s->minor_first = minor;
			s->major_first = major;
		}
		s->minor = minor - s->minor_first;
		s->major = major - s->major_first;
		s->faults = true;
	}
}

/* The name of a thread that frees others' blocks, while it is there to be asked. */
static void look_at_freer(struct audit_process *p, uint32_t tid)
{
	uint32_t ours;
	char text[64];

	for (int i = 0; i < p->nfreer; i++) {
		if (p->freer[i].tid == tid)
			return;
	}
	if (!tid || p->nfreer == AUDIT_THREADS)
		return;
	ours = (uint32_t)process_outer((pid_t)p->pid, (pid_t)tid);
	if (!ours || !slurp(text, sizeof(text), p->pid, ours, "comm"))
		return;
	p->freer[p->nfreer].tid = tid;
	p->freer[p->nfreer].ours = ours;
	snprintf(p->freer[p->nfreer].name, sizeof(p->freer->name), "%.*s",
		(int)strcspn(text, "\n"), text);
	p->nfreer++;
}

/* When there are too many samples, every second is dropped, and so from then on. */
static void keep_sample(struct audit_process *p, const struct audit_sample *s)
{
	if (p->moments++ % (1u << p->skip))
		return;
	if (p->nsample == AUDIT_SAMPLES) {
		p->nsample /= 2;
		for (int i = 0; i < p->nsample; i++)
			p->sample[i] = p->sample[2 * i];
		p->skip++;
	}
	p->sample[p->nsample++] = *s;
}

#define LOOK_STACKS 8 /* of so many looks, one is at the stacks */

static void look_at_process(struct audit_process *p)
{
	const struct audit_file *f = p->file;
	uint64_t ns = now_ns(), ticks = __builtin_ia32_rdtsc();
	struct audit_sample s = {.at = (double)(ns - f->ns) * 1e-9};
	bool stacks = p->looks++ % LOOK_STACKS == 0;
	bool runs = p->pid && process_thread((pid_t)p->pid);

	audit_copy_again(p->fd, p->file, stacks);
	if (runs || p->seconds <= 0)
		p->seconds = s.at;
	if (ns > f->ns)
		p->ticks_per_us = (double)(ticks - f->ticks) * 1e3 / (double)(ns - f->ns);
	for (uint32_t i = 0; i < audit_threads(f); i++) {
		s.allocations += f->thread[i].all.allocations;
		s.frees += f->thread[i].frees;
		s.live += f->thread[i].all.live;
		if (runs)
			look_at_thread(p, i, &p->seen[i]);
	}
	for (int i = 0; runs && stacks && i < AUDIT_STACKS; i++)
		look_at_freer(p, f->stack[i].freer);
	if (stacks && p->objects)
		audit_objects_look(p->objects, f);
	if (audit_threads(f))
		keep_sample(p, &s);
}

void audit_look(struct audit_report *r)
{
	/* their files take memory */
	if (*r->dir)
		drop_all(r, is_idle, true);
	look_for_files(r);
	for (int i = 0; i < r->nprocess; i++)
		look_at_process(r->process[i]);
}

/* From here on what is reported stands still. */
static void keep(struct audit_process *p)
{
	audit_copy_again(p->fd, p->file, true);
	/* threads that freed since the last look, if they are still there */
	for (int i = 0; p->pid && i < AUDIT_STACKS; i++)
		look_at_freer(p, p->file->stack[i].freer);
	if (p->objects)
		audit_objects_look(p->objects, p->file);
	close(p->fd);
	p->fd = -1;
}

/* Its names are clean; until now they were needed as they are. */
static void clean_names(struct audit_process *p)
{
	struct audit_file *f = p->file;

	printable_clean(f->program, sizeof(f->program));
	for (int i = 0; i < AUDIT_THREADS; i++) {
		printable_clean(f->thread[i].name, sizeof(f->thread[i].name));
		printable_clean(p->seen[i].name, sizeof(p->seen[i].name));
	}
	for (int i = 0; i < p->nfreer; i++)
		printable_clean(p->freer[i].name, sizeof(p->freer[i].name));
}

static bool has_no_thread(const struct audit_process *p)
{
	return !audit_threads(p->file);
}

static int by_calls(const void *a, const void *b, void *arg)
{
	const struct audit_file *f = arg;
	uint64_t x = f->stack[*(const int *)a].all.allocations;
	uint64_t y = f->stack[*(const int *)b].all.allocations;

	return x < y ? 1 : x > y ? -1 : *(const int *)a - *(const int *)b;
}

int audit_finish(struct audit_report *r)
{
	int threads = 0;

	for (int i = 0; i < r->nprocess; i++)
		keep(r->process[i]);
	drop_all(r, has_no_thread, false);
	for (int i = 0; i < r->nprocess; i++) {
		struct audit_process *p = r->process[i];
		const struct audit_file *f;

		f = p->file;
		threads += (int)audit_threads(f);
		for (int k = 0; k < AUDIT_STACKS; k++) {
			const struct audit_stack *s = &f->stack[k];

			if (s->nframe && s->nframe <= AUDIT_FRAMES &&
				s->thread - 1 < audit_threads(f) && s->all.allocations)
				p->order[p->nstack++] = k;
		}
		qsort_r(p->order, (size_t)p->nstack, sizeof(int), by_calls,
			(void *)(uintptr_t)f);
		if (audit_threads(f))
			p->symbols = audit_symbols_open(p);
		clean_names(p);
	}
	return threads;
}

void audit_process_close(struct audit_process *p)
{
	audit_symbols_close(p->symbols);
	audit_objects_close(p->objects);
	p->symbols = NULL;
	p->objects = NULL;
}
