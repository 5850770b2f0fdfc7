/* SPDX-License-Identifier: MIT */
/*
 * next.h - the functions behind the names we interpose: libc's own
 *
 * Looked up with dlsym(RTLD_NEXT); never on the realtime path.
 */
#ifndef NEXT_H
#define NEXT_H

#include <pthread.h>

/* Ends the program with one line when there is none: nothing could go on without it. */
void *next_function(const char *name);

int next_pthread_create(
	pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);

/* A function of type FN behind `name`, looked up once; racing look-ups find the same. */
#define NEXT(FN, name)                                                   \
	({                                                               \
		static FN *next_;                                        \
		FN *fn_ = __atomic_load_n(&next_, __ATOMIC_RELAXED);     \
		if (!fn_) {                                              \
			fn_ = (FN *)next_function(name);                 \
			__atomic_store_n(&next_, fn_, __ATOMIC_RELAXED); \
		}                                                        \
		fn_;                                                     \
	})

#endif
