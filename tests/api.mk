# Programs that call the native API are linked with the library, some of them in C++.
API_PROG := $(patsubst tests/prog/%.c,$B/prog/%,$(wildcard tests/prog/api_*.c tests/prog/compat_*.c))
API_CXX := $(patsubst tests/prog/%.cc,$B/prog/%,$(wildcard tests/prog/*.cc))

test-programs: $(API_CXX)

API_H := $(wildcard include/*.h include/*.hpp include/*/*.h) tests/prog/api_check.h

$(API_PROG): $(API_H) | $B/librtpreload.so
$B/prog/%: tests/prog/%.cc $(API_H) | $B/librtpreload.so
	@mkdir -p $(@D)
	$(CXX) -std=gnu++17 -Wall -Wextra -O1 -g -pthread -Iinclude $(call flags-of,cflags,$<) \
		-o $@ $< $(call flags-of,libs,$<)

# The library's own code under the undefined-behaviour sanitizer; the programs are the same.
# Without its check of alignment: the engine takes the heads of its lists for blocks.
.PHONY: check-ubsan
check-ubsan: all test-programs ## the native API and the other families under UBSan
	@$(MAKE) --no-print-directory B=$B/ubsan OPT='-O1 -g' lib \
		SAN='-fsanitize=undefined -fno-sanitize-recover=undefined -fno-sanitize=alignment'
	RTMEM_TEST_LIB=$(CURDIR)/$B/ubsan/librtpreload.so bats tests/api.bats tests/compat.bats
