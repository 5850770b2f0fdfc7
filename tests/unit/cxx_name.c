/* SPDX-License-Identifier: MIT */
/*
 * cxx_name.c - which globs a C++ function answers to, and which not; that what is said to
 * be unlikely never matches
 */
#include "policy/model/cxx_name.h"

#include "check.h"

static const struct {
	const char *linkers, *names[6], *not [4];
} function[] = {
	{"_ZN3Foo3barEi", {"bar", "Foo::bar", "Foo::bar(int)", "Foo::*", "b?r"},
		{"Foo", "ba", "Foo::bar()", "Foo::baz"}},
	{"_ZL3ownv", {"own", "own()", "o*"}, {"wn", "Own"}},
	{"_ZN12_GLOBAL__N_13ownEv", {"own", "(anonymous namespace)::own", "*::own"},
		{"namespace"}},
	{"_ZNSt6vectorIiSaIiEE9push_backERKi",
		{"push_back", "std::vector<int, std::allocator<int> >::push_back",
			"std::vector<*>::push_back", "*::push_back*"},
		{"vector", "std::vector"}},
	{"_Z3fooIiEvT_", {"foo", "foo<int>", "void foo<int>(int)", "foo<*>"},
		{"void", "void foo"}},
	{"_ZNK3FooclEii", {"operator()", "Foo::operator()"}, {"Foo"}},
	{"_ZN3FooltERKS_", {"operator<", "Foo::operator<"}, {"operator"}},
	{"_ZN3FoocvbEv", {"operator bool", "Foo::operator bool"}, {"bool"}},
	{"_ZN3FooC2Ev", {"Foo", "Foo::Foo", "Foo::Foo()"}, {"Foo::~Foo"}},
	{"_ZN3FooD0Ev", {"~Foo", "Foo::~Foo"}, {"Foo", "Foo::Foo"}},
	{"_ZZ4mainENKUlvE_clEv", {"operator()", "main::{lambda()#1}::operator()"},
		{"main"}},
	{"_ZN3a_b3c_dEPFviE", {"c_d", "a_b::c_d", "a_b::c_d(void (*)(int))"}, {"a_b"}},
};

static void answers(void)
{
	char written[CXX_NAME_MAX];

	for (size_t i = 0; i < sizeof(function) / sizeof(*function); i++) {
		const char *linkers = function[i].linkers;

		CHECK(cxx_name_demangle(linkers, written));
		for (int k = 0; k < 6 && function[i].names[k]; k++) {
			if (!cxx_name_match(function[i].names[k], written))
				printf("%s is not '%s'\n", written, function[i].names[k]);
			CHECK(cxx_name_match(function[i].names[k], written));
			if (!cxx_name_likely(function[i].names[k], linkers))
				printf("%s unlikely '%s'\n", linkers,
					function[i].names[k]);
			CHECK(cxx_name_likely(function[i].names[k], linkers));
		}
		for (int k = 0; k < 4 && function[i].not [k]; k++) {
			if (cxx_name_match(function[i].not [k], written))
				printf("%s is '%s'\n", written, function[i].not [k]);
			CHECK(!cxx_name_match(function[i].not [k], written));
		}
	}
	CHECK(!cxx_name_likely("Foo::bar", "_ZN3Foo3bazEi") ||
		!cxx_name_likely("Foo::bar", "_ZN3Fop3barEi"));
	CHECK(!cxx_name_likely("hidden_maker", "_ZN3Foo3bazEi"));
	CHECK(cxx_name_match("main", "main") && !cxx_name_match("main", "domain"));
}

static void anything(void)
{
	static const char *const odd[] = {"", "(", ")", "<", ">", "::", "a::", "operator",
		"operator(", "operator<<", " ", "a (b", "a<b", "a<b::c>(d)::e<", "{",
		"((((", "f(a)(b)", "operator ", "x::operator<<"};
	char written[CXX_NAME_MAX];
	char deep[2000] = "_Z1f";

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		cxx_name_match("zzz", odd[i]);
	CHECK(!cxx_name_demangle("main", written) && !cxx_name_demangle("_Z", written));
	for (size_t i = 4; i < sizeof(deep) - 2; i++)
		deep[i] = 'P';
	CHECK(!cxx_name_demangle(deep, written));
	deep[500] = 'i';
	deep[501] = '\0';
	cxx_name_demangle(deep, written);
}

int main(void)
{
	answers();
	anything();
	return failures != 0;
}
