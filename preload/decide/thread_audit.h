/* SPDX-License-Identifier: MIT */
/*
 * thread_audit.h - begin and end an audit in a program that runs. Helper only.
 */
#ifndef THREAD_AUDIT_H
#define THREAD_AUDIT_H

#include "trace/audit.h"

/* Every thread that is to be audited writes into a from its next malloc or free on. */
void thread_audit_begin(struct audit_book *a);
/* At intervals, while it goes on: threads that came or matched just when it began. */
void thread_audit_look(void);
/* Every thread goes back to what it did, at its next malloc or free. */
void thread_audit_end(void);

#endif
