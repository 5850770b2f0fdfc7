// SPDX-License-Identifier: MIT
// throw.cc - throw run DEPTH COUNT: COUNT exceptions through DEPTH frames that have something
// to destroy, each caught; for counting instructions (bench/instructions.sh)
#include <cstdio>
#include <cstdlib>
#include <cstring>

struct guard {
	volatile int &left;
	~guard()
	{
		left = left - 1;
	}
};

static volatile int left;

[[gnu::noinline]] static int deep(int n)
{
	left = left + 1;
	guard g{left};

	if (n <= 1)
		throw n;
	return deep(n - 1) + 1;
}

int main(int argc, char **argv)
{
	int depth, caught = 0;
	long count;

	if (argc != 4 || strcmp(argv[1], "run") != 0) {
		fputs("usage: throw run DEPTH COUNT\n", stderr);
		return 2;
	}
	depth = atoi(argv[2]);
	count = atol(argv[3]);
	for (long i = 0; i < count; i++) {
		try {
			deep(depth);
		} catch (int n) {
			caught += n == 1;
		}
	}
	return caught == count && left == 0 ? 0 : 1;
}
