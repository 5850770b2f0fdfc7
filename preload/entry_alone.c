/* SPDX-License-Identifier: MIT */
/*
 * entry_alone.c - calls that mean something else, or fail, when there is a second thread
 *
 * A program with one thread may enter a user namespace, and may change its identity while
 * that thread alone holds other capabilities (libc makes all threads follow, and aborts
 * when one cannot). So while the helper is the only other thread it leaves before such a
 * call and comes back after it.
 */
#include <grp.h>
#include <sched.h>
#include <unistd.h>

#include "entry.h"
#include "helper.h"
#include "real.h"

/* The real function, with no thread of ours beside a program that has only one. */
#define ALONE(FN, name, ...)                                        \
	({                                                          \
		bool back_ = thread_only_one() && helper_running(); \
		int ret_, errno_;                                   \
		if (back_)                                          \
			helper_stop();                              \
		ret_ = REAL(FN, name)(__VA_ARGS__);                 \
		errno_ = errno;                                     \
		if (back_)                                          \
			helper_start();                             \
		errno = errno_;                                     \
		ret_;                                               \
	})

typedef int entry_int_fn(int);
typedef int entry_id_fn(unsigned);
typedef int entry_id2_fn(unsigned, unsigned);
typedef int entry_id3_fn(unsigned, unsigned, unsigned);

EXPORT int unshare(int flags)
{
	return ALONE(entry_int_fn, "unshare", flags);
}

EXPORT int setns(int fd, int type)
{
	typedef int fn(int, int);

	return ALONE(fn, "setns", fd, type);
}

EXPORT int setuid(uid_t id)
{
	return ALONE(entry_id_fn, "setuid", id);
}

EXPORT int setgid(gid_t id)
{
	return ALONE(entry_id_fn, "setgid", id);
}

EXPORT int seteuid(uid_t id)
{
	return ALONE(entry_id_fn, "seteuid", id);
}

EXPORT int setegid(gid_t id)
{
	return ALONE(entry_id_fn, "setegid", id);
}

EXPORT int setreuid(uid_t real, uid_t effective)
{
	return ALONE(entry_id2_fn, "setreuid", real, effective);
}

EXPORT int setregid(gid_t real, gid_t effective)
{
	return ALONE(entry_id2_fn, "setregid", real, effective);
}

EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	return ALONE(entry_id3_fn, "setresuid", real, effective, saved);
}

EXPORT int setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return ALONE(entry_id3_fn, "setresgid", real, effective, saved);
}

EXPORT int setgroups(size_t n, const gid_t *list)
{
	typedef int fn(size_t, const gid_t *);

	return ALONE(fn, "setgroups", n, list);
}
