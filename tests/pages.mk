# Pages of others: the tool under sanitizers, and a fuzzer for what it reads.
TOOL_HDR := $(wildcard policy/*/*.h include/*.h) policy/model/keys.def policy/audit/audit_page.html

# A minute; the objects are its own.
$B/asan/rtmem: $(TOOL_SRC) $(CORE_SRC) $(TOOL_HDR)
	@$(MAKE) --no-print-directory B=$B/asan OPT='-O1 -g' SAN='$(SANITIZE)' tool
.PHONY: tool-asan
tool-asan: $B/asan/rtmem ## the tool under ASan and UBSan, as tests/pages.bats runs it
ifneq ($(notdir $B),asan)
test-programs: $B/asan/rtmem
endif

$B/fuzz-page: tests/fuzz/page.c $B/libcxxname.a $(TOOL_SRC) $(CORE_SRC) $(TOOL_HDR)
	@mkdir -p $(@D)
	./conf/deps.sh $(FUZZ_DEPS)
	clang $(CSTD) -Wall -Wextra -Wno-missing-field-initializers -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -D_GNU_SOURCE -DRTMEM_VERSION='"$(VERSION)"' \
		-DRTMEM_SONAME='""' -DRTMEM_MULTIARCH='""' -Iinclude -I. \
		-o $@ $< $(TOOL_SRC) $(CORE_SRC) $(POLICY_A) -Dmain=rtmem_main \
		-lncursesw -ltinfo -ldw -lelf -ldl -lm
.PHONY: fuzz-page
fuzz-page: $B/fuzz-page ## any bytes as a statistics page or an audit, FUZZ_SECONDS=60
	@mkdir -p $B/corpus-page
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=2000 -timeout=10 -artifact_prefix=$B/ \
		-print_final_stats=1 $B/corpus-page
