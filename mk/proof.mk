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
