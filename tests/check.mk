# make check: everything that can fail on its own, in one bounded run.
.PHONY: check
check: deps ## install what is missing, build, run every test; ends with "N passed, N failed"
	@rm -f $B/check.summary
	@$(MAKE) --no-print-directory all test-programs $B/bench/mixed $B/bench/throw
	@B=$B ./tests/run.sh

# Every machine is another one: the files that ask something of it, once for each thing that is
# taken away (tests/prog/without.c), and all of it beside another load. Each is bounded by run.sh.
MACHINE_1g := compat api
MACHINE_2m := compat api area
MACHINE_thp := compat api
MACHINE_io_uring := area compat api hostile survive stats
MACHINE_pts := doctor stats completion
MACHINE_cgroup := area hostile
MACHINE_shm := audit media
MACHINE_LACKS := 1g 2m thp io_uring pts cgroup shm
MACHINE_UNITS := area image area_fork

.PHONY: check-machine $(MACHINE_LACKS:%=check-without-%)
check-machine: $(MACHINE_LACKS:%=check-without-%) ## the tests on machines that lack 1 GiB pages, io_uring, terminals ...
$(MACHINE_LACKS:%=check-without-%): check-without-%: all test-programs $B/bench/mixed $B/bench/throw
	@echo "# without $*"
	@B=$B $B/prog/without $* ./tests/run.sh $(MACHINE_UNITS:%=$B/unit/%) $(MACHINE_$*:%=tests/%.bats)
