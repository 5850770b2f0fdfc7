// SPDX-License-Identifier: MIT
/*
 * site_plug.c - an object whose one function calls back; tests/site.mk builds it twice,
 * with the same layout and another function name
 */
/* cflags: -shared -fPIC */
#ifndef PLUG
#define PLUG plug_zero
#endif

__attribute__((noinline)) static void PLUG(void (*probe)(void))
{
	probe();
	__asm__ volatile("" ::: "memory");
}

void plug_run(void (*probe)(void));
void plug_run(void (*probe)(void))
{
	PLUG(probe);
	__asm__ volatile("" ::: "memory");
}
