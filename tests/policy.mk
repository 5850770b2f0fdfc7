# Checks of policy/ that need a sanitizer or a fuzzer.
POLICY_UNITS := units glob match parse parse_errors parse_memory find
POLICY_ASAN := $(POLICY_UNITS:%=$B/asan/unit-%)
POLICY_ASAN_OBJ := $(CORE_SRC:%.c=$B/asan/%.o)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_SECONDS ?= 60

$B/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -O1 $(SANITIZE) -c -o $@ $<
$B/asan/unit-%: tests/unit/%.c $(POLICY_ASAN_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -O1 $(SANITIZE) -I. -o $@ $< $(POLICY_ASAN_OBJ) $(POLICY_A) \
		$(call flags-of,libs,$<)
$B/fuzz-policy: tests/fuzz/policy.c $B/libcxxname.a $(CORE_SRC) $(wildcard policy/*/*.h) policy/model/keys.def
	@mkdir -p $(@D)
	./conf/deps.sh $(FUZZ_DEPS)
	clang $(CSTD) -Wall -Wextra -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -D_GNU_SOURCE -I. -o $@ $< $(CORE_SRC) $(POLICY_A)

.PHONY: check-policy-asan fuzz-policy
check-policy-asan: $(POLICY_ASAN) ## unit tests of the policy under ASan, UBSan and LeakSanitizer
	@set -e; for t in $(POLICY_ASAN); do echo $$t; timeout 120 $$t; done
fuzz-policy: $B/fuzz-policy ## any bytes as a policy file, FUZZ_SECONDS=60
	@mkdir -p $B/corpus-policy
	cp conf/*.conf $(wildcard conf/examples/*.conf) $B/corpus-policy/
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -dict=tests/fuzz/policy.dict \
		-print_final_stats=1 $B/corpus-policy
