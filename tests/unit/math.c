/* SPDX-License-Identifier: MIT */
/* math.c - log, exp and round of os/own_math.c beside those of libm */
#include "preload/os/own_math.c"

#include <stdbool.h>

#include "check.h"

static bool near(double got, double want)
{
	return got == want || fabs(got - want) <= 1e-14 * fabs(want);
}

static void logarithms(void)
{
	for (double x = 1e-307; x < 1e308; x *= 1.37)
		CHECK(near(__wrap_log(x), log(x)));
	for (double x = 1e-9; x < 1; x += 1e-5)
		CHECK(near(__wrap_log(x), log(x)));
	CHECK(__wrap_log(1) == 0 && near(__wrap_log(5e-324), log(5e-324)));
	CHECK(__wrap_log(0) == -HUGE_VAL && isnan(__wrap_log(-1)) &&
		isnan(__wrap_log(NAN)));
	CHECK(__wrap_log(HUGE_VAL) == HUGE_VAL);
}

static void exponentials(void)
{
	for (double x = -708; x < 709.7; x += 0.0137)
		CHECK(near(__wrap_exp(x), exp(x)));
	for (double x = -1; x < 1; x += 1e-5)
		CHECK(near(__wrap_exp(x), exp(x)));
	CHECK(__wrap_exp(0) == 1 && __wrap_exp(710) == HUGE_VAL && __wrap_exp(-746) == 0);
	CHECK(isnan(__wrap_exp(NAN)) && __wrap_exp(-HUGE_VAL) == 0);
}

static void roundings(void)
{
	static const double edge[] = {
		0, 0.5, 0.49999999999999994, 2.5, 1e15 + 0.5, 0x1p52, 1e300, HUGE_VAL};

	for (unsigned i = 0; i < sizeof(edge) / sizeof(*edge); i++) {
		CHECK(__wrap_round(edge[i]) == round(edge[i]));
		CHECK(__wrap_round(-edge[i]) == round(-edge[i]));
	}
	for (double x = -100; x < 100; x += 0.01)
		CHECK(__wrap_round(x) == round(x));
	CHECK(isnan(__wrap_round(NAN)));
}

int main(void)
{
	logarithms();
	exponentials();
	roundings();
	return failures != 0;
}
