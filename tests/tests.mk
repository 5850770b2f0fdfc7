# Test programs: tests/unit/NAME.c links the core, tests/prog/NAME.c is a plain program.
UNIT_SRC := $(wildcard tests/unit/*.c)
PROG_SRC := $(wildcard tests/prog/*.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$B/unit/%)
PROG_BIN := $(PROG_SRC:tests/prog/%.c=$B/prog/%)

# A program's extra flags stand in its source: a line "/* cflags: … */" or "/* libs: … */".
flags-of = $(shell sed -n 's,^/\* $(1): \(.*\) \*/$$,\1,p' $(2))

$B/unit/%: tests/unit/%.c $B/libcore.a $B/libje.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(call flags-of,cflags,$<) -iquote preload -o $@ $< $B/libcore.a \
		$B/libje.a $(POLICY_A) $(call flags-of,libs,$<) -lpthread -ldl -lm
$B/prog/%: tests/prog/%.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) -Wall -Wextra -O1 -g -fno-builtin -pthread -D_GNU_SOURCE -Iinclude \
		$(call flags-of,cflags,$<) -o $@ $< $(call flags-of,libs,$<)

.PHONY: test-programs
test-programs: $(UNIT_BIN) $(PROG_BIN) ## compile everything the tests run
