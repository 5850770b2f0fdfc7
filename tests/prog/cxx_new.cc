// SPDX-License-Identifier: MIT
// cxx_new.cc - every operator new and delete, aligned and nothrow, new handlers, bad_alloc
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

static int failed;
#define CHECK(expr) \
	((expr) ? (void)0 : (void)(failed = 1, fprintf(stderr, "%d: %s\n", __LINE__, #expr)))

struct alignas(256) Wide {
	char c[300];
};

static size_t opaque(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static int handler_calls;
static void handler()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

static void check_operators()
{
	for (size_t n = 0; n < 100000; n = n * 3 + 1) {
		void *p = ::operator new(n);
		CHECK(p && (uintptr_t)p % 16 == 0);
		::operator delete(p);
		p = ::operator new(n);
		::operator delete(p, n);
		p = ::operator new[](n);
		::operator delete[](p, n);
		p = ::operator new(n, std::nothrow);
		::operator delete(p, std::nothrow);
		p = ::operator new(n, std::align_val_t(512));
		CHECK((uintptr_t)p % 512 == 0);
		::operator delete(p, n, std::align_val_t(512));
		p = ::operator new[](n, std::align_val_t(64), std::nothrow);
		CHECK((uintptr_t)p % 64 == 0);
		::operator delete[](p, std::align_val_t(64));
	}
	std::free(::operator new(100)); // not legal, but widespread
	auto w = std::make_unique<Wide[]>(7);
	CHECK((uintptr_t)w.get() % 256 == 0);
	std::vector<std::string> v;
	for (int i = 0; i < 1000; i++)
		v.push_back(std::string((size_t)i, 'x'));
	std::function<int()> f = [v] { return (int)v.size(); };
	CHECK(f() == 1000);
}

static void check_failure()
{
	bool thrown = false;
	try {
		::operator delete(::operator new(opaque(SIZE_MAX)));
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	CHECK(thrown);
	CHECK(::operator new(opaque(SIZE_MAX), std::nothrow) == nullptr);
	CHECK(::operator new(opaque(PTRDIFF_MAX), std::align_val_t(64), std::nothrow) ==
	      nullptr);
	handler_calls = 0;
	thrown = false;
	std::set_new_handler(handler);
	try {
		::operator delete(::operator new(opaque(SIZE_MAX / 2)));
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	CHECK(thrown && handler_calls == 3);
}

struct Local {
	std::string s = std::string(1000, 'l');
	std::vector<int> v = std::vector<int>(1000);
	~Local()
	{
		s += s;
		v.push_back(1);
	}
};
static thread_local Local local;

int main()
{
	auto all = [] {
		check_operators();
		check_failure();
		local.v.push_back(2);
	};
	all();
	for (int i = 0; i < 20; i++)
		std::thread(all).join();
	return failed;
}
