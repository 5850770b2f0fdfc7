# SPDX-License-Identifier: MIT
# record.awk - a recording of bench/record.c, as `od -An -v -w32 -t u8` prints it, as a trace
#
#   awk -v from=SECONDS -v to=SECONDS -v title=TEXT -f record.awk EVENTS EVENTS
#
# Read twice: first to find the realtime thread that does most between `from` and `to`, then
# for what it does. bench/traces/README.md says what a trace is.
#
# The trace is a circle: a block that is freed in it but was allocated before it is, when
# one of its size is still alive at the end, that one. Other such frees are left out, and
# what is never freed is freed by the line "end:".
function bits(what, from, n) { return int(what / 2 ^ from) % 2 ^ n }
function emit(word) { out[++words] = word }

# A new line for what comes after a pause.
function at(us)
{
	if (words && us - last > 200) {
		emit("\n" (us - line_began) ":")
		line_began = us
	}
	if (!words) {
		emit("0:")
		line_began = us
	}
	last = us
}

function allocated(address, size, align)
{
	if (!inside) {
		before[address] = size
		return
	}
	emit(align > 4 ? size "@" 2 ^ align : size "")
	id[address] = allocs
	size_of[allocs++] = size
}

# mark: "-" by the thread itself, "~" by another one
function freed(address, mark)
{
	if (address in id) {
		emit(mark (allocs - id[address]))
		delete id[address]
	} else if (inside) { # of before: see finish()
		emit("")
		orphan[++orphans] = words
		orphan_size[orphans] = before[address]
		orphan_at[orphans] = allocs
		orphan_mark[orphans] = mark
	}
	delete before[address]
}

# The blocks that are alive at the end, oldest first, by size.
function survivors(    a, n, i, alive)
{
	for (a in id)
		alive[id[a]]
	for (i = 0; i < allocs; i++)
		if (i in alive) {
			n = ++queue_end[size_of[i]]
			queue[size_of[i], n] = i
		}
}

function finish(    i, s, n, kept_of, a, j)
{
	survivors()
	for (i = 1; i <= orphans; i++) {
		s = orphan_size[i]
		if (queue_at[s] + 0 < queue_end[s] + 0) {
			n = queue[s, ++queue_at[s]]
			out[orphan[i]] = orphan_mark[i] (orphan_at[i] + allocs - n)
		} else {
			left_out++
		}
	}
	emit("\nend:")
	for (s in queue_end)
		for (j = queue_at[s] + 1; j <= queue_end[s]; j++) {
			emit("-" (allocs - queue[s, j]))
			at_end++
		}
	for (a in before)
		kept_of[before[a]]++
	printf "# %s\n# %d allocations in %.1f s, %d of them never freed; ", title, allocs,
		(last - first) / 1e6, at_end
	printf "frees of older blocks left out: %d\n", left_out
	for (s in kept_of)
		printf "k %d %d\n", s, kept_of[s] | "sort -n -k 2"
	close("sort -n -k 2")
	for (i = 1; i <= words; i++)
		if (out[i] != "")
			printf "%s%s", substr(out[i], 1, 1) == "\n" || i == 1 ? "" : " ", out[i]
	print ""
}

{
	us = int($1 / 1000)
	in_time = us >= from * 1e6 && us < to * 1e6
	tid = bits($4, 16, 32)
	realtime = bits($4, 4, 1)
	alloc = bits($4, 0, 4) == 1
}
NR == FNR {
	if (in_time && realtime && ++calls[tid] > most) {
		most = calls[tid]
		best = tid
	}
	next
}
!first && in_time { first = us }
{
	inside = in_time
	mine = tid == best && realtime
}
in_time && mine { at(us) }
us >= to * 1e6 { exit }
alloc && mine { allocated($2, $3, bits($4, 8, 8)) }
# what had this address was freed by one who is not recorded
alloc && !mine { delete before[$2]; delete id[$2] }
!alloc && (($2 in before) || ($2 in id)) { freed($2, mine ? "-" : "~"); next }
!alloc && mine && in_time { emit("!" $3) }
END { if (best) finish() }
