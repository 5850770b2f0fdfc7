# make demo: a real program, before and after, without sound hardware.
.PHONY: demo
demo: deps-demo ## a real player plain and under the default policy, one table (under a minute)
	@$(MAKE) --no-print-directory -s all $B/bench/watch $B/bench/probe.so
	@B=$B ./bench/demo/run.sh
