/* SPDX-License-Identifier: MIT */
/*
 * module.h - modules of BeOS drivers, on Linux: there is one, area_malloc
 *
 * The names of the calls are macros: a program may have functions so called. Define
 * RTM_NO_MODULE to have them for yourself.
 *
 * Comments have the order described in <media/RealtimeAlloc.h>. See rtmem_compat(3).
 */
#ifndef DRIVERS_MODULE_H
#define DRIVERS_MODULE_H

#include "../rtmem_decl.h"
#include "../support/SupportDefs.h"

/* What every module begins with. */
typedef struct module_info {
	const char *name;
	uint32 flags;			    /* B_KEEP_LOADED or 0 */
	status_t (*std_ops)(int32 op, ...); /* op: the two below */
} module_info;

#define B_MODULE_INIT	1
#define B_MODULE_UNINIT 2
#define B_KEEP_LOADED	1

/* Haiku: a driver's table of what get_module() is called for. Nobody reads it here. */
typedef struct module_dependency {
	const char *name;
	module_info **info;
} module_dependency;

RTM_BEGIN_DECLS

/*
 * Opens a module.
 *
 * path    B_AREA_MALLOC_MODULE_NAME, see <drivers/area_malloc.h>.
 * module  where the structure is stored; untouched on failure.
 *
 * Returns B_OK;
 *   B_BAD_VALUE        path or module is NULL
 *   B_ENTRY_NOT_FOUND  there is no such module
 * Realtime: no. Threads: any. Source: BeOS, module.h.
 */
RTM_API status_t rtm_get_module(const char *path, module_info **module);

/*
 * Puts it away. With the last user go all pools that were made through the module.
 *
 * Returns B_OK;
 *   B_BAD_VALUE        path is NULL
 *   B_ENTRY_NOT_FOUND  it is no module, or nobody has it open
 * Realtime: no. Threads: any. Source: BeOS, module.h.
 */
RTM_API status_t rtm_put_module(const char *path);

RTM_END_DECLS

#ifndef RTM_NO_MODULE
#define get_module rtm_get_module
#define put_module rtm_put_module
#endif

#endif
