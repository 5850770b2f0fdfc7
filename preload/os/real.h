/* SPDX-License-Identifier: MIT */
/*
 * real.h - the functions behind the names we interpose: libc's own
 *
 * Looked up with dlsym(RTLD_NEXT); never on the realtime path.
 */
#ifndef REAL_H
#define REAL_H

#include <pthread.h>

/* Ends the program with one line when there is none: nothing could go on without it. */
void *real_function(const char *name);

int real_pthread_create(
	pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);

/* A function of type FN behind `name`, looked up once; racing look-ups find the same. */
#define REAL(FN, name)                                                   \
	({                                                               \
		static FN *real_;                                        \
		FN *fn_ = __atomic_load_n(&real_, __ATOMIC_RELAXED);     \
		if (!fn_) {                                              \
			fn_ = (FN *)real_function(name);                 \
			__atomic_store_n(&real_, fn_, __ATOMIC_RELAXED); \
		}                                                        \
		fn_;                                                     \
	})

#endif
