# Programs that call the native API are linked with the library, some of them in C++.
API_PROG := $(patsubst tests/prog/%.c,$B/prog/%,$(wildcard tests/prog/api_*.c \
	tests/prog/caller_*.c tests/prog/compat_*.c))
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

# The families and the tags in programs that have the library's objects, but for its malloc,
# inside: so under ASan as well, which has to be malloc itself.
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all
ASAN_PROG := compat_osmalloc compat_intime compat_cmmemorypool compat_area_malloc compat_all \
	compat_bad compat_coremedia compat_rthandle
ASAN_PART := $B/asan/libcore.a $B/asan/pic/preload/entry/init.o $B/asan/libje.a

.PHONY: check-families-asan
check-families-asan: ## the other families under ASan and UBSan, three minutes at most
	@$(MAKE) --no-print-directory B=$B/asan OPT='-O1 -g' SAN='$(ASAN_FLAGS)' $(ASAN_PART)
	@set -e; for p in $(ASAN_PROG); do \
		$(CC) $(CSTD) -O1 -g -fno-builtin -pthread -D_GNU_SOURCE -Iinclude $(ASAN_FLAGS) \
			-o $B/asan/$$p tests/prog/$$p.c $B/asan/pic/preload/entry/init.o \
			-Wl,--start-group $B/asan/libcore.a $B/asan/libje.a -Wl,--end-group \
			$(POLICY_A) -ldl -lm; \
		echo "$$p"; RTMEM_CONF= timeout 30 $B/asan/$$p </dev/null; done
