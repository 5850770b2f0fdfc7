/* SPDX-License-Identifier: MIT */
/*
 * cxx_name.h - names of functions as people write them
 *
 * A person writes "bar" or "Foo::bar" of what the linker calls _ZN3Foo3barEi and a
 * demangler Foo::bar(int). All of these are the function's names.
 *
 * Pure text: no allocation, no system call. Bound: CXX_NAME_MAX bytes of a name are
 * looked at; a longer one has no short names.
 */
#ifndef CXX_NAME_H
#define CXX_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define CXX_NAME_MAX 1024

/*
 * Does the glob match the name, or that without what it returns and its arguments
 * ("Foo<int>::bar<char>"), or the last part of it ("bar<char>"), or that without template
 * arguments ("bar")? A name that has nothing of C++ is matched as it is.
 */
bool cxx_name_match(const char *glob, const char *name);

/* Could it match the demangled form of this linker's name? Never false when it does;
 * saves the demangling of most others. */
bool cxx_name_likely(const char *glob, const char *linkers);

/* Demangles (libstdc++'s own code, a private copy) into buf, cut to nothing when it does
 * not fit. False: it is no C++ name. Never allocates; may use 200 KiB of stack. */
bool cxx_name_demangle(const char *linkers, char buf[static CXX_NAME_MAX]);

#endif
