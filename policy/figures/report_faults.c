/* SPDX-License-Identifier: MIT */
/*
 * report_faults.c - see report_faults.h
 *
 * A fault is the allocator's when the instruction is the library's, or a function of
 * another object that the library has just called (memset): that pushes nothing, so its
 * return address is the first word of the stack.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "report_faults.h"

#define FAULTS_PAGE  4096u
#define FAULTS_RING  (16 * FAULTS_PAGE)
#define FAULTS_STACK 8u /* bytes of it */

struct faults_sample {
	struct perf_event_header head;
	uint64_t ip, stack_size, stack;
};

/* The executable mappings of the library. */
static void faults_find_code(struct report_faults *f)
{
	char path[64], line[512], *name;
	unsigned long lo, hi;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/maps", f->pid,
		process_thread(f->pid));
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		name = strrchr(line, '/');
		if (name && strncmp(name, "/librtpreload.so", 16) == 0 &&
			strstr(line, " r-xp ") && f->ncode < REPORT_FAULTS_RANGES &&
			sscanf(line, "%lx-%lx", &lo, &hi) == 2) {
			f->code[f->ncode].lo = lo;
			f->code[f->ncode++].hi = hi;
		}
	}
	if (maps)
		fclose(maps);
}

static bool faults_ours(const struct report_faults *f, uint64_t at)
{
	for (int i = 0; i < f->ncode; i++) {
		if (at >= f->code[i].lo && at < f->code[i].hi)
			return true;
	}
	return false;
}

static void faults_attach(pid_t pid, struct report_faults_thread *t, uint32_t tid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_STACK_USER,
		.sample_stack_user = FAULTS_STACK,
		.exclude_kernel = 1,
	};
	void *at;

	pid_t ours = process_outer(pid, (pid_t)tid);

	*t = (struct report_faults_thread){.tid = tid, .fd = -1};
	/* 0 would be this process */
	if (ours > 0)
		t->fd = (int)syscall(
			SYS_perf_event_open, &attr, ours, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (t->fd < 0)
		return;
	at = mmap(NULL, FAULTS_PAGE + FAULTS_RING, PROT_READ | PROT_WRITE, MAP_SHARED,
		t->fd, 0);
	if (at != MAP_FAILED) {
		t->ring = at;
		return;
	}
	close(t->fd);
	t->fd = -1;
}

/* Bytes of the ring, which may lie around its end. */
static void faults_copy(
	const struct report_faults_thread *t, uint64_t from, void *to, size_t n)
{
	const unsigned char *data = (const unsigned char *)t->ring + FAULTS_PAGE;

	for (size_t i = 0; i < n; i++)
		((unsigned char *)to)[i] = data[(from + i) % FAULTS_RING];
}

static void faults_add(const struct report_faults *f, struct report_faults_count *n,
	const struct faults_sample *s)
{
	bool stack = s->stack_size >= sizeof(s->stack);

	if (s->head.type == PERF_RECORD_LOST)
		n->lost += s->stack_size; /* the second word: how many */
	else if (s->head.type != PERF_RECORD_SAMPLE)
		return;
	else if (faults_ours(f, s->ip) || (stack && faults_ours(f, s->stack)))
		n->within++;
	else
		n->elsewhere++;
}

static void faults_drain(const struct report_faults *f, struct report_faults_thread *t)
{
	struct perf_event_mmap_page *page = t->ring;
	struct faults_sample s;
	uint64_t head, at;

	if (t->fd < 0)
		return;
	/* acquire: the records before the number; pairs with the kernel's barrier */
	head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	at = page->data_tail;
	while (head - at >= sizeof(s.head) && head - at <= FAULTS_RING) {
		memset(&s, 0, sizeof(s));
		faults_copy(t, at, &s.head, sizeof(s.head));
		if (s.head.size < sizeof(s.head) || s.head.size > head - at)
			break;
		faults_copy(t, at, &s, s.head.size < sizeof(s) ? s.head.size : sizeof(s));
		faults_add(f, &t->fresh, &s);
		at += s.head.size;
	}
	/* release: what was read before the kernel writes over it */
	__atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
}

static void faults_close(struct report_faults *f)
{
	for (int i = 0; i < f->n; i++) {
		if (f->thread[i].fd < 0)
			continue;
		munmap(f->thread[i].ring, FAULTS_PAGE + FAULTS_RING);
		close(f->thread[i].fd);
	}
	*f = (struct report_faults){0};
}

static bool faults_known(const struct report_faults *f, uint32_t tid)
{
	for (int i = 0; i < f->n; i++) {
		if (f->thread[i].tid == tid)
			return true;
	}
	return false;
}

static bool faults_alive(const struct stats_page *p, uint32_t tid)
{
	for (uint32_t i = 0; i < p->head.thread.n; i++) {
		const struct rtmem_stats_thread *t = stats_record(p, &p->head.thread, i);

		if (t->tid == tid && t->matched)
			return true;
	}
	return false;
}

/* What the last look found, and what there is now. */
static void faults_settle(const struct report_faults *f, struct report_faults_thread *t,
	const struct stats_page *p)
{
	struct timespec now;

	if (!faults_alive(p, t->tid)) {
		t->fresh = (struct report_faults_count){0};
	} else if (p->head.published_at > t->looked) {
		t->n.within += t->fresh.within;
		t->n.elsewhere += t->fresh.elsewhere;
		t->n.lost += t->fresh.lost;
		t->fresh = (struct report_faults_count){0};
	}
	faults_drain(f, t);
	clock_gettime(CLOCK_MONOTONIC, &now);
	t->looked = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void report_faults_look(struct report_faults *f, const struct stats_page *p)
{
	const struct rtmem_stats_section *s = &p->head.thread;

	if (f->pid != p->pid) {
		faults_close(f);
		f->pid = p->pid;
		faults_find_code(f);
	}
	for (uint32_t i = 0; f->ncode && i < s->n; i++) {
		const struct rtmem_stats_thread *t = stats_record(p, s, i);

		if (t->matched && f->n < REPORT_FAULTS_THREADS &&
			!faults_known(f, t->tid))
			faults_attach(f->pid, &f->thread[f->n++], t->tid);
	}
	for (int i = 0; i < f->n; i++)
		faults_settle(f, &f->thread[i], p);
}

const struct report_faults_thread *report_faults_of(
	const struct report_faults *f, uint32_t tid)
{
	for (int i = 0; i < f->n; i++) {
		if (f->thread[i].tid == tid && f->thread[i].fd >= 0)
			return &f->thread[i];
	}
	return NULL;
}
