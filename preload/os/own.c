/* SPDX-License-Identifier: MIT */
/*
 * own.c - libc's names as this library means them: libc's own functions
 *
 * The library is linked with --wrap for every __wrap_ name in own*.c: what its own
 * objects, jemalloc and inih call NAME is __wrap_NAME, never a function of the same name
 * that the program or another preloaded library has. Here those that only libc can do;
 * system calls stand in own_sys.c, what would allocate in own_alloc.c and own_dir.c.
 * Names that stay with the loader are listed, with the reason, in tests/libc-names.txt.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "libc.h"
#include "loader.h"
#include "proc.h"

#define OWN(type, name, params, args)                                   \
	type __wrap_##name params;                                      \
	__attribute__((visibility("hidden"))) type __wrap_##name params \
	{                                                               \
		return LIBC(name) args;                                 \
	}

/* the clock of the vDSO: no system call, and not a time somebody made up */
OWN(int, clock_gettime, (clockid_t clock, struct timespec *t), (clock, t))
OWN(int, gettimeofday, (struct timeval * t, void *zone), (t, zone))

OWN(char *, getenv, (const char *name), (name))
OWN(char *, secure_getenv, (const char *name), (name))
OWN(int, unsetenv, (const char *name), (name))
OWN(unsigned long, getauxval, (unsigned long type), (type))
OWN(long, sysconf, (int name), (name))
OWN(void *, sbrk, (intptr_t by), (by))
OWN(char *, strerror_r, (int error, char *buf, size_t len), (error, buf, len))
OWN(const char *, strerrordesc_np, (int error), (error))

OWN(void *, dlsym, (void *handle, const char *name), (handle, name))
OWN(int, dl_iterate_phdr, (int (*fn)(struct dl_phdr_info *, size_t, void *), void *arg),
	(fn, arg))

OWN(int, clone, (int (*fn)(void *), void *stack, int flags, void *arg),
	(fn, stack, flags, arg))
OWN(int, sched_getcpu, (void), ())
OWN(int, sched_getaffinity, (pid_t tid, size_t len, cpu_set_t *set), (tid, len, set))
OWN(int, sched_setaffinity, (pid_t tid, size_t len, const cpu_set_t *set),
	(tid, len, set))

OWN(int, pthread_create,
	(pthread_t * t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg),
	(t, attr, fn, arg))
OWN(int, pthread_join, (pthread_t t, void **result), (t, result))
OWN(pthread_t, pthread_self, (void), ())
OWN(int, pthread_getname_np, (pthread_t t, char *name, size_t len), (t, name, len))
OWN(int, pthread_setname_np, (pthread_t t, const char *name), (t, name))
OWN(int, pthread_sigmask, (int how, const sigset_t *set, sigset_t *old), (how, set, old))
OWN(int, pthread_getattr_np, (pthread_t t, pthread_attr_t *attr), (t, attr))
OWN(int, pthread_attr_init, (pthread_attr_t * attr), (attr))
OWN(int, pthread_attr_destroy, (pthread_attr_t * attr), (attr))
OWN(int, pthread_attr_getstack, (const pthread_attr_t *attr, void **at, size_t *len),
	(attr, at, len))
OWN(int, pthread_attr_setstacksize, (pthread_attr_t * attr, size_t len), (attr, len))
OWN(int, pthread_attr_setinheritsched, (pthread_attr_t * attr, int how), (attr, how))
OWN(int, pthread_attr_setschedpolicy, (pthread_attr_t * attr, int policy), (attr, policy))
OWN(int, pthread_attr_setschedparam,
	(pthread_attr_t * attr, const struct sched_param *param), (attr, param))
OWN(int, pthread_attr_setaffinity_np,
	(pthread_attr_t * attr, size_t len, const cpu_set_t *set), (attr, len, set))
OWN(int, pthread_once, (pthread_once_t * once, void (*fn)(void)), (once, fn))
OWN(int, pthread_key_create, (pthread_key_t * key, void (*fn)(void *)), (key, fn))
OWN(int, pthread_setspecific, (pthread_key_t key, const void *value), (key, value))

OWN(int, pthread_mutex_init, (pthread_mutex_t * m, const pthread_mutexattr_t *attr),
	(m, attr))
OWN(int, pthread_mutex_trylock, (pthread_mutex_t * m), (m))
OWN(int, pthread_mutexattr_init, (pthread_mutexattr_t * attr), (attr))
OWN(int, pthread_mutexattr_destroy, (pthread_mutexattr_t * attr), (attr))
OWN(int, pthread_mutexattr_settype, (pthread_mutexattr_t * attr, int type), (attr, type))
OWN(int, pthread_cond_init, (pthread_cond_t * c, const pthread_condattr_t *attr),
	(c, attr))
OWN(int, pthread_cond_signal, (pthread_cond_t * c), (c))
OWN(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), (c, m))
OWN(int, pthread_cond_timedwait,
	(pthread_cond_t * c, pthread_mutex_t *m, const struct timespec *until),
	(c, m, until))

/* jemalloc's are tried first: who comes here waits. In a copy of the process it may be
 * for a thread that is not there; then all are made new. */
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
__attribute__((visibility("hidden"))) int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
	if (proc_copied())
		proc_mine();
	if (!base_fork_is_alone())
		return LIBC(pthread_mutex_lock)(m);
	for (unsigned tries = 0; LIBC(pthread_mutex_trylock)(m) != 0; tries++) {
		if (base_fork_leaves(m, tries))
			break;
	}
	return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);
__attribute__((visibility("hidden"))) int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
	if (base_fork_is_alone() && base_fork_left(m))
		return 0;
	return LIBC(pthread_mutex_unlock)(m);
}

void __wrap_abort(void);
__attribute__((noreturn, visibility("hidden"))) void __wrap_abort(void)
{
	LIBC(abort)();
	__builtin_unreachable();
}
