# make lint: formatting, shell, manual pages, and the rules of the house that a grep can see.
LINT_C := $(shell find preload policy include tests bench -name '*.[ch]' 2>/dev/null)
LINT_SH := .ci/run $(shell find conf tests bench policy -name '*.sh' -o -name '*.bash' \
	-o -name '*.bats' 2>/dev/null)
LINT_MAN := $(wildcard man/*.[1-8])

.PHONY: lint lint-c lint-sh lint-man lint-house format
lint: lint-c lint-sh lint-man lint-house ## formatting, shellcheck, mandoc, rules of the house
lint-c: ## clang-format has nothing to change
	clang-format --dry-run -Werror $(LINT_C)
lint-sh: ## shellcheck has nothing to say
	shellcheck $(LINT_SH)
lint-man: ## mandoc has nothing to warn about
	$(if $(LINT_MAN),mandoc -T lint -W warning $(LINT_MAN))
lint-house: all ## rooms, sizes, names of the realtime path
	bats tests/house.bats
format: ## let clang-format rewrite the C files
	clang-format -i $(LINT_C)
