/* SPDX-License-Identifier: MIT */
/*
 * entry_single_threaded.c - calls that mean something else, or fail, when there is a
 * second thread
 *
 * A program with one thread may enter a user namespace, and may change its identity while
 * that thread alone holds other capabilities (libc makes all threads follow, and aborts
 * when one cannot). So while the helper is the only other thread it leaves before such a
 * call and comes back after it. A child that shares its parent's memory has no helper:
 * its parent's stays.
 */
#include <grp.h>
#include <sched.h>
#include <unistd.h>

#include "os/next.h"
#include "decide/helper.h"
#include "entry.h"

typedef int entry_int_fn(int);
typedef int entry_two_fn(int, int);
typedef int entry_id_fn(unsigned);
typedef int entry_id2_fn(unsigned, unsigned);
typedef int entry_id3_fn(unsigned, unsigned, unsigned);
typedef int entry_list_fn(size_t, const gid_t *);

#define ALONE_CALLS(X)             \
	X(entry_int_fn, unshare)   \
	X(entry_two_fn, setns)     \
	X(entry_id_fn, setuid)     \
	X(entry_id_fn, setgid)     \
	X(entry_id_fn, seteuid)    \
	X(entry_id_fn, setegid)    \
	X(entry_id2_fn, setreuid)  \
	X(entry_id2_fn, setregid)  \
	X(entry_id3_fn, setresuid) \
	X(entry_id3_fn, setresgid) \
	X(entry_list_fn, setgroups)

#define X(FN, name) static FN *next_##name;
ALONE_CALLS(X)
#undef X

/* A child that was made past libc, beside a thread that is in the loader, could not look
 * them up: they are known before there is a second thread. */
void entry_alone_find(void)
{
	/* relaxed: racing look-ups find the same */
#define X(FN, name)                                           \
	if (!__atomic_load_n(&next_##name, __ATOMIC_RELAXED)) \
		__atomic_store_n(                             \
			&next_##name, (FN *)next_function(#name), __ATOMIC_RELAXED);
	ALONE_CALLS(X)
#undef X
}

/* The real function, with no thread of ours beside a program that has only one. */
#define ALONE(name, ...)                                                             \
	({                                                                           \
		bool back_ = helper_running() && thread_only_one();                  \
		int ret_, errno_;                                                    \
		entry_alone_find();                                                  \
		if (back_)                                                           \
			helper_stop();                                               \
		ret_ = __atomic_load_n(&next_##name, __ATOMIC_RELAXED)(__VA_ARGS__); \
		errno_ = errno;                                                      \
		if (back_)                                                           \
			helper_start();                                              \
		errno = errno_;                                                      \
		ret_;                                                                \
	})

EXPORT int unshare(int flags)
{
	return ALONE(unshare, flags);
}

EXPORT int setns(int fd, int type)
{
	return ALONE(setns, fd, type);
}

EXPORT int setuid(uid_t id)
{
	return ALONE(setuid, id);
}

EXPORT int setgid(gid_t id)
{
	return ALONE(setgid, id);
}

EXPORT int seteuid(uid_t id)
{
	return ALONE(seteuid, id);
}

EXPORT int setegid(gid_t id)
{
	return ALONE(setegid, id);
}

EXPORT int setreuid(uid_t real, uid_t effective)
{
	return ALONE(setreuid, real, effective);
}

EXPORT int setregid(gid_t real, gid_t effective)
{
	return ALONE(setregid, real, effective);
}

EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	return ALONE(setresuid, real, effective, saved);
}

EXPORT int setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return ALONE(setresgid, real, effective, saved);
}

EXPORT int setgroups(size_t n, const gid_t *list)
{
	return ALONE(setgroups, n, list);
}
