# make check: everything that can fail on its own, in one bounded run.
.PHONY: check
check: deps ## install what is missing, build, run every test; ends with "N passed, N failed"
	@rm -f $B/check.summary
	@$(MAKE) --no-print-directory all test-programs $B/bench/mixed $B/bench/throw
	@B=$B ./tests/run.sh
