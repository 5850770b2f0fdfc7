/* SPDX-License-Identifier: MIT */
/*
 * compat_rthandle.c - objects of INtime, their handles and their names, as declared in
 * intime/rt.h
 *
 * An object is an entry of a table, its handle the entry's number; names stand in another
 * table. Never on the realtime path. Bounds: the two tables, walked under a lock that is
 * held for nothing else; a look-up that waits sleeps without it.
 */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <time.h>

#include "os/child.h"
#include "os/sys.h"
#include "engine/recycle.h"
#include "compat.h"
#include "compat_intime.h"
#include "rtm.h"

#define RT_FIRST   0x100u /* the first handle: small numbers are none */
#define RT_OBJECTS 1024u
#define RT_NAMES   256u
#define RT_MAPS	   256u
#define RT_NAME	   14u /* bytes */

enum { RT_ROOT, RT_SELF }; /* the first two objects: processes, always there */

struct rt_object {
	WORD type; /* INVALID_TYPE: free */
	DWORD size;
	pid_t tid; /* of a thread */
	void *address;
};

struct rt_name {
	RTHANDLE process; /* 0: free */
	RTHANDLE object;
	char text[RT_NAME + 1];
};

static struct rt_object rt_objects[RT_OBJECTS] = {
	[RT_ROOT] = {.type = PROCESS_TYPE}, [RT_SELF] = {.type = PROCESS_TYPE}};
static struct rt_name rt_names[RT_NAMES];
static struct {
	const void *address;
	unsigned times;
} rt_maps[RT_MAPS];
static unsigned rt_next = 2;	       /* where the search for a free object goes on */
CHILD_DATA static struct lock rt_lock; /* all of the above */
static uint32_t rt_cataloged; /* futex; atomic: release after a name came, acquire */

static RTHANDLE rt_handle(unsigned i)
{
	return (RTHANDLE)(i + RT_FIRST);
}

static bool rt_thread_is_gone(const struct rt_object *o)
{
	return o->type == THREAD_TYPE &&
	       sys_call3(SYS_tgkill, sys_getpid(), o->tid, 0) == -ESRCH;
}

/* Under the lock. NULL: there is none of this handle. */
static struct rt_object *rt_find(RTHANDLE h)
{
	unsigned i = (unsigned)h - RT_FIRST;
	struct rt_object *o = i < RT_OBJECTS ? &rt_objects[i] : NULL;

	return o && o->type != INVALID_TYPE && !rt_thread_is_gone(o) ? o : NULL;
}

/* Under the lock. Of the free ones, that which has been so for longest: a stale handle
 * names nothing for as long as can be. */
static RTHANDLE rt_make(struct rt_object object)
{
	for (unsigned n = 0; n < RT_OBJECTS; n++) {
		unsigned i = rt_next++ % RT_OBJECTS;

		if (rt_objects[i].type == INVALID_TYPE ||
			rt_thread_is_gone(&rt_objects[i])) {
			rt_objects[i] = object;
			return rt_handle(i);
		}
	}
	return BAD_RTHANDLE;
}

/* Threads of the parent are not there; what was mapped is, as a copy. */
static void rt_child(void)
{
	lock_child(&rt_lock);
}

/* ---- memory ---- */

RTHANDLE CreateRtMemoryHandle(PVOID pMemory, DWORD cbSize)
{
	uint32_t me = lock_tid();
	RTHANDLE h;

	if (!pMemory || !cbSize)
		return (RTHANDLE)intime_set(E_PARAM, BAD_RTHANDLE);
	rtm_begin(rt_child);
	lock_acquire(&rt_lock, me);
	h = rt_make((struct rt_object){
		.type = SEGMENT_TYPE, .size = cbSize, .address = pMemory});
	lock_release(&rt_lock, me);
	return (RTHANDLE)intime_set(h == BAD_RTHANDLE ? E_SLOT : E_OK, h);
}

/* A copy of what has to be memory; else the status. remove: and it is gone. */
static DWORD rt_memory(RTHANDLE h, struct rt_object *out, bool remove)
{
	uint32_t me = lock_tid();
	struct rt_object *o;
	DWORD status = E_OK;

	lock_acquire(&rt_lock, me);
	o = rt_find(h);
	if (!o)
		status = E_EXIST;
	else if (o->type != SEGMENT_TYPE)
		status = E_TYPE;
	else
		*out = *o;
	if (status == E_OK && remove)
		o->type = INVALID_TYPE;
	lock_release(&rt_lock, me);
	return status;
}

