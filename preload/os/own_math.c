/* SPDX-License-Identifier: MIT */
/*
 * own_math.c - what jemalloc's heap profiler computes (see own.c)
 *
 * libm is a library more in every program's start, for three functions that run only when
 * MALLOC_CONF asks for profiles. These are right to 1e-14 of the value, which is more
 * than the draw of a sample needs. Never sets errno. Bound: the terms of a series.
 */
#include <math.h>
#include <stdint.h>

double __wrap_log(double x);
double __wrap_exp(double x);
double __wrap_round(double x);

#define LN2_HIGH 0x1.62e42fee00000p-1 /* its last bits are 0: times a small integer */
#define LN2_LOW	 0x1.a39ef35793c76p-33
#define LOG_LAST 25 /* the last term's divisor; below 0.03^12 / 25 */
#define EXP_LAST 14 /* below 0.35^15 / 15! */

/* x = m * 2^e with sqrt(1/2) <= m < sqrt(2); log m = 2 * artanh((m - 1) / (m + 1)). */
double __wrap_log(double x)
{
	double m, s, sum = 0;
	int e;

	if (!(x > 0))
		return x == 0 ? -HUGE_VAL : NAN;
	if (x > 0x1.fffffffffffffp1023)
		return x;
	m = frexp(x, &e);
	if (m < M_SQRT1_2) {
		m *= 2;
		e--;
	}
	s = (m - 1) / (m + 1);
	for (int n = LOG_LAST; n > 0; n -= 2)
		sum = sum * s * s + 2.0 / n;
	return e * LN2_HIGH + (e * LN2_LOW + s * sum);
}

/* x = k * log 2 + r with |r| <= log(2) / 2. */
double __wrap_exp(double x)
{
	double r, sum = 1;
	int k;

	if (!(x > -745.2 && x < 709.79))
		return x > 0 ? HUGE_VAL : x < 0 ? 0 : x;
	k = (int)(x * M_LOG2E + (x < 0 ? -0.5 : 0.5));
	r = x - k * LN2_HIGH - k * LN2_LOW;
	for (int n = EXP_LAST; n > 0; n--)
		sum = 1 + sum * r / n;
	return ldexp(sum, k);
}

/* Half away from zero. */
double __wrap_round(double x)
{
	double whole;

	if (!(x > -0x1p52 && x < 0x1p52))
		return x;
	whole = (double)(int64_t)x;
	if (x - whole >= 0.5)
		return whole + 1;
	return x - whole <= -0.5 ? whole - 1 : whole;
}
