# Programs that call the native API are linked with the library, some of them in C++.
API_PROG := $(patsubst tests/prog/%.c,$B/prog/%,$(wildcard tests/prog/api_*.c tests/prog/compat_*.c))
API_CXX := $(patsubst tests/prog/%.cc,$B/prog/%,$(wildcard tests/prog/*.cc))

test-programs: $(API_CXX)

API_H := $(wildcard include/*.h include/*/*.h) tests/prog/api_check.h

$(API_PROG): $(API_H) | $B/librtpreload.so
$B/prog/%: tests/prog/%.cc $(API_H) | $B/librtpreload.so
	@mkdir -p $(@D)
	$(CXX) -std=gnu++17 -Wall -Wextra -O1 -g -pthread -Iinclude $(call flags-of,cflags,$<) \
		-o $@ $< $(call flags-of,libs,$<)
