/* SPDX-License-Identifier: MIT */
/*
 * fake_page.c MODE [ARG …] - a process whose statistics page, or audit, is a forgery
 *
 * Prints its number when everything is there, and goes on publishing until it is killed,
 * or its parent has ended. Names hold what a terminal obeys and end nowhere, figures are
 * as large as they can be.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../policy/model/audit_file.h"
#include "rtmem_stats.h"

#define AT 1024u

static size_t size = 1 << 20;
static struct rtmem_stats_head head = {.magic = RTMEM_STATS_MAGIC,
	.version = RTMEM_STATS_VERSION,
	.head_size = sizeof(head),
	.tick_hz = 1000000000,
	.matched = 1,
	.watching = 1};
static struct rtmem_stats_head *page;

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static const char evil[] = "\033]0;EVIL\007\033[31m\n\"}<script>alert(1)</script>\\"
			   "\x9b\xc2\x9b\xe2\x80\xae,x=\"y\"} 1\n";

static void name(char *to, size_t n)
{
	memset(to, 'A', n);
	memcpy(to, evil, sizeof(evil) - 1 < n ? sizeof(evil) - 1 : n);
}

static uint32_t put(struct rtmem_stats_section *s, uint32_t at, size_t bytes, uint32_t n)
{
	*s = (struct rtmem_stats_section){at, (uint32_t)bytes, n, n};
	return at + (uint32_t)bytes * n;
}

/* n records of each kind, one section behind the other; where they end. */
static uint32_t lay_out(uint32_t n)
{
	uint32_t at = put(&head.pool, AT, sizeof(struct rtmem_stats_pool), n);

	at = put(&head.rule, at, sizeof(struct rtmem_stats_rule), n);
	at = put(&head.tag, at, sizeof(struct rtmem_stats_tag), n);
	at = put(&head.gone, at, sizeof(struct rtmem_stats_thread), n);
	return put(&head.thread, at, sizeof(struct rtmem_stats_thread), n);
}

static void *record(const struct rtmem_stats_section *s, uint32_t i)
{
	return (char *)page + s->at + (size_t)i * s->size;
}

static void fill_thread(struct rtmem_stats_thread *t, uint32_t i)
{
	memset(t, 0xff, sizeof(*t));
	t->sched = i ? -5 : 0x7fffffff;
	t->matched = 1;
	name(t->name, sizeof(t->name));
	name(t->rule, sizeof(t->rule));
	name(t->pool, sizeof(t->pool));
}

static void fill(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct rtmem_stats_pool *p = record(&head.pool, i);
		struct rtmem_stats_rule *r = record(&head.rule, i);
		struct rtmem_stats_tag *t = record(&head.tag, i);

		memset(p, 0xff, sizeof(*p));
		name(p->name, sizeof(p->name));
		name(p->rule, sizeof(p->rule));
		memset(r, 0xff, sizeof(*r));
		name(r->name, sizeof(r->name));
		name(r->pool, sizeof(r->pool));
		memset(t, 0xff, sizeof(*t));
		name(t->name, sizeof(t->name));
		fill_thread(record(&head.thread, i), i);
		fill_thread(record(&head.gone, i), i);
	}
	name(page->policy, sizeof(page->policy));
	name(page->reload_message, sizeof(page->reload_message));
}

static void make_page(int fd)
{
	need(fd >= 0 && ftruncate(fd, (off_t)size) == 0, "page");
	head.size = size;
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(page != MAP_FAILED, "mmap");
	*page = head;
}

static int memory(void)
{
	return memfd_create(RTMEM_STATS_FILE, 0);
}

/* figures HZ: everything is as large as it can be; the last record ends with the page */
static void figures(char **arg)
{
	size = lay_out(2);
	head.tick_hz = strtoull(arg[0], NULL, 0);
	make_page(memory());
	fill(2);
}

/* low HZ: few calls, all of them faster than the clock's step */
static void low(char **arg)
{
	figures(arg);
	for (uint32_t i = 0; i < 2; i++) {
		struct rtmem_stats_thread *t = record(&head.thread, i);

		memset(t->alloc_ticks, 0, sizeof(t->alloc_ticks));
		memset(t->free_ticks, 0, sizeof(t->free_ticks));
		t->alloc_ticks[3] = t->free_ticks[0] = 1;
		memcpy(record(&head.gone, i), t, sizeof(*t));
	}
}

/* many BYTES RECORDS: that large a page, with so many of each, all in the same place */
static void many(char **arg)
{
	uint32_t n = (uint32_t)atol(arg[1]);

	size = strtoull(arg[0], NULL, 0);
	lay_out(n);
	head.rule.at = head.tag.at = head.gone.at = head.thread.at = head.pool.at = AT;
	make_page(memory());
}

static void odd(char **arg)
{
	(void)arg;
	size = lay_out(1);
	make_page(memory());
	page->sequence = 1;
}

