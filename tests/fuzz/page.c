/* SPDX-License-Identifier: MIT */
/*
 * page.c - libFuzzer target: any bytes as a statistics page, and as the file of an audit
 *
 * The input is laid over a page that is whole, so that most of what the fuzzer tries gets
 * past the check of the head: pairs of a place and eight bytes. Every form the tool has
 * is then written, to a file that is thrown away, and must be printable to its last byte.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/audit/audit_report.h"
#include "policy/model/printable.h"
#include "policy/figures/report.h"
#include "policy/figures/stats_export.h"
#include "policy/figures/stats_view.h"

#define PROMISE(cond)                                                 \
	do {                                                          \
		if (!(cond)) {                                        \
			fprintf(stderr, "%d: %s\n", __LINE__, #cond); \
			abort();                                      \
		}                                                     \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines of printable characters. */
static void check_text(const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t len = text[i] == '\n' || text[i] == '\t'
				     ? 1
				     : printable_char(text + i, n - i);

		PROMISE(len > 0);
		i += len;
	}
}

static uint32_t section(struct rtmem_stats_section *s, uint32_t at, size_t bytes)
{
	*s = (struct rtmem_stats_section){at, (uint32_t)bytes, 2, 2};
	return at + 2 * (uint32_t)bytes;
}

/* A page of two records a section. */
static size_t whole_page(unsigned char *to)
{
	struct rtmem_stats_head *h = (void *)to;
	uint32_t at = 1024;

	*h = (struct rtmem_stats_head){.magic = RTMEM_STATS_MAGIC,
		.version = RTMEM_STATS_VERSION,
		.head_size = sizeof(*h),
		.tick_hz = 1000000000};
	at = section(&h->pool, at, sizeof(struct rtmem_stats_pool));
	at = section(&h->rule, at, sizeof(struct rtmem_stats_rule));
	at = section(&h->tag, at, sizeof(struct rtmem_stats_tag));
	at = section(&h->thread, at, sizeof(struct rtmem_stats_thread));
	at = section(&h->gone, at, sizeof(struct rtmem_stats_thread));
	h->size = at;
	for (uint32_t i = 0; i < 2; i++) {
		struct rtmem_stats_thread *t =
			(void *)(to + h->thread.at + i * h->thread.size);

		t->matched = 1;
		t->allocations = t->alloc_ticks[i * 40] = 7;
	}
	return at;
}

static void whole_audit(struct audit_file *f)
{
	*f = (struct audit_file){.magic = AUDIT_MAGIC,
		.version = AUDIT_VERSION,
		.nthread = 2,
		.nmodule = 1};
	for (uint32_t i = 0; i < 4; i++) {
		f->stack[i].thread = 1 + i % 2;
		f->stack[i].nframe = 2;
		f->stack[i].all.allocations = 1;
	}
}

/* Places count in words from the start; of each ten bytes two say where. */
static void lay_over(unsigned char *to, size_t room, const uint8_t *data, size_t size)
{
	for (; size >= 10; data += 10, size -= 10) {
		size_t at = ((size_t)data[0] << 8 | data[1]) * 8;

		if (at + 8 <= room)
			memcpy(to + at, data + 2, 8);
	}
}

static int file_of(const void *bytes, size_t n)
{
	int fd = memfd_create("page", 0);

	PROMISE(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	return fd;
}

static void tables(FILE *to, const struct stats_page *p)
{
	struct view v[VIEW_TABLES];
	struct view_past past = {0};

	view_remember(&past, p);
	for (int k = 0; k < VIEW_TABLES; k++)
		view_begin(&v[k], (enum view_kind)k);
	view_process(&v[VIEW_PROCESSES], p, STATS_OK);
	view_pools(&v[VIEW_POOLS], p);
	view_threads(&v[VIEW_THREADS], p, &past);
	view_rules(&v[VIEW_RULES], p, &past);
	view_tags(&v[VIEW_TAGS], p);
	view_report(&v[VIEW_REPORT], p);
	for (int k = 0; k < VIEW_TABLES; k++) {
		for (int c = 0; c < view_ncolumns(v[k].kind); c++)
			view_sort(&v[k], c, c % 2);
		view_print(to, &v[k], 0, false);
		view_print(to, &v[k], 80, false);
		view_free(&v[k]);
	}
}

static void all_of_page(FILE *to, struct stats_page *p)
{
	static struct report r;

	tables(to, p);
	stats_json(to, p);
	stats_metrics(to, p, 1);
	r = (struct report){.page = *p, .seconds = 1};
	report_judge(&r);
	report_text(to, &r);
	report_json(to, &r);
	report_html(to, &r);
}

static void try_page(const uint8_t *data, size_t size)
{
	static unsigned char bytes[32768];
	struct stats_page p = {.pid = getpid(), .pidfd = -1};
	size_t n, length;
	char *text;
	FILE *to;

	memset(bytes, 0, sizeof(bytes));
	n = whole_page(bytes);
	PROMISE(n <= sizeof(bytes));
	lay_over(bytes, n, data, size);
	p.fd = file_of(bytes, n);
	if (stats_read_first(&p) == STATS_OK) {
		to = open_memstream(&text, &length);
		PROMISE(to);
		all_of_page(to, &p);
		fclose(to);
		check_text(text, length);
		free(text);
	}
	stats_close(&p);
}

static void try_audit(const uint8_t *data, size_t size)
{
	static struct audit_file file;
	struct audit_report r = {.nprocess = 0};
	struct audit_file *copy;
	size_t length;
	char *text;
	FILE *to;
	int fd;

	whole_audit(&file);
	lay_over((unsigned char *)&file, sizeof(file), data, size);
	fd = file_of(&file, sizeof(file));
	copy = audit_copy(fd);
	if (!copy) {
		close(fd);
		return;
	}
	PROMISE(audit_add(&r, "1.0", 0, copy, fd));
	audit_look(&r);
	audit_finish(&r);
	to = open_memstream(&text, &length);
	PROMISE(to);
	audit_text(&r, to);
	audit_json(&r, to);
	audit_suggest(&r, to);
	fclose(to);
	check_text(text, length);
	free(text);
	audit_process_close(r.process[0]);
	free(r.process[0]->sample);
	free(r.process[0]->file);
	free(r.process[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && *data % 4) /* three of four: an audit takes longer */
		try_page(data + 1, size - 1);
	else if (size)
		try_audit(data + 1, size - 1);
	return 0;
}
