# SPDX-License-Identifier: MIT
# callgraph.awk - who refers to whom in a library, as `objdump -d --no-show-raw-insn` prints it
#
# Input: that. Output: one line "CALLER CALLEE" for each function that a function calls,
# jumps to or takes the address of, once. Pieces that the compiler made of a function
# (NAME.cold, NAME.part.0, NAME.constprop.0, NAME.isra.0) count as the function itself.
function whole(name) {
	sub(/\+0x[0-9a-f]+$/, "", name)
	sub(/@.*/, "", name)
	while (sub(/\.(cold|part|constprop|isra|localalias|lto_priv)(\.[0-9]+)*$/, "", name)) { }
	return name
}

/^[0-9a-f]+ <.*>:$/ {
	caller = $2
	gsub(/^<|>:$/, "", caller)
	caller = whole(caller)
	next
}

caller != "" && match($0, /<[^>]+>$/) {
	callee = whole(substr($0, RSTART + 1, RLENGTH - 2))
	if (callee != caller && !((caller, callee) in seen)) {
		seen[caller, callee] = 1
		print caller, callee
	}
}
