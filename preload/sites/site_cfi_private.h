/* SPDX-License-Identifier: MIT */
/*
 * site_cfi_private.h - between site_cfi.c (finds the description) and site_cfi_run.c
 * (runs it)
 */
#ifndef SITE_CFI_PRIVATE_H
#define SITE_CFI_PRIVATE_H

#include "site_read.h"

struct site_cie {
	struct site_reader init, code; /* instructions of the CIE, then of the FDE */
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding; /* of addresses in the FDE */
	bool signal;	  /* describes the frame a signal handler returns to */
	bool sized;	  /* the FDE has an augmentation length */
};

/* The recipe that is in force at pc in the function that begins at start. */
uint64_t site_cfi_run(const struct site_cie *cie, uint64_t start, uintptr_t pc);

/* An address encoded as DW_EH_PE_* enc at r->p; sets bad for kinds never seen there. */
uint64_t site_cfi_pointer(struct site_reader *r, unsigned enc);

#endif
