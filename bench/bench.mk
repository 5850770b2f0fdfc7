# Benches and the probe: bench/NAME.c is one program; nothing here is part of the product.
BENCH_CFLAGS := $(CSTD) $(WARN) -O2 -g -pthread -D_GNU_SOURCE -fno-builtin -Ibench -Iinclude -MMD -MP

$B/bench/probe.so: bench/probe.c bench/trap.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_CFLAGS) -fPIC -ftls-model=initial-exec -fvisibility=hidden -shared \
		-o $@ bench/probe.c bench/trap.c -ldl
$B/bench/%.o: bench/%.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_CFLAGS) -c -o $@ $<
$B/bench/watch: $B/bench/watch.o $B/bench/trap.o
	$(CC) -o $@ $^

# The recorder of bench/record.sh.
$B/bench/record.so: bench/record.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_CFLAGS) -fPIC -ftls-model=initial-exec -fvisibility=hidden -shared -o $@ $<

BENCH_PROGRAMS := pair mixed trace larson prodcons cpu contended replay
$(BENCH_PROGRAMS:%=$B/bench/%): $B/bench/%: $B/bench/%.o $B/bench/common.o $B/bench/trap.o \
		$B/bench/floor.o $B/bench/bare.o
	$(CC) -Wl,-z,now -pthread -o $@ $^ -lm

$B/bench/contended: $B/bench/contended_mix.o
$B/bench/replay: $B/bench/replay_read.o

# A program's exceptions, with the library in it.
$B/bench/throw: bench/throw.cc
	@mkdir -p $(@D)
	$(CXX) -std=gnu++17 -Wall -Wextra -Werror -O2 -g -o $@ $<

BENCH_PARTS := pair instructions throw mixed trace replay contended larson prodcons start
.PHONY: bench bench-programs bench-deps $(BENCH_PARTS:%=bench-%)
bench: bench-programs ## all benches beside their peers, about 10 minutes, into bench/results/
	./bench/run.sh $(BENCH_PARTS)
	./bench/summary.sh

# Packages of the players; a trace is made once, and again when a player changes.
RECORD_DEPS := chuck ffmpeg hydrogen jackd2 puredata-core vlc-bin vlc-plugin-base xvfb yoshimi
.PHONY: record
record: ## what players' realtime threads allocate, into bench/traces/ (about a minute)
	@./conf/deps.sh $(sort $(BUILD_DEPS) $(RECORD_DEPS))
	@$(MAKE) --no-print-directory $B/bench/record.so
	@B=$B ./bench/record.sh
bench-deps:
	./conf/deps.sh $(sort $(BUILD_DEPS) $(BENCH_DEPS))
bench-programs: bench-deps
	@$(MAKE) --no-print-directory all $(BENCH_PROGRAMS:%=$B/bench/%) $B/bench/throw
$(BENCH_PARTS:%=bench-%): bench-%: bench-programs
	./bench/run.sh $*
