#!/bin/bash
# SPDX-License-Identifier: MIT
# site.sh - instructions of one call-site question, by callgrind: two runs of each mode, the
# difference divided by the difference of questions; and of one malloc/free pair under the
# library. Exact for a given compiler; no time is measured.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
few=1000
many=11000

count() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 |
		sed -n 's/.*Collected : //p'
}

per_question() {
	echo $((($(count "$B/bench/site" "$1" $many) - $(count "$B/bench/site" "$1" $few)) / (many - few)))
}

empty=$(per_question empty)
echo "# $(uname -srm), $(${CC:-cc} -dumpfullversion), make bench-site"
echo "instructions per question, beside a call that asks nothing ($empty with its 9 frames):"
while read -r mode text; do
	printf '  %5d  %s\n' $(($(per_question "$mode") - empty)) "$text"
done <<-END
	hit immediate caller, seen before (frame record of the entry point included)
	first immediate caller, new address
	walked rule with depth 8, remembered and verified word by word
	walk rule with depth 8, walked by cached recipes
END
