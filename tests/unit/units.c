/* SPDX-License-Identifier: MIT */
/*
 * units.c - sizes, times, numbers and ranges: what they mean, what is refused, and that
 * printing and parsing are inverse
 */
#include "policy/model/units.h"

#include "expect.h"

#define WRONG UINT64_C(0xbad)
#define K     UINT64_C(1024)
#define MS    UINT64_C(1000000)

static const struct {
	const char *text;
	uint64_t size, time, count;
} numbers[] = {
	{"0", 0, 0, 0},
	{"1", 1, WRONG, 1},
	{"4096", 4096, WRONG, 4096},
	{"64K", 64 * K, WRONG, WRONG},
	{"64k", 64 * K, WRONG, WRONG},
	{"4M", 4 * K *K, WRONG, WRONG},
	{"1G", K *K *K, WRONG, WRONG},
	{"1T", WRONG, WRONG, WRONG},
	{"4MB", WRONG, WRONG, WRONG},
	{"4MiB", WRONG, WRONG, WRONG},
	{"M", WRONG, WRONG, WRONG},
	{"", WRONG, WRONG, WRONG},
	{"-1", WRONG, WRONG, WRONG},
	{"+1", WRONG, WRONG, WRONG},
	{" 1", WRONG, WRONG, WRONG},
	{"1 ", WRONG, WRONG, WRONG},
	{"0x10", WRONG, WRONG, WRONG},
	{"1.5M", WRONG, WRONG, WRONG},
	{"18446744073709551615", UINT64_MAX, WRONG, UINT64_MAX},
	{"18446744073709551616", WRONG, WRONG, WRONG},
	{"99999999999999999999999999", WRONG, WRONG, WRONG},
	{"17179869183G", UINT64_C(17179869183) << 30, WRONG, WRONG},
	{"17179869184G", WRONG, WRONG, WRONG},
	{"20ms", WRONG, 20 * MS, WRONG},
	{"0.5s", WRONG, 500 * MS, WRONG},
	{"1.25s", WRONG, 1250 * MS, WRONG},
	{"0.000001ms", WRONG, 1, WRONG},
	{"0.0000001ms", WRONG, WRONG, WRONG},
	{"2s", WRONG, 2000 * MS, WRONG},
	{".5s", WRONG, WRONG, WRONG},
	{"5.s", WRONG, WRONG, WRONG},
	{"s", WRONG, WRONG, WRONG},
	{"ms", WRONG, WRONG, WRONG},
	{"1 s", WRONG, WRONG, WRONG},
	{"1e3s", WRONG, WRONG, WRONG},
	{"5min", WRONG, WRONG, WRONG},
	{"18446744074s", WRONG, WRONG, WRONG},
	{"18446744073.999s", WRONG, WRONG, WRONG},
};

static void number(
	const char *what, const char *text, units_parser *parse, uint64_t wanted)
{
	uint64_t v = 0;
	const char *wrong = parse(text, strlen(text), &v);

	if (wanted == WRONG)
		expect(wrong != NULL, "%s '%s' is taken as %lu", what, text, v);
	else
		expect(wrong == NULL && v == wanted, "%s '%s': %lu (%s)", what, text, v,
			wrong != NULL ? wrong : "ok");
}

static const struct {
	const char *text;
	bool ok;
	uint64_t lo, hi;
} ranges[] = {
	{"16..64K", true, 16, 64 * K},
	{"64K", true, 64 * K, 64 * K},
	{"..64K", true, 0, 64 * K},
	{"4K..", true, 4 * K, UINT64_MAX},
	{"0..0", true, 0, 0},
	{"..", false, 0, 0},
	{"", false, 0, 0},
	{"5..4", false, 0, 0},
	{"1..2..3", false, 0, 0},
	{"1...3", false, 0, 0},
	{"1-3", false, 0, 0},
	{"1 .. 3", false, 0, 0},
	{"a..b", false, 0, 0},
	{"1..18446744073709551616", false, 0, 0},
};

static void print_and_parse(uint64_t v)
{
	char buf[UNITS_PRINT_MAX];

	number("count", units_print_count(v, buf), units_count, v);
	number("size", units_print_size(v, buf), units_size, v);
	number("time", units_print_time(v, buf), units_time, v);
}

int main(void)
{
	static const char words[] = "require try no";

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		number("size", numbers[i].text, units_size, numbers[i].size);
		number("time", numbers[i].text, units_time, numbers[i].time);
		number("count", numbers[i].text, units_count, numbers[i].count);
	}
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const char *text = ranges[i].text;
		uint64_t lo, hi;
		bool ok = units_range(text, strlen(text), units_size, &lo, &hi) == NULL;

		expect(ok == ranges[i].ok &&
				(!ok || (lo == ranges[i].lo && hi == ranges[i].hi)),
			"range '%s'", text);
	}
	for (int shift = 0; shift < 64; shift++) {
		print_and_parse(UINT64_C(1) << shift);
		print_and_parse((UINT64_C(1) << shift) - 1);
		print_and_parse((UINT64_C(1) << shift) / 1000 * 1000);
	}
	print_and_parse(UINT64_MAX);
	expect(units_word(words, "require", 7) == 0, "first word");
	expect(units_word(words, "no", 2) == 2, "last word");
	expect(units_word(words, "n", 1) == -1, "part of a word");
	expect(units_word(words, "try no", 6) == -1, "two words");
	expect(units_word(words, "", 0) == -1, "no word");
	return expected();
}
