/* SPDX-License-Identifier: MIT */
/*
 * MediaDefs.h - where BeOS declares media_realtime_init_thread() and _image(), their
 * flags and their statuses: all of it is in RealtimeAlloc.h
 */
#ifndef MEDIA_MEDIADEFS_H
#define MEDIA_MEDIADEFS_H

#include "../kernel/OS.h"
#include "RealtimeAlloc.h"

#endif
