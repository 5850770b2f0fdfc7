/* SPDX-License-Identifier: MIT */
/* A client of OSMalloc as its document describes it. With an argument: one caller's bug,
 * which has to be a panic; "nowait": the calls that never block, where any system call
 * kills; "grows": what they are refused is there a little later. */
/* libs: -Lbuild -lrtpreload */
#include <libkern/OSMalloc.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <rtmem.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_check.h"

struct seen {
	const char *name;
	int n;
	uint64_t blocks, bytes, peak;
};

static void see(const struct rtm_tag_stats *s, void *arg)
{
	struct seen *seen = arg;

	if (strcmp(s->name, seen->name))
		return;
	seen->n++;
	seen->blocks += s->blocks;
	seen->bytes += s->bytes;
	seen->peak += s->peak;
}

static struct seen figures(const char *name)
{
	struct seen s = {.name = name};

	rtm_each_tag(see, &s);
	return s;
}

static void tags(void)
{
	OSMallocTag a, b, many[200];
	char name[100];

	CHECK(OSMalloc_Tagalloc("bad", 2) == NULL);
	a = OSMalloc_Tagalloc("com.example.driver", OSMT_DEFAULT);
	b = OSMalloc_Tagalloc("com.example.driver", OSMT_PAGEABLE);
	CHECK(a && b && a != b && figures("com.example.driver").n == 2);
	OSMalloc_Tagfree(a);
	CHECK(figures("com.example.driver").n == 1);
	OSMalloc_Tagfree(b);
	memset(name, 'x', 99);
	name[99] = '\0';
	a = OSMalloc_Tagalloc(name, OSMT_DEFAULT);
	name[63] = '\0';
	CHECK(a && figures(name).n == 1);
	OSMalloc_Tagfree(a);
	a = OSMalloc_Tagalloc(NULL, OSMT_DEFAULT);
	CHECK(a && figures("").n == 1);
	OSMalloc_Tagfree(a);
	for (int i = 0; i < 200; i++)
		CHECK((many[i] = OSMalloc_Tagalloc("many", 0)) != NULL);
	CHECK(figures("many").n == 200);
	for (int i = 0; i < 200; i++)
		OSMalloc_Tagfree(many[i]);
	CHECK(figures("many").n == 0);
}

static void blocks(void)
{
	OSMallocTag wired = OSMalloc_Tagalloc("wired", OSMT_DEFAULT);
	OSMallocTag pageable = OSMalloc_Tagalloc("pageable", OSMT_PAGEABLE);
	void *w, *small, *big;

	CHECK(OSMalloc(0, wired) == NULL);
	w = OSMalloc(100000, wired);
	small = OSMalloc(4095, pageable);
	big = OSMalloc(4096, pageable);
	CHECK(w && small && big);
	memset(w, 1, 100000);
	memset(small, 2, 4095);
	memset(big, 3, 4096);
	CHECK((uintptr_t)w % 16 == 0 && (uintptr_t)small % 16 == 0);
	CHECK(locked_around(w) > 0 && locked_around(small) > 0);
	CHECK(locked_around(big) == 0);
	CHECK(figures("wired").blocks == 1 && figures("wired").bytes == 100000);
	CHECK(figures("pageable").blocks == 2 && figures("pageable").bytes == 8191);
	OSFree(w, 100000, wired);
	OSFree(small, 4095, pageable);
	OSFree(big, 4096, pageable);
	CHECK(figures("pageable").blocks == 0 && figures("pageable").bytes == 0);
	CHECK(figures("pageable").peak == 8191);

	/* more than any one pool holds */
	for (uint32_t size = 1; size <= 8u << 20; size *= 2) {
		w = OSMalloc(size, wired);
		CHECK(w != NULL);
		memset(w, 4, size);
		OSFree(w, size, wired);
	}
	CHECK(OSMalloc(0xffffffffu, wired) == NULL);
	OSMalloc_Tagfree(wired);
	OSMalloc_Tagfree(pageable);
}

static void *hammer(void *arg)
{
	OSMallocTag tag = arg;
	void *held[32] = {NULL};
	uint32_t size[32];

	for (uint32_t i = 0; i < 50000; i++) {
		uint32_t at = i * 7 % 32;

		if (held[at])
			OSFree(held[at], size[at], tag);
		size[at] = 1 + i * 37 % 3000;
		held[at] =
			i & 1 ? OSMalloc(size[at], tag) : OSMalloc_noblock(size[at], tag);
	}
	for (int at = 0; at < 32; at++)
		if (held[at])
			OSFree(held[at], size[at], tag);
	return NULL;
}

