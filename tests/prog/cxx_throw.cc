// SPDX-License-Identifier: MIT
// cxx_throw.cc - exceptions arrive, through C frames and callbacks too, and the unwinder that
// carries them is libgcc's
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

static int failed;
#define CHECK(expr) \
	((expr) ? (void)0 : (void)(failed = 1, fprintf(stderr, "%d: %s\n", __LINE__, #expr)))

static int order(const void *a, const void *)
{
	if (*(const int *)a == 13)
		throw std::runtime_error(std::string(1000, 'e'));
	return 0;
}

static void deep(int n)
{
	std::string s((size_t)n, 'd');
	if (n == 0)
		throw std::logic_error("bottom");
	deep(n - 1);
}

static void throws()
{
	for (int i = 0; i < 2000; i++) {
		int caught = 0, a[] = {13, 13};
		try {
			deep(i % 60);
		} catch (const std::logic_error &e) {
			caught += !strcmp(e.what(), "bottom");
		}
		try {
			qsort(a, 2, sizeof(int), order);
		} catch (const std::exception &e) {
			caught += strlen(e.what()) == 1000;
		}
		std::exception_ptr p;
		try {
			throw std::string("kept");
		} catch (...) {
			p = std::current_exception();
		}
		try {
			std::rethrow_exception(p);
		} catch (const std::string &s) {
			caught += s == "kept";
		}
		CHECK(caught == 3);
	}
}

static void owner(const char *symbol, const char *object)
{
	Dl_info info = {};
	void *at = dlsym(RTLD_DEFAULT, symbol);
	CHECK(at && dladdr(at, &info) && strstr(info.dli_fname, object));
	if (info.dli_fname)
		printf("%s is %s's\n", symbol, object);
}

int main()
{
	throws();
	std::thread(throws).join();
	owner("_Unwind_RaiseException", "libgcc_s.so");
	owner("_Unwind_Backtrace", "libgcc_s.so");
	owner("_Unwind_Resume", "libgcc_s.so");
	owner("__cxa_throw", "libstdc++.so");
	return failed;
}
