# The engine by itself (lock parts heap pool pools cache and what they stand on), so that it can be
# built with sanitizers, which a library that replaces malloc cannot.
ENGINE_SRC := $(wildcard preload/engine/[!r]*.c preload/memory/area*.c) \
	$(addprefix preload/os/,lock.c mutex.c log.c fd_table.c sys.c proc.c debug.c) $(addprefix policy/model/,room.c format.c printable.c)
ENGINE_TESTS := parts heap heap_misuse heap_damage cache cache_short cache_tag pool pool_heaps
ENGINE_CC = $(CC) $(CSTD) $(WARN) -O1 -g -pthread -D_GNU_SOURCE -Iinclude -iquote preload -I.

ENGINE_HDR := $(wildcard preload/*/*.h tests/unit/*.h) policy/model/room.h

$B/asan/engine-%: tests/unit/%.c $(ENGINE_SRC) $(ENGINE_HDR)
	@mkdir -p $(@D)
	$(ENGINE_CC) -fsanitize=address,undefined -fno-sanitize=alignment \
		-fno-sanitize-recover=all -o $@ $(filter %.c,$^)
$B/tsan/engine-%: tests/unit/%.c $(ENGINE_SRC) $(ENGINE_HDR)
	@mkdir -p $(@D)
	$(ENGINE_CC) -fsanitize=thread -Wno-tsan -o $@ $(filter %.c,$^)

.PHONY: check-asan check-tsan check-model bench-bounds
check-asan: $(ENGINE_TESTS:%=$B/asan/engine-%) ## the engine's unit tests under ASan and UBSan
	$B/asan/engine-parts 30000
	$B/asan/engine-heap 4000
	$B/asan/engine-heap_misuse
	$B/asan/engine-heap_damage
	$B/asan/engine-cache 30000
	$B/asan/engine-cache_short
	$B/asan/engine-cache_tag 30000
	$B/asan/engine-pool 60000
	$B/asan/engine-pool_heaps
check-tsan: $B/tsan/engine-parts $B/tsan/engine-pool $B/tsan/engine-cache ## the engine's threads under TSan
	TSAN_OPTIONS=halt_on_error=1 $B/tsan/engine-parts 30000
	TSAN_OPTIONS=halt_on_error=1 $B/tsan/engine-cache 20000
	TSAN_OPTIONS=halt_on_error=1 $B/tsan/engine-pool 30000

# spin writes pan.[chmtb] where it stands.
check-model: ## the protocols of tests/model/*.pml, every interleaving
	@./conf/deps.sh $(MODEL_DEPS)
	@set -e; for m in $(abspath $(wildcard tests/model/*.pml)); do \
		rm -rf $B/model; mkdir -p $B/model; cd $B/model; echo "$${m##*/}"; \
		spin -a "$$m" >spin.out; $(CC) -O2 -DSAFETY -o pan pan.c; \
		timeout 120 ./pan -m1000000 >pan.out; cd $(CURDIR); \
		grep -E 'errors:|states, stored' $B/model/pan.out; \
		grep -q 'errors: 0' $B/model/pan.out; \
		! grep -q 'not completed' $B/model/pan.out; done

$B/bench/bounds: bench/bounds.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_CFLAGS) -o $@ $<
# Fails when a figure is above what the table states; `make bench-bounds-keep` notes new ones
# below that line, which is changed by hand, with the manual.
BOUNDS = RTMEM_CONF=$(1) LD_PRELOAD=$(CURDIR)/$B/librtpreload.so \
	taskset -c 0 $B/bench/bounds
test-programs: $B/bench/bounds $B/bench/fit
.PHONY: bench-bounds-keep
bench-bounds: lib $B/bench/bounds $B/bounds-full.conf ## the most instructions of one malloc and one free, a minute
	@$(call BOUNDS,bench/bounds.conf) bench/results/bounds.txt
	@$(call BOUNDS,$B/bounds-full.conf) bench/results/bounds-full.txt
bench-bounds-keep: lib $B/bench/bounds $B/bounds-full.conf
	@mkdir -p bench/results
	{ $(call BOUNDS,bench/bounds.conf); grep '^stated' bench/results/bounds.txt; } >$B/bounds.new && \
		mv $B/bounds.new bench/results/bounds.txt
	{ $(call BOUNDS,$B/bounds-full.conf); grep '^stated' bench/results/bounds-full.txt; } >$B/bounds.new && \
		mv $B/bounds.new bench/results/bounds-full.txt
$B/bounds-full.conf: bench/bounds.conf
	@mkdir -p $(@D)
	sed 's/^size = .*/size = 8M/' $< >$@

$B/bench/fit: bench/fit.c $(ENGINE_SRC) $(ENGINE_HDR)
	@mkdir -p $(@D)
	$(ENGINE_CC) -O2 -o $@ $(filter %.c,$^)
.PHONY: bench-fit
bench-fit: $B/bench/fit ## live bytes / smallest pool that never fails, by mix of sizes
	@mkdir -p bench/results
	@$< | tee bench/results/fit.txt
