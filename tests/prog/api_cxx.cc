// SPDX-License-Identifier: MIT
// The headers from C++: default arguments, a container whose memory is a pool, operator
// new in a section. Linked with the library.
/* libs: -Lbuild -lrtpreload */
#include <media/RealtimeAlloc.h>
#include <rtmem.h>

#include <new>
#include <vector>

#include "api_check.h"

// What a media node does: its buffers from a pool of its own.
template <class T> struct pool_allocator {
	using value_type = T;
	rtm_pool *pool;

	explicit pool_allocator(rtm_pool *p) : pool(p)
	{
	}
	template <class U> pool_allocator(const pool_allocator<U> &o) : pool(o.pool)
	{
	}
	T *allocate(size_t n)
	{
		void *p = rtm_alloc(pool, n * sizeof(T));

		if (!p)
			throw std::bad_alloc();
		return static_cast<T *>(p);
	}
	void deallocate(T *p, size_t)
	{
		CHECK(rtm_free(p) == B_OK);
	}
};

int main()
{
	rtm_pool *pool = NULL;

	CHECK(rtm_create_pool(&pool, 1 << 20) == B_OK);
	size_t before = rtm_available(pool);
	{
		std::vector<float, pool_allocator<float>> v{pool_allocator<float>(pool)};

		for (int i = 0; i < 10000; i++)
			v.push_back((float)i);
		CHECK(v[9999] == 9999.0f && rtm_get_pool(pool, v.data()) == pool);
		bool thrown = false;
		try {
			v.reserve(1 << 20);
		} catch (const std::bad_alloc &) {
			thrown = true;
		}
		CHECK(thrown && v.size() == 10000);
	}
	CHECK(rtm_available(pool) == before);

	rtm_pool_attr attr = RTM_POOL_ATTR_INIT;
	attr.size = 65536;
	rtm_pool *other = NULL;
	CHECK(rtm_pool_create(&other, &attr) == B_OK);
	// operator new and delete, inside a section
	CHECK(rtm_enter(other) == B_OK);
	int *n = new int[10];
	CHECK(rtm_get_pool(NULL, n) == other);
	CHECK(rtm_leave() == B_OK);
	delete[] n;
	CHECK(rtm_delete_pool(other) == B_OK);
	CHECK(rtm_delete_pool(pool) == B_OK);
	CHECK(rtm_loaded());
	return api_failed;
}
