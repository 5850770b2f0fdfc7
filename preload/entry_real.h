/* SPDX-License-Identifier: MIT */
/*
 * entry_real.h - the functions behind the names we interpose: libc's own
 *
 * Looked up once with dlsym(RTLD_NEXT) at first use; never on the realtime path.
 */
#ifndef ENTRY_REAL_H
#define ENTRY_REAL_H

#include <pthread.h>
#include <sched.h>

int entry_real_pthread_create(
	pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
void *entry_real(const char *name);

#endif