BOOLEAN DeleteRtMemoryHandle(RTHANDLE hMemory)
{
	struct rt_object o;
	DWORD status = rt_memory(hMemory, &o, true);

	return (BOOLEAN)intime_set(status, status == E_OK);
}

DWORD GetRtSize(RTHANDLE hMemory)
{
	struct rt_object o = {0};
	DWORD status = rt_memory(hMemory, &o, false);

	return intime_set(status, o.size);
}

/* The entry of this address, or with NULL one that is free; RT_MAPS: there is none. */
static unsigned rt_map_of(const void *address)
{
	unsigned i = 0;

	while (i < RT_MAPS && rt_maps[i].address != address)
		i++;
	return i;
}

PVOID MapRtSharedMemory(RTHANDLE hMemory)
{
	struct rt_object o = {0};
	DWORD status = rt_memory(hMemory, &o, false);
	uint32_t me = lock_tid();
	unsigned i;

	if (status != E_OK) {
		intime_set(status, 0);
		return NULL;
	}
	lock_acquire(&rt_lock, me);
	i = rt_map_of(o.address);
	if (i == RT_MAPS)
		i = rt_map_of(NULL);
	if (i < RT_MAPS) {
		rt_maps[i].address = o.address;
		rt_maps[i].times++;
	}
	lock_release(&rt_lock, me);
	intime_set(i < RT_MAPS ? E_OK : E_VMEM, 0);
	return i < RT_MAPS ? o.address : NULL;
}

bool rthandle_unmap(const void *p)
{
	uint32_t me = lock_tid();
	unsigned i;

	if (!p)
		return false;
	lock_acquire(&rt_lock, me);
	i = rt_map_of(p);
	if (i < RT_MAPS && --rt_maps[i].times == 0)
		rt_maps[i].address = NULL;
	lock_release(&rt_lock, me);
	return i < RT_MAPS;
}

/* ---- processes and threads ---- */

WORD GetRtHandleType(RTHANDLE hObject)
{
	uint32_t me = lock_tid();
	const struct rt_object *o;
	WORD type;

	lock_acquire(&rt_lock, me);
	o = rt_find(hObject);
	type = o ? o->type : INVALID_TYPE;
	lock_release(&rt_lock, me);
	return (WORD)intime_set(type == INVALID_TYPE ? E_EXIST : E_OK, type);
}

static RTHANDLE rt_this_thread(void)
{
	const struct rt_object self = {.type = THREAD_TYPE, .tid = sys_gettid()};
	uint32_t me = lock_tid();
	RTHANDLE h = BAD_RTHANDLE;

	rtm_begin(rt_child);
	lock_acquire(&rt_lock, me);
	for (unsigned i = 0; i < RT_OBJECTS && h == BAD_RTHANDLE; i++)
		if (rt_objects[i].type == THREAD_TYPE && rt_objects[i].tid == self.tid)
			h = rt_handle(i);
	if (h == BAD_RTHANDLE)
		h = rt_make(self);
	lock_release(&rt_lock, me);
	return (RTHANDLE)intime_set(h == BAD_RTHANDLE ? E_SLOT : E_OK, h);
}

RTHANDLE GetRtThreadHandles(BYTE bySelection)
{
	switch (bySelection) {
	case THIS_THREAD:
		return rt_this_thread();
	case THIS_PROCESS:
		return (RTHANDLE)intime_set(E_OK, rt_handle(RT_SELF));
	case ROOT_PROCESS:
		return (RTHANDLE)intime_set(E_OK, rt_handle(RT_ROOT));
	case PARAMETER_OBJECT:
		return (RTHANDLE)intime_set(E_OK, NULL_RTHANDLE);
	}
	return (RTHANDLE)intime_set(E_PARAM, BAD_RTHANDLE);
}

/* ---- names ---- */

