/* SPDX-License-Identifier: MIT */
/*
 * CoreMedia.h - what there is of Core Media on Linux: memory pools and block buffers
 */
#ifndef COREMEDIA_COREMEDIA_H
#define COREMEDIA_COREMEDIA_H

#include "CMBlockBuffer.h"
#include "CMMemoryPool.h"

#endif
