/* SPDX-License-Identifier: MIT */
/*
 * thread_watch.c - the memory in which a thread counts its calls, and the switch
 *
 * A thread begins to count as it changes its route: at its next malloc or free
 * (route_switch.c). The memory stays with the slot.
 *
 * Never on the realtime path.
 */
#include "thread_watch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "os/fd_table.h"
#include "os/log.h"
#include "os/sys.h"
#include "memory/area.h"
#include "route_watch.h"

void thread_watch_ready(struct slot *s)
{
	size_t size = (sizeof(struct route_watch) + AREA_PAGE - 1) & ~(AREA_PAGE - 1);
	struct route_watch *none = NULL;
	long at;

	/* acquire, release: a thread that finds the memory finds it touched */
	if (__atomic_load_n(&s->watch_memory, __ATOMIC_ACQUIRE))
		return;
	at = sys_mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_is_error(at))
		return;
	memset((void *)at, 0, size);
	area_lock_foreign((void *)at, size);
	if (!__atomic_compare_exchange_n(&s->watch_memory, &none,
		    (struct route_watch *)at, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		sys_munmap((void *)at, size);
}

void thread_watch_late_locked(struct slot *s)
{
	if (!s->wanted || s->watch_memory)
		return;
	thread_watch_ready(s);
	if (s->watch_memory)
		route_publish(s, (struct route *)(uintptr_t)s->wanted);
}

static void thread_watch_one(struct slot *s, void *arg)
{
	if (!s->wanted)
		return;
	if (arg)
		thread_watch_ready(s);
	route_publish(s, (struct route *)(uintptr_t)s->wanted);
}

void thread_watch_calls(bool on)
{
	thread_lock_registry();
	/* relaxed: the owners read it after the seq_cst exchange that pairs with
	 * route_publish() */
	__atomic_store_n(&route_watching, on, __ATOMIC_RELAXED);
	thread_each_locked(thread_watch_one, on ? &route_watching : NULL);
	thread_unlock_registry();
}

/* The number in the n-th word of text, from 0; words are parted by one space. */
static uint64_t thread_word(const char *text, int n)
{
	uint64_t value = 0;

	for (; n > 0 && *text; text++)
		n -= *text == ' ';
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

static bool thread_file(const struct slot *s, const char *name, char *text, unsigned size)
{
	char path[64];

	log_format(path, sizeof(path), "/proc/self/task/%u/%s", s->tid, name);
	return fd_table_slurp(path, text, size) > 0;
}

static void thread_watch_waits(const struct slot *s, struct route_watch *w)
{
	static const char key[] = "\nnonvoluntary_ctxt_switches:\t";
	char text[4096];
	const char *line;

	if (!thread_file(s, "status", text, sizeof(text)))
		return;
	line = strstr(text, key);
	if (line)
		w->waits = thread_word(line + sizeof(key) - 1, 0);
}

void thread_watch_facts(struct slot *s)
{
	struct route_watch *w = s->watch_memory;
	char text[512];
	const char *rest;

	if (!w || sys_restricted() || !thread_file(s, "stat", text, sizeof(text)))
		return;
	rest = strrchr(text, ')'); /* behind the name, which may hold anything */
	if (!rest || !rest[1])
		return;
	w->minor = thread_word(rest + 2, 7);
	w->major = thread_word(rest + 2, 9);
	thread_watch_waits(s, w);
	if (w->tid != s->tid) {
		w->tid = s->tid;
		w->minor_first = w->minor;
		w->major_first = w->major;
		w->waits_first = w->waits;
	}
}