/* wild NUMBER: one section lies where it cannot */
static void wild(char **arg)
{
	struct rtmem_stats_section *s[] = {
		&head.pool, &head.rule, &head.tag, &head.thread, &head.gone};
	uint32_t n = (uint32_t)atol(arg[0]);

	lay_out(1);
	{
		const struct rtmem_stats_section bad[] = {{0xfffffff8u, 4248, 1, 1},
			{64, 4248, 1, 1}, {AT, 0, 1, 1}, {AT, 0x80000000u, 2, 2},
			{AT, 4248, 0xffffffffu, 0xffffffffu}, {AT + 4, 4248, 1, 1},
			{(uint32_t)size, 4248, 1, 1}, {AT, 4248, 2, 1}};

		*s[n % 5] = bad[n / 5 % 8];
	}
	make_page(memory());
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* threads COUNT DESCRIPTORS: all of the helper's name, and no page */
static void threads(char **arg)
{
	long n = atol(arg[0]), fds = atol(arg[1]);
	struct rlimit r = {(rlim_t)fds + 64, (rlim_t)fds + 64};
	pthread_attr_t attr;
	pthread_t t;

	need(setrlimit(RLIMIT_NOFILE, &r) == 0, "setrlimit");
	for (long i = 0; i < fds; i++)
		need(open("/dev/null", O_RDONLY) >= 0, "open");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (long i = 0; i < n; i++)
		need(pthread_create(&t, &attr, idle, NULL) == 0, "thread");
}

static void shrinks(char **arg)
{
	int fd = memory();

	(void)arg;
	size = lay_out(2);
	make_page(fd);
	fill(2);
	munmap(page, size);
	page = NULL;
	printf("%d\n", getpid());
	fflush(stdout);
	for (;;)
		need(!ftruncate(fd, 100) && !ftruncate(fd, (off_t)size), "ftruncate");
}

/* elsewhere FILE: in a mount namespace of its own, where that file has the name that a
 * page has in /proc; then as nobody, like what has the file open */
static void elsewhere(char **arg)
{
	static const char root[] = "/tmp", link[] = "/tmp/memfd:rtmem-stats (deleted)";

	need(unshare(CLONE_NEWNS) == 0, "unshare");
	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
	need(mount(arg[0], "/mnt", NULL, MS_BIND, NULL) == 0 ||
			mount("none", "/mnt", "tmpfs", 0, NULL) == 0,
		"mnt");
	need(open(arg[0], O_RDONLY | O_PATH) == 3, "file"); /* before /tmp is covered */
	need(mount("none", root, "tmpfs", 0, NULL) == 0, "tmpfs");
	need(close(open(link, O_CREAT | O_WRONLY, 0644)) == 0, "create");
	need(mount("/proc/self/fd/3", link, NULL, MS_BIND, NULL) == 0, "bind");
	need(mkdir("/tmp/old", 0755) == 0 && chdir(root) == 0 &&
			syscall(SYS_pivot_root, ".", "old") == 0 && chdir("/") == 0,
		"pivot_root");
	need(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0,
		"nobody");
	prctl(PR_SET_DUMPABLE, 1);
	need(open(link + 4, O_PATH) >= 0, "link");
}

/* Its addresses lie in an object that is really there. */
static void map_object(struct audit_file *a, const char *path, uint64_t offset)
{
	int so = open(path, O_RDONLY);
	struct stat st;
	char *at;

	need(so >= 0 && fstat(so, &st) == 0, "object");
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, so, 0);
	need(at != MAP_FAILED, "map");
	a->module[0].lo = a->module[0].base = (uintptr_t)at;
	a->module[0].hi = (uintptr_t)at + (size_t)st.st_size;
	for (uint32_t i = 0; i < AUDIT_STACKS; i++)
		for (int k = 0; k < AUDIT_FRAMES; k++)
			a->stack[i].frame[k] = (uintptr_t)at + offset + 9;
}

/* audit OBJECT [LENGTH]: an audit whose addresses lie in that object, as it says, and
 * which is that long; audit map:OBJECT OFFSET: at this place in it */
static void audit(char **arg)
{
	int fd = memfd_create(RTMEM_STATS_AUDIT_FILE, MFD_ALLOW_SEALING);
	struct audit_file *a;

	figures((char *[]){(char *)(uintptr_t) "1000000000"});
	need(ftruncate(fd, sizeof(*a)) == 0, "audit");
	a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(a != MAP_FAILED, "mmap");
	memset(a, 0xff, sizeof(*a));
	a->magic = AUDIT_MAGIC;
	a->version = AUDIT_VERSION;
	a->pid = (uint32_t)getpid();
	name(a->program, sizeof(a->program));
	for (uint32_t i = 0; i < AUDIT_THREADS; i++)
		name(a->thread[i].name, sizeof(a->thread[i].name));
	for (uint32_t i = 0; i < AUDIT_STACKS; i++) {
		a->stack[i].thread = 1 + i % AUDIT_THREADS;
		a->stack[i].nframe = 1 + i % AUDIT_FRAMES;
		for (int k = 0; k < AUDIT_FRAMES; k++)
			a->stack[i].frame[k] = 0x401000 + (uint64_t)k * 16;
	}
	a->module[0].lo = 0x400000;
	a->module[0].hi = 0x500000;
	a->module[0].base = 0x400000;
	snprintf(a->module[0].path, AUDIT_PATH, "%s", arg[0]);
	if (!strncmp(arg[0], "map:", 4))
		map_object(a, arg[0] + 4, strtoull(arg[1], NULL, 0));
	else if (arg[1])
		need(ftruncate(fd, atol(arg[1])) == 0, "audit");
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *mode;
		void (*make)(char **arg);
	} modes[] = {{"figures", figures}, {"low", low}, {"many", many}, {"odd", odd},
		{"wild", wild}, {"threads", threads}, {"shrinks", shrinks},
		{"elsewhere", elsewhere}, {"audit", audit}};

	need(argc > 1, "mode");
	prctl(PR_SET_NAME, RTMEM_STATS_HELPER);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(modes[i].mode, argv[1]))
			modes[i].make(argv + 2);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	printf("%d\n", getpid());
	fflush(stdout);
	for (;;) {
		usleep(10000);
		if (!page)
			continue;
		page->published++;
		page->published_at++;
		/* the helper answers */
		page->request.going = page->request.audit;
		page->reload_answered = page->reload;
	}
}
