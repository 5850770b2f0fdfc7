# Benches of the families beside the native API: contiguous memory and recycled frames.
$B/bench/contiguous: bench/contiguous.c bench/common.c $B/librtpreload.so
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(BENCH_CFLAGS)) -Iinclude -o $@ bench/contiguous.c \
		bench/common.c -L$B -lrtpreload -lm
$B/bench/frames: bench/frames.c bench/common.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(BENCH_CFLAGS)) -Iinclude -o $@ bench/frames.c \
		bench/common.c -lm

.PHONY: bench-families
bench-families: bench-deps $B/bench/contiguous $B/bench/frames ## contiguous memory, and frames beside three allocators
	./bench/families.sh
