/* SPDX-License-Identifier: MIT */
/*
 * thread_before_tls.c - malloc before the loader has set up thread-local storage
 *
 * An IFUNC resolver of the program runs when all objects but the program are relocated
 * and the TLS block of the main thread is still zero; only later is it filled from the
 * objects' images. A test for that in malloc would be paid by every call. So this object
 * has a resolver of its own, which the loader runs earlier, and which fills our part of
 * the block as the loader is going to: route_self, and jemalloc's state. Resolvers of
 * libraries that are relocated before us cannot be helped: nothing in this object works
 * by then.
 *
 * Runs once per process, and without effect where the library is opened later (the loader
 * fills the block then, too). Calls nothing. Bound: the size of our TLS image.
 */
#include <link.h>
#include <stdint.h>

#include "route.h"

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* Where this thread's copy of our image starts: a variable's address, less its offset. */
static inline __attribute__((always_inline)) unsigned char *thread_before_tls_block(void)
{
	uintptr_t offset;

	__asm__("leaq route_self@dtpoff, %0" : "=r"(offset));
	return (unsigned char *)&route_self - offset;
}

static void thread_before_tls_nothing(void)
{
}

/* Instrumentation of any kind would need what is not there yet. */
static __attribute__((used, no_sanitize("address", "undefined", "thread"),
	no_profile_instrument_function)) void (*thread_before_tls_resolve(void))(void)
{
	const unsigned char *base = (const unsigned char *)&__ehdr_start, *from;
	const ElfW(Phdr) *ph = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);
	unsigned char *to = thread_before_tls_block();
	size_t n;

	for (int i = 0; i < __ehdr_start.e_phnum; i++, ph++) {
		if (ph->p_type != PT_TLS)
			continue;
		from = base + ph->p_vaddr;
		n = ph->p_filesz;
		/* no memcpy: it would be libc's, and its own resolver may not have run */
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
		break;
	}
	return thread_before_tls_nothing;
}

static void thread_before_tls(void) __attribute__((ifunc("thread_before_tls_resolve")));

/* What makes the linker ask the loader for the resolver's answer. */
static __attribute__((used)) void (*const thread_before_tls_asked)(
	void) = thread_before_tls;
