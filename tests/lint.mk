# make lint: formatting, shell, manual pages, and the rules of the house that a grep can see.
LINT_C := $(shell find preload policy include tests bench -name '*.[ch]' 2>/dev/null)
LINT_SH := .ci/run $(shell find conf tests bench policy -name '*.sh' -o -name '*.bash' \
	-o -name '*.bats' 2>/dev/null)
LINT_MAN := $(wildcard man/*.[1-8])

# Comments and documents.
LINT_WORDS := $(shell find preload policy include man conf -name '*.[chS1-9]' -o -name '*.hpp' \
	-o -name '*.conf' -o -name '*.md') README.md CONTRIBUTING.md CHANGELOG.md
# Words of mdoc, of Linux and of names that codespell takes for others.
LINT_KNOWN := nd,fo,stap,doas,siez,fro

.PHONY: lint lint-c lint-sh lint-man lint-words lint-house format
lint: lint-c lint-sh lint-man lint-words lint-house ## formatting, shellcheck, mandoc, words, rules of the house
lint-words: ## comments and pages are spelled, and use no word of tests/words.txt
	@codespell -q 3 -L $(LINT_KNOWN) $(LINT_WORDS) tests bench/*.c bench/*.sh
	@./tests/words.pl $(LINT_WORDS)
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
