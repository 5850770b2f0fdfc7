# Objects that the call-site tests load: one source in several shapes.
SITE_SHAPES := O0 O1fp O2 O3 stripped cxx
SITE_SO := $(SITE_SHAPES:%=$B/prog/site_stack_%.so)
SITE_SRC := tests/prog/site_stack.c

$B/prog/site_stack_O0.so: SITE_FLAGS := -O0 -fno-omit-frame-pointer
$B/prog/site_stack_O1fp.so: SITE_FLAGS := -O1 -fno-omit-frame-pointer
$B/prog/site_stack_O2.so: SITE_FLAGS := -O2 -fomit-frame-pointer
$B/prog/site_stack_O3.so: SITE_FLAGS := -O3 -fomit-frame-pointer -fno-optimize-sibling-calls
$B/prog/site_stack_stripped.so: SITE_FLAGS := -O2 -s
$B/prog/site_stack_cxx.so: SITE_FLAGS := -O2 -x c++
$B/prog/site_stack_cxx.so: SITE_LIBS := -lstdc++
$(SITE_SO): $(SITE_SRC)
	@mkdir -p $(@D)
	$(CC) -shared -fPIC -g -fvisibility=hidden -D_GNU_SOURCE $(SITE_FLAGS) -o $@ $< -x none $(SITE_LIBS)

test-programs: $(SITE_SO)

# Two objects of one layout that differ in a function's name only.
SITE_PLUGS := $B/prog/site_plug_one.so $B/prog/site_plug_two.so
$B/prog/site_plug_%.so: tests/prog/site_plug.c
	@mkdir -p $(@D)
	$(CC) -shared -fPIC -O1 -g -DPLUG=plug_$* -o $@ $<
test-programs: $(SITE_PLUGS)

# Compares walks with libunwind inside real programs.
$B/site_shim.so: tests/shim/site_shim.c $B/libcore.a $B/libje.a
	$(CC) $(CFLAGS_ALL) -fPIC -ftls-model=initial-exec -shared -iquote preload -o $@ $< \
		-Wl,--start-group $B/libcore.a $B/libje.a -Wl,--end-group $(POLICY_A) -lunwind
test-programs: $B/site_shim.so

.PHONY: bench-site
bench-site: $B/bench/site $B/bench/site_pair $B/bench/site_pair_fp lib ## what a call-site rule costs, into bench/results/site.txt
	@mkdir -p bench/results
	./bench/site.sh | tee bench/results/site.txt
$B/bench/site_pair: SITE_FRAME := -fomit-frame-pointer
$B/bench/site_pair_fp: SITE_FRAME := -fno-omit-frame-pointer
$B/bench/site_pair $B/bench/site_pair_fp: bench/site_pair.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(WARN) -O2 -g $(SITE_FRAME) -fno-optimize-sibling-calls -pthread \
		-fno-builtin -D_GNU_SOURCE -o $@ $<
$B/bench/site: bench/site.c $B/libcore.a $B/libje.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -iquote preload -fno-omit-frame-pointer -fno-optimize-sibling-calls -o $@ $< \
		-Wl,--start-group $B/libcore.a $B/libje.a -Wl,--end-group -lm

.PHONY: bench-unwind
bench-unwind: $B/bench/unwind ## what taking a stack does to a thread, into bench/results/unwind.txt
	@mkdir -p bench/results
	{ echo "# make bench-unwind; $$(uname -sr), $$(dpkg-query -W -f '$${Package} $${Version} ' libc6 libunwind8)"; \
	printf '%-10s %8s %12s %12s %12s\n' walker faults "first, us" "later, us" "blocked, ms"; \
	for w in ours libunwind glibc; do $B/bench/unwind $$w; done; } | tee bench/results/unwind.txt
$B/bench/unwind: bench/unwind.c $B/libcore.a $B/libje.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -iquote preload -fno-optimize-sibling-calls -o $@ $< \
		-Wl,--start-group $B/libcore.a $B/libje.a -Wl,--end-group -lm
