# Proofs of the engine: cases of misuse, fuzzing, coverage, Frama-C.
$B/prog/misuse_twice $B/prog/misuse_where: tests/prog/misuse.h tests/prog/victim.h

HEAP_SRC := $(wildcard preload/engine/heap*.c) preload/engine/parts.c
HEAP_HDR := $(wildcard preload/engine/heap*.h preload/engine/block.h preload/engine/parts.h)

$B/fuzz-heap: tests/fuzz/heap.c $(HEAP_SRC) $(HEAP_HDR)
	@mkdir -p $(@D)
	./conf/deps.sh $(FUZZ_DEPS)
	clang $(CSTD) -Wall -Wextra -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize=alignment -fno-sanitize-recover=all -D_GNU_SOURCE \
		-iquote preload -o $@ $< $(HEAP_SRC)
.PHONY: fuzz-heap
fuzz-heap: $B/fuzz-heap ## any bytes as operations of the engine, FUZZ_SECONDS=60
	@mkdir -p $B/corpus-heap
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=2000 -timeout=10 -artifact_prefix=$B/ \
		-print_final_stats=1 $B/corpus-heap

# Bounded and exhaustive: every size there can be, every arrangement of a few blocks.
PROOFS := $(patsubst tests/proof/%.c,$B/proof/%,$(wildcard tests/proof/*.c))
$(PROOFS): $B/proof/%: tests/proof/%.c $(HEAP_SRC) $(HEAP_HDR)
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(WARN) -O2 -D_GNU_SOURCE -iquote preload -o $@ $< $(HEAP_SRC)
test-programs: $(PROOFS)
.PHONY: check-proof
check-proof: $(PROOFS) ## size classes, list surgery, parts, exhaustively: seconds
	@set -e; for p in $(PROOFS); do timeout 120 $$p; done

# gcov is of gcc's package. Prints per file: lines, branches executed, branches taken, calls.
# Lines with a branch that went one way only go to $B/cov/branches.txt.
COVERED := $(addprefix engine/,heap heap_check heap_parts heap_resize heap_returned parts cache \
	cache_figures pool pool_trouble pool_own pools) os/lock
COV_OBJ := $(ENGINE_SRC:%.c=$B/cov/%.o)
COV_TESTS := $(ENGINE_TESTS) heap_formula pool_edges pool_misuse lock
COV_BIN := $(COV_TESTS:%=$B/cov/engine-%)
$B/cov/%.o: %.c $(ENGINE_HDR)
	@mkdir -p $(@D)
	$(ENGINE_CC) --coverage -c -o $@ $<
$B/cov/engine-%: tests/unit/%.c $(COV_OBJ)
	@mkdir -p $(@D)
	$(ENGINE_CC) -o $@ $^ --coverage -Wl,-u,__gcov_dump
.SECONDARY: $(COV_OBJ)
.PHONY: coverage
coverage: $(COV_BIN) ## lines of the engine that its unit tests reach, and those they do not
	@find $B/cov -name '*.gcda' -delete
	$B/cov/engine-heap 20001
	$B/cov/engine-heap_misuse
	$B/cov/engine-heap_damage
	$B/cov/engine-cache 20000
	$B/cov/engine-cache_short
	$B/cov/engine-cache_tag
	$B/cov/engine-parts
	$B/cov/engine-heap_formula
	$B/cov/engine-pool 20000
	$B/cov/engine-pool_heaps
	$B/cov/engine-pool_edges
	$B/cov/engine-pool_misuse
	MALLOC_DEBUG=1 $B/cov/engine-pool_heaps
	$B/cov/engine-lock
	@for d in os memory engine; do ln -sf $(CURDIR)/preload/$$d/*.[ch] $B/cov/preload/$$d/; done
	@cd $B/cov && gcov -b $(COVERED:%=preload/%.gcda) >summary.txt
	@for f in $(notdir $(COVERED)); do awk -v f=$$f.c 'index($$2, "/" f) { mine = 1 } \
		mine && /executed:|Taken/ { sub(/^[^:]*:/, ""); line = line "\t" $$0 } \
		/^$$/ { if (mine) print f line; mine = 0; line = "" }' $B/cov/summary.txt; done
	@cd $B/cov && awk -F: '/^branch/ { if (/never|taken 0%/ && at != said) { print said = at } } \
		!/^(branch|call|function|unconditional|----)/ { at = FILENAME ":" $$2 ":" $$3 }' \
		$(notdir $(COVERED:%=%.c.gcov)) >branches.txt; wc -l branches.txt
	@! grep -Hn '#####' $(addprefix $B/cov/,$(notdir $(COVERED:%=%.c.gcov))) | grep -vE '__builtin_unreachable\(\)|/\* a lost race \*/'
$B/prog/hostile $B/prog/debug_rules: tests/prog/victim.h