static void threads(void)
{
	OSMallocTag tag = OSMalloc_Tagalloc("threads", OSMT_DEFAULT);
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, hammer, tag) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK(figures("threads").blocks == 0);
	OSMalloc_Tagfree(tag);
}

/* From here on, all but these few calls end the process: who makes another, waits. */
static int only_a_few_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog prog = {sizeof(code) / sizeof(*code), code};

	/* this thread only: the library's own goes on making pools */
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

/* Every call but the first few runs where only write and exit are let through. */
static void nowait(void)
{
	OSMallocTag tag = OSMalloc_Tagalloc("nowait", OSMT_PAGEABLE);
	void *held[64] = {NULL};
	unsigned long got = 0;

	CHECK(OSMalloc_nowait(0xffffffffu, tag) == NULL);
	CHECK(only_a_few_calls() == 0);
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t at = i % 64;

		if (held[at])
			OSFree(held[at], 1 + at * 100, tag);
		held[at] = i & 1 ? OSMalloc_noblock(1 + at * 100, tag)
				 : OSMalloc_nowait(1 + at * 100, tag);
		got += held[at] != NULL;
	}
	CHECK(OSMalloc_noblock(0xffffffffu, tag) == NULL);
	if (got == 100000 && !api_failed && write(1, "kept\n", 5) == 5)
		syscall(SYS_exit_group, 0);
	syscall(SYS_exit_group, 1);
}

/* A block without waiting; what was refused is there a little later. */
static void *patiently(uint32_t size, OSMallocTag tag)
{
	void *p = NULL;

	for (int i = 0; !p && i < 2000; i++) {
		p = OSMalloc_noblock(size, tag);
		if (!p)
			usleep(10000);
	}
	return p;
}

/* Calls that may not wait get more than the first pool, in a child as well. */
static int grows(void)
{
	OSMallocTag tag = OSMalloc_Tagalloc("grows", OSMT_DEFAULT);
	void *held[60], *big;
	int n = 0, status = 1;
	pid_t pid;

	big = patiently(2u << 20, tag); /* larger than the first pool */
	CHECK(big != NULL);
	if (!big)
		return 1;
	for (; n < 60 && (held[n] = patiently(65536, tag)); n++)
		memset(held[n], 1, 65536);
	CHECK(n == 60); /* 5.75 MiB of the 8 that may be locked */
	while (n-- > 0)
		OSFree(held[n], 65536, tag);
	OSFree(big, 2u << 20, tag);
	if (!api_failed) {
		pid = fork();
		if (pid == 0) {
			/* it has no helper until it asks for one, and no pool of its own
			 */
			OSMallocTag its = OSMalloc_Tagalloc("child", OSMT_PAGEABLE);

			_exit(!patiently(5000, its) || !patiently(5000, tag));
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
	OSMalloc_Tagfree(tag);
	return api_failed;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	OSMallocTag tag, other;
	char local[64] = {0};
	void *p;

	if (!*how) {
		tags();
		blocks();
		threads();
		return api_failed;
	}
	if (!strcmp(how, "nowait"))
		nowait();
	if (!strcmp(how, "grows"))
		return grows();
	tag = OSMalloc_Tagalloc("the tag", OSMT_DEFAULT);
	other = OSMalloc_Tagalloc("the other", OSMT_DEFAULT);
	p = OSMalloc(100, tag);
	if (!strcmp(how, "limit"))
		return p != NULL || OSMalloc_noblock(100, tag) != NULL;
	if (!strcmp(how, "no tag"))
		OSMalloc(10, NULL);
	else if (!strcmp(how, "foreign tag"))
		OSMalloc_noblock(10, (OSMallocTag)(void *)local);
	else if (!strcmp(how, "blocks left"))
		OSMalloc_Tagfree(tag);
	else if (!strcmp(how, "stale tag"))
		OSMalloc_Tagfree(other), OSMalloc(10, other);
	else if (!strcmp(how, "wrong tag"))
		OSFree(p, 100, other);
	else if (!strcmp(how, "wrong size"))
		OSFree(p, 101, tag);
	else if (!strcmp(how, "double free"))
		OSFree(p, 100, tag), OSFree(p, 100, tag);
	else if (!strcmp(how, "foreign block"))
		OSFree(local + 16, 100, tag);
	else if (!strcmp(how, "null block"))
		OSFree(NULL, 100, tag);
	else if (!strcmp(how, "inside a block"))
		OSFree((char *)p + 16, 84, tag);
	return 0;
}
