# SPDX-License-Identifier: MIT
# rtmem - realtime memory for programs that nobody recompiles
#
#   make            build/librtpreload.so and build/rtmem
#   make help       every target, from the ## comments below

VERSION := 0.1.0
SOVERSION := 1

PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
LIBDIR ?= $(PREFIX)/lib/$(shell $(CC) -print-multiarch)
B := build

CC ?= cc
CSTD := -std=gnu17
WARN := -Wall -Wextra -Wconversion -Wshadow -Wno-unused-parameter -Werror
OPT ?= -O2 -g
SAN ?=
CFLAGS_ALL := $(CSTD) $(WARN) $(OPT) $(SAN) -fvisibility=hidden -fno-plt -pthread \
	-D_GNU_SOURCE -DRTMEM_VERSION='"$(VERSION)"' -Iinclude -I. -iquote preload -MMD -MP $(CFLAGS)
# -fno-builtin: gcc turns malloc + memset inside calloc into a call of calloc itself.
PRELOAD_CFLAGS := $(CFLAGS_ALL) -fPIC -ftls-model=initial-exec -fno-builtin-malloc \
	-fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free \
	-fno-semantic-interposition -fno-tree-slp-vectorize -falign-functions=64 -fno-stack-protector

# What the library and the tool share.
CORE_SRC := $(wildcard policy/model/*.c)
TOOL_SRC := $(filter-out $(CORE_SRC),$(wildcard policy/*/*.c))
PRELOAD_SRC := $(wildcard preload/*/*.c)
PRELOAD_ASM := $(wildcard preload/*/*.S)
ENTRY_SRC := $(wildcard preload/entry/entry*.c) preload/entry/init.c

CORE_PIC := $(CORE_SRC:%.c=$B/pic/%.o)
PRELOAD_OBJ := $(PRELOAD_SRC:%.c=$B/pic/%.o) $(PRELOAD_ASM:%.S=$B/pic/%.o)
ENTRY_OBJ := $(ENTRY_SRC:%.c=$B/pic/%.o) $(PRELOAD_ASM:%.S=$B/pic/%.o)
TOOL_OBJ := $(TOOL_SRC:%.c=$B/tool/%.o) $(CORE_SRC:%.c=$B/tool/%.o)

JEMALLOC_A := $(shell $(CC) -print-file-name=libjemalloc_pic.a)
# What policy/ links, in the library, the tool and the tests.
POLICY_A = $(shell $(CC) -print-file-name=libinih.a) $B/libcxxname.a

# Rules of each part stand beside it.
PARTS := $(sort $(wildcard bench/*.mk conf/*.mk tests/*.mk))

.PHONY: all lib tool help
all: lib tool ## build the library and the tool
lib: $B/librtpreload.so
tool: $B/rtmem

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile $(PARTS) | expand -t 24

# jemalloc, privately: its public names become je_*, its system calls go through base.c.
$B/je.syms: preload/os/base.syms
	@mkdir -p $(@D)
	sed '/^#/d;/^$$/d' $< > $@
$B/libje.a: $B/je.syms $(JEMALLOC_A)
	objcopy --redefine-syms=$< $(JEMALLOC_A) $@

# The demangler of libstdc++, privately: a program has another one, or none.
$B/libcxxname.a: $(shell $(CC) -print-file-name=libstdc++.a)
	@mkdir -p $(@D)
	cd $(@D) && ar x $< cp-demangle.o && rm -f $(@F)
	objcopy --redefine-sym __gcclibcxx_demangle_callback=cxx_demangle_callback \
		--redefine-sym __cxa_demangle=cxx_demangle_unused --redefine-sym free=cxx_name_free \
		--redefine-sym realloc=cxx_name_realloc --redefine-sym sprintf=cxx_name_number \
		$(@D)/cp-demangle.o
	ar rcs $@ $(@D)/cp-demangle.o
$B/pic/policy/model/cxx_name.o $B/tool/policy/model/cxx_name.o $B/asan/policy/model/cxx_name.o: | $B/libcxxname.a

$B/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(PRELOAD_CFLAGS) -c -o $@ $<
$B/pic/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(PRELOAD_CFLAGS) -c -o $@ $<
# Where the tool looks for the library it preloads.
$B/tool/policy/system/library.o: CFLAGS_ALL += -DRTMEM_SONAME='"librtpreload.so.$(SOVERSION)"' \
	-DRTMEM_MULTIARCH='"$(shell $(CC) -print-multiarch)"'
# Has the page in it.
$B/tool/policy/audit/audit_html.o: policy/audit/audit_page.html
$B/tool/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(CPPFLAGS) -fPIE -c -o $@ $<

# -Bsymbolic-functions: what it calls by one of the names it exports is its own function.
# What the library calls NAME is __wrap_NAME of preload/os/own*.c, whoever else defines NAME.
OWN_OBJ := $(patsubst %.c,$B/pic/%.o,$(wildcard preload/os/own*.c))
$B/own.wrap: $(OWN_OBJ)
	nm --defined-only $^ | sed -n 's/^.* [Tt] __wrap_/-Wl,--wrap=/p' | sort >$@

$B/librtpreload.so.$(SOVERSION): $(PRELOAD_OBJ) $(CORE_PIC) $B/libje.a preload/entry/librtpreload.map $B/own.wrap
	$(CC) -shared $(SAN) $(LDFLAGS) -Wl,-soname,librtpreload.so.$(SOVERSION) -Wl,-z,now -Wl,-z,relro \
		-Wl,-Bsymbolic-functions \
		-Wl,--version-script=preload/entry/librtpreload.map -Wl,--exclude-libs,ALL \
		-Wl,--no-undefined @$B/own.wrap -o $@ $(PRELOAD_OBJ) $(CORE_PIC) $B/libje.a $(POLICY_A) \
		-static-libgcc -lpthread -ldl
$B/librtpreload.so: $B/librtpreload.so.$(SOVERSION)
	ln -sf $(<F) $@

# Everything but the interposed names: what unit tests link.
$B/libcore.a: $(filter-out $(ENTRY_OBJ) $(OWN_OBJ),$(PRELOAD_OBJ)) $(CORE_PIC)
	@rm -f $@
	ar rcs $@ $^

$B/rtmem: $(TOOL_OBJ)
	$(CC) $(SAN) $(LDFLAGS) -pie -Wl,-z,now -Wl,-z,relro -o $@ $(TOOL_OBJ) $(POLICY_A) -lncursesw -ltinfo -ldw -lelf -ldl \
		-lm

-include $(shell find $B -path $B/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
include $(PARTS)

clean: ## remove build/
	rm -rf $B