/* Under the lock: is this a directory, and a name? *process: never NULL_RTHANDLE. */
static DWORD rt_directory(RTHANDLE *process, const char *name)
{
	const struct rt_object *o;

	if (*process == NULL_RTHANDLE)
		*process = rt_handle(RT_SELF);
	if (!name)
		return E_BAD_ADDR;
	if (!name[0] || strnlen(name, RT_NAME + 1) > RT_NAME)
		return E_PARAM;
	o = rt_find(*process);
	return !o ? E_EXIST : o->type != PROCESS_TYPE ? E_TYPE : E_OK;
}

/* Under the lock. NULL: it is not there. */
static struct rt_name *rt_name_of(RTHANDLE process, const char *name)
{
	for (unsigned i = 0; i < RT_NAMES; i++)
		if (rt_names[i].process == process && !strcmp(rt_names[i].text, name))
			return &rt_names[i];
	return NULL;
}

static DWORD rt_catalog(RTHANDLE process, RTHANDLE object, const char *name)
{
	DWORD status = rt_directory(&process, name);
	struct rt_name *free;

	if (status != E_OK)
		return status;
	if (object != NULL_RTHANDLE && !rt_find(object))
		return E_EXIST;
	if (rt_name_of(process, name))
		return E_CONTEXT;
	free = rt_name_of(0, "");
	if (!free)
		return E_LIMIT;
	free->process = process;
	free->object = object;
	memcpy(free->text, name, strlen(name) + 1);
	return E_OK;
}

BOOLEAN CatalogRtHandle(RTHANDLE hProcess, RTHANDLE hObject, const char *lpszName)
{
	uint32_t me = lock_tid();
	DWORD status;

	rtm_begin(rt_child);
	lock_acquire(&rt_lock, me);
	status = rt_catalog(hProcess, hObject, lpszName);
	lock_release(&rt_lock, me);
	if (status == E_OK) {
		/* release: pairs with the acquire in LookupRtHandle() */
		__atomic_fetch_add(&rt_cataloged, 1, __ATOMIC_RELEASE);
		sys_futex(
			&rt_cataloged, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX, NULL);
	}
	return (BOOLEAN)intime_set(status, status == E_OK);
}

BOOLEAN UncatalogRtHandle(RTHANDLE hProcess, const char *lpszName)
{
	uint32_t me = lock_tid();
	struct rt_name *n;
	DWORD status;

	lock_acquire(&rt_lock, me);
	status = rt_directory(&hProcess, lpszName);
	n = status == E_OK ? rt_name_of(hProcess, lpszName) : NULL;
	if (n)
		*n = (struct rt_name){0};
	else if (status == E_OK)
		status = E_CONTEXT;
	lock_release(&rt_lock, me);
	return (BOOLEAN)intime_set(status, status == E_OK);
}

/* E_TIME: not yet. */
static DWORD rt_look(RTHANDLE process, const char *name, RTHANDLE *out)
{
	uint32_t me = lock_tid();
	const struct rt_name *n;
	DWORD status;

	lock_acquire(&rt_lock, me);
	status = rt_directory(&process, name);
	n = status == E_OK ? rt_name_of(process, name) : NULL;
	if (n)
		*out = n->object;
	else if (status == E_OK)
		status = E_TIME;
	lock_release(&rt_lock, me);
	return status;
}

RTHANDLE LookupRtHandle(RTHANDLE hProcess, const char *lpszName, DWORD dwMilliseconds)
{
	uint64_t end = recycle_now() + dwMilliseconds * 1000000ull, now;
	RTHANDLE found = BAD_RTHANDLE;
	uint32_t seen;
	DWORD status;

	for (;;) {
		struct timespec left;

		/* acquire: pairs with the release in CatalogRtHandle(); a name that comes
		 * after the look makes the wait return at once */
		seen = __atomic_load_n(&rt_cataloged, __ATOMIC_ACQUIRE);
		status = rt_look(hProcess, lpszName, &found);
		now = recycle_now();
		if (status != E_TIME || (dwMilliseconds != WAIT_FOREVER && now >= end))
			break;
		left.tv_sec = (time_t)((end - now) / 1000000000u);
		left.tv_nsec = (long)((end - now) % 1000000000u);
		sys_futex(&rt_cataloged, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, seen,
			dwMilliseconds == WAIT_FOREVER ? NULL : &left);
	}
	return (RTHANDLE)intime_set(status, found);
}
