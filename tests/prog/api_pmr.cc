// SPDX-License-Identifier: MIT
// Containers in a pool by <rtmem.hpp>, on a realtime thread too. Linked with the library.
/* libs: -Lbuild -lrtpreload */
#include <rtmem.hpp>

#include <cstdint>
#include <cstring>
#include <list>
#include <map>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "api_check.h"

struct alignas(128) wide {
	char byte[128];
};

static void resource(rtm_pool *pool, rtm_pool *other)
{
	rtmem::pool_resource mr(pool), same(pool), elsewhere(other);
	std::pmr::memory_resource *heap = std::pmr::new_delete_resource();
	size_t before = rtm_available(pool);

	CHECK(mr.pool() == pool && mr == same && mr != elsewhere && mr != *heap);
	for (size_t align = 1; align <= 4096; align *= 2) {
		void *p = mr.allocate(100, align);

		CHECK(rtm_get_pool(NULL, p) == pool && (uintptr_t)p % align == 0);
		same.deallocate(p, 100, align);
	}
	void *none = mr.allocate(0);
	CHECK(none != nullptr);
	mr.deallocate(none, 0);
	{
		std::pmr::vector<std::pmr::string> v(&mr), w(&elsewhere);

		for (int i = 0; i < 100; i++)
			v.emplace_back("a text too long to be kept in the string itself");
		CHECK(rtm_get_pool(NULL, v.data()) == pool);
		CHECK(rtm_get_pool(NULL, v[7].data()) == pool);
		w = std::move(v); // another pool: copied, not taken over
		CHECK(w.size() == 100 && rtm_get_pool(NULL, w[7].data()) == other);
		bool thrown = false;
		try {
			w.reserve(1 << 28);
		} catch (const std::bad_alloc &) {
			thrown = true;
		}
		CHECK(thrown && w.size() == 100);
	}
	CHECK(rtm_available(pool) == before);
}

static void stl(rtm_pool *pool, rtm_pool *other)
{
	rtmem::allocator<int> a(pool), b(other);
	rtmem::allocator<wide> c(a);
	size_t before = rtm_available(pool);

	CHECK(c == a && a != b && c.pool() == pool);
	{
		std::vector<wide, rtmem::allocator<wide>> v(3, c);

		CHECK((uintptr_t)v.data() % alignof(wide) == 0);
		CHECK(rtm_get_pool(NULL, v.data()) == pool);
		std::list<int, rtmem::allocator<int>> from({1, 2, 3}, a), to(b);
		to = std::move(from);
		CHECK(rtm_get_pool(NULL, &to.front()) == other && to.back() == 3);
	}
	bool thrown = false;
	try {
		CHECK(c.allocate(SIZE_MAX / 64) == nullptr);
	} catch (const std::bad_array_new_length &) {
		thrown = true;
	}
	CHECK(thrown);
	thrown = false;
	try {
		CHECK(a.allocate(1 << 28) == nullptr);
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	CHECK(thrown && rtm_available(pool) == before);
}

static void fill_and_empty(rtm_pool *pool)
{
	std::map<int, int, std::less<int>, rtmem::allocator<std::pair<const int, int>>> m(
		pool);
	rtmem::pool_resource mr(pool);
	std::pmr::list<int> l(&mr);

	for (int i = 0; i < 1000; i++) {
		m[i * 7919 % 1000] = i;
		l.push_back(i);
	}
	CHECK(m.size() == 1000 && rtm_get_pool(NULL, &*m.begin()) == pool);
}

static void *realtime(void *arg)
{
	struct rusage before, after;

	fill_and_empty(
		static_cast<rtm_pool *>(arg)); // the stack and the code are touched
	getrusage(RUSAGE_THREAD, &before);
	fill_and_empty(static_cast<rtm_pool *>(arg));
	getrusage(RUSAGE_THREAD, &after);
	CHECK(after.ru_minflt == before.ru_minflt && after.ru_majflt == before.ru_majflt);
	return NULL;
}

static void on_realtime_thread(rtm_pool *pool)
{
	struct sched_param prio = {};
	pthread_attr_t attr;
	pthread_t t;

	prio.sched_priority = 10;
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &prio);
	CHECK(pthread_create(&t, &attr, realtime, pool) == 0);
	CHECK(pthread_join(t, NULL) == 0);
}

int main()
{
	rtm_pool *pool = NULL, *other = NULL;

	CHECK(rtm_create_pool(&pool, 1 << 20, "one") == B_OK);
	CHECK(rtm_create_pool(&other, 1 << 20, "two") == B_OK);
	resource(pool, other);
	stl(pool, other);
	on_realtime_thread(pool);
	{
		std::vector<int, rtmem::allocator<int>> v(10); // the default pool
		CHECK(rtm_get_pool(NULL, v.data()) == rtm_default_pool());
	}
	CHECK(rtm_delete_pool(pool) == B_OK && rtm_delete_pool(other) == B_OK);
	return api_failed;
}
