/* SPDX-License-Identifier: MIT */
/*
 * rtmem_decl.h - how every public header of rtmem declares its functions
 *
 * Define RTM_WEAK before including any of our headers to have every function declared
 * weak: the program then links without the library, and rtm_loaded() in rtmem.h says
 * whether it is there (because somebody preloaded it). Without RTM_WEAK, link with
 * -lrtpreload.
 */
#ifndef RTMEM_DECL_H
#define RTMEM_DECL_H

#ifdef RTM_WEAK
/*
 * noplt: a program compiled with -fno-pic would name our functions by addresses that the
 * linker has to know, and of what is weak and missing it says 0 for good. Through the
 * table of the loader, they are found when the program starts. (-mcmodel=large names them
 * so all the same: there, compile with -fPIE.)
 */
#ifdef __has_attribute
#if __has_attribute(noplt)
#define RTM_API __attribute__((weak, nothrow, noplt))
#endif
#endif
#ifndef RTM_API
#define RTM_API __attribute__((weak, nothrow))
#endif
#else
#define RTM_API __attribute__((visibility("default"), nothrow))
#endif

/* The result says whether it worked: ignoring it is a bug of the caller. */
#define RTM_CHECKED __attribute__((warn_unused_result))

#ifdef __cplusplus
#define RTM_DEFAULT(value) = value
#define RTM_BEGIN_DECLS	   extern "C" {
#define RTM_END_DECLS	   }
#else
#define RTM_DEFAULT(value)
#define RTM_BEGIN_DECLS
#define RTM_END_DECLS
#endif

#endif
