# Proofs of the engine: cases of misuse, fuzzing, coverage, Frama-C.
$B/prog/misuse_twice $B/prog/misuse_where: tests/prog/misuse.h tests/prog/victim.h

HEAP_SRC := $(wildcard preload/heap*.c)
HEAP_HDR := $(wildcard preload/heap*.h)

$B/fuzz-heap: tests/fuzz/heap.c $(HEAP_SRC) $(HEAP_HDR)
	@mkdir -p $(@D)
	./mk/deps.sh $(FUZZ_DEPS)
	clang $(CSTD) -Wall -Wextra -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize=alignment -fno-sanitize-recover=all -D_GNU_SOURCE \
		-iquote preload -o $@ $< $(HEAP_SRC)
.PHONY: fuzz-heap
fuzz-heap: $B/fuzz-heap ## any bytes as operations of the engine, FUZZ_SECONDS=60
	@mkdir -p $B/corpus-heap
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=2000 -timeout=10 \
		-print_final_stats=1 $B/corpus-heap

# Bounded and exhaustive: every size there can be, every arrangement of a few blocks.
PROOFS := $(patsubst tests/proof/%.c,$B/proof/%,$(wildcard tests/proof/*.c))
$(PROOFS): $B/proof/%: tests/proof/%.c $(HEAP_HDR)
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(WARN) -O2 -D_GNU_SOURCE -iquote preload -o $@ $<
test-programs: $(PROOFS)
.PHONY: check-proof
check-proof: $(PROOFS) ## size classes and list surgery, exhaustively: seconds
	@set -e; for p in $(PROOFS); do timeout 120 $$p; done
