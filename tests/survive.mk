# Victims in C++, and the shared objects that victims load: tests/prog/lib/NAME.c.
SURVIVE_CXX := $(patsubst tests/prog/%.cc,$B/prog/%,$(wildcard tests/prog/cxx_*.cc))
SURVIVE_LIB := $(patsubst tests/prog/lib/%.c,$B/prog/lib/%.so,$(wildcard tests/prog/lib/*.c))

test-programs: $(SURVIVE_CXX) $(SURVIVE_LIB)

$(filter $B/prog/conform_% $B/prog/survive_% $B/prog/thread_%,$(PROG_BIN)): tests/prog/victim.h
$(SURVIVE_CXX): $B/prog/%: tests/prog/%.cc
	@mkdir -p $(@D)
	$(CXX) -std=gnu++17 -Wall -Wextra -O1 -g -fno-builtin -pthread -Iinclude \
		$(call flags-of,cflags,$<) -o $@ $< $(call flags-of,libs,$<)
$(SURVIVE_LIB): $B/prog/lib/%.so: tests/prog/lib/%.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) -Wall -Wextra -O1 -g -fno-builtin -fPIC -shared -pthread -D_GNU_SOURCE \
		$(call flags-of,cflags,$<) -o $@ $< $(call flags-of,libs,$<)

# Stands in front of the library with the names it is linked to have for itself.
$B/shim/front.def: $B/own.wrap
	@mkdir -p $(@D)
	sed 's/.*--wrap=//;/^dlsym$$/d;/^abort$$/d;/^_exit$$/d;s/.*/FRONT(&)/' $< >$@
$B/front.so: tests/shim/front.c $B/shim/front.def
	$(CC) $(CSTD) -O1 -g -fno-builtin -fPIC -shared -ftls-model=initial-exec -I$B/shim -o $@ $<
test-programs: $B/front.so
