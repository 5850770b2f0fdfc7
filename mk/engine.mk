# The engine by itself (lock heap pool pools cache and what they stand on), so that it can be
# built with sanitizers, which a library that replaces malloc cannot.
ENGINE_SRC := $(wildcard preload/heap*.c preload/pool*.c preload/area*.c preload/lock.c \
	preload/cache.c preload/log.c preload/fds.c preload/sys.c)
ENGINE_TESTS := heap heap_misuse cache pool
ENGINE_CC = $(CC) $(CSTD) $(WARN) -O1 -g -pthread -D_GNU_SOURCE -Iinclude -iquote preload -I.

$B/asan/engine-%: tests/unit/%.c $(ENGINE_SRC)
	@mkdir -p $(@D)
	$(ENGINE_CC) -fsanitize=address,undefined -fno-sanitize=alignment \
		-fno-sanitize-recover=all -o $@ $^
$B/tsan/engine-%: tests/unit/%.c $(ENGINE_SRC)
	@mkdir -p $(@D)
	$(ENGINE_CC) -fsanitize=thread -Wno-tsan -o $@ $^

.PHONY: check-asan check-tsan check-model bench-bounds bench-fit
check-asan: $(ENGINE_TESTS:%=$B/asan/engine-%) ## the engine's unit tests under ASan and UBSan
	$B/asan/engine-heap 10000
	$B/asan/engine-heap_misuse
	$B/asan/engine-cache 30000
	$B/asan/engine-pool 60000
check-tsan: $B/tsan/engine-pool $B/tsan/engine-cache ## the engine's threads under TSan
	TSAN_OPTIONS=halt_on_error=1 $B/tsan/engine-cache 20000
	TSAN_OPTIONS=halt_on_error=1 $B/tsan/engine-pool 30000
