# SPDX-License-Identifier: MIT
# table.awk - the demo's table from what bench/watch printed for the four runs
function pick(run, t)
{
	# realtime threads; where there can be none, the busiest that is not the first
	if (realtime == "yes" ? ($5 != "OTHER") : ($8 > best[run])) {
		t = realtime == "yes" ? ++n[run] : 1
		n[run] = t
		best[run] = $8
		for (i = 3; i <= NF; i++)
			f[run, t, i] = $i
	}
}
function us(ns) { return sprintf("%.1f us", ns / 1000) }
function mib(kib) { return sprintf("%.1f MiB", kib / 1024) }
function row(what, a, b) { printf "%-40s%20s%20s\n", what, a, b }
function rate(run, t) { return sprintf("%d/s", f[run, t, 8] / f[run, t, 7]) }
function calls(run, t, nr, s)
{
	for (nr in number)
		if ((run, nr) in made)
			s = s (s == "" ? "" : ", ") number[nr]
	return f[run, t, 13] (f[run, t, 13] && s != "" ? " (" s ")" : "")
}
BEGIN {
	split("9 mmap 10 mprotect 11 munmap 12 brk 25 mremap 28 madvise 202 futex", w, " ")
	for (i = 1; i in w; i += 2)
		number[w[i]] = w[i + 1]
}
$1 == "thread" { pick($2) }
$1 == "call" { made[$2, $3] = $4 }
$1 == "process" { vm[$2] = $3; locked[$2] = $4 }
END {
	if (!n["plain.time"] || !n["rtmem.time"] || !n["plain.count"] || !n["rtmem.count"])
		exit 1
	row("", "as it is", "with rtmem")
	for (t = 1; t <= n["plain.time"]; t++) {
		row("thread", f["plain.time", t, 3] " " f["plain.time", t, 4],
			f["rtmem.time", t, 3] " " f["rtmem.time", t, 4])
		row("scheduling", f["plain.time", t, 5] " " f["plain.time", t, 6],
			f["rtmem.time", t, 5] " " f["rtmem.time", t, 6])
		row("allocations", rate("plain.time", t), rate("rtmem.time", t))
		row("page faults in malloc and free", f["plain.count", t, 11],
			f["rtmem.count", t, 11])
		row("page faults of the thread in all", f["plain.count", t, 12],
			f["rtmem.count", t, 12])
		row("system calls in malloc and free", calls("plain.count", t),
			calls("rtmem.count", t))
		row("malloc, 99.9 % within", us(f["plain.time", t, 15]), us(f["rtmem.time", t, 15]))
		row("malloc, worst", us(f["plain.time", t, 16]), us(f["rtmem.time", t, 16]))
		row("free, 99.9 % within", us(f["plain.time", t, 18]), us(f["rtmem.time", t, 18]))
		row("free, worst", us(f["plain.time", t, 19]), us(f["rtmem.time", t, 19]))
	}
	row("locked in RAM by the allocator", "0",
		mib(locked["rtmem.time"] - locked["plain.time"]))
	row("what mlockall would lock instead", mib(vm["plain.time"]), mib(vm["rtmem.time"]))
}
