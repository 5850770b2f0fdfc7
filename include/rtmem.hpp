/* SPDX-License-Identifier: MIT */
/*
 * rtmem.hpp - the containers of C++17 in a pool: a memory resource and an allocator
 *
 * Builds on <rtmem.h>, whose pools these are. Nothing of it is in the library: all of it
 * is compiled into the program, and costs the instructions of rtm_alloc() and rtm_free().
 *
 *	rtm_pool *pool;
 *	rtm_create_pool(&pool, 4 << 20, "voices");
 *	rtmem::pool_resource in_pool(pool);
 *	std::pmr::vector<float> samples(&in_pool);			// C++17
 *	std::list<voice, rtmem::allocator<voice>> voices(pool);		// any STL
 *
 * Both also exist under RTM_WEAK: without the library they take ordinary memory.
 *
 * The order of every comment is that of <media/RealtimeAlloc.h>. A failed allocation
 * throws std::bad_alloc (without exceptions: ends the program). On a realtime thread size
 * the pool so that it does not happen: throwing takes memory and unbounded time. See
 * rtmem_api(3).
 */
#ifndef RTMEM_HPP
#define RTMEM_HPP

#if !defined(__cplusplus) || __cplusplus < 201703L
#error "rtmem.hpp needs C++17"
#endif

#include "rtmem.h"

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <memory_resource>
#include <new>
#include <type_traits>

namespace rtmem
{

namespace detail
{

template <class Error> [[noreturn]] inline void fail()
{
#ifdef __cpp_exceptions
	throw Error();
#else
	std::abort();
#endif
}

inline void *take(rtm_pool *pool, std::size_t bytes, std::size_t align)
{
	void *p = nullptr;

	if (rtm_loaded())
		p = rtm_memalign(pool, align, bytes);
	else if (::posix_memalign(
			 &p, align < sizeof(void *) ? sizeof(void *) : align, bytes) != 0)
		p = nullptr;
	if (!p)
		fail<std::bad_alloc>();
	return p;
}

inline void give_back(void *p) noexcept
{
	if (!p)
		return;
	if (rtm_loaded())
		static_cast<void>(rtm_free(p));
	else
		std::free(p);
}

} // namespace detail

/*
 * A pool as a std::pmr::memory_resource. It does not own the pool: delete that after the
 * last container that uses it.
 *
 * pool  a pool; NULL: the default pool, made at the first allocation if there is none.
 *
 * allocate(bytes, align)  bytes of any value; align a power of two.
 *   Throws std::bad_alloc when the pool is full or the alignment is none.
 * deallocate(p)           p from any resource or allocator of this header.
 * is_equal(other)         true when both stand for the same pool: only then does a
 *                         container take over the other's blocks instead of copying, so
 *                         what was in ordinary memory never stays in a realtime
 *                         container. Compiled with -fno-rtti: true of itself alone.
 * Realtime: yes, but for the first use of the default pool. Threads: any.
 * Source: ISO C++17, [mem.res].
 */
class pool_resource final : public std::pmr::memory_resource
{
      public:
	explicit pool_resource(rtm_pool *pool = nullptr) noexcept : pool_(pool)
	{
	}
	/* The pool it was made with. */
	rtm_pool *pool() const noexcept
	{
		return pool_;
	}

      private:
	void *do_allocate(std::size_t bytes, std::size_t align) override
	{
		return detail::take(pool_, bytes, align);
	}
	void do_deallocate(void *p, std::size_t, std::size_t) override
	{
		detail::give_back(p);
	}
	bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
	{
#ifdef __cpp_rtti
		const auto *o = dynamic_cast<const pool_resource *>(&other);

		return o && o->pool_ == pool_;
#else
		return this == &other;
#endif
	}

	rtm_pool *pool_;
};

/*
 * A pool as an allocator of the standard library, for containers outside std::pmr. A
 * container keeps the allocator it was made with; assigning or swapping another's
 * contents copies or moves the elements into its own pool.
 *
 * pool  a pool; NULL: the default pool, made at the first allocation if there is none.
 *
 * allocate(n)  room for n objects, aligned as T wants it.
 *   Throws std::bad_array_new_length when n objects are more than a size_t can count,
 *   std::bad_alloc when the pool is full.
 * a == b       the same pool.
 * Realtime: yes, but for the first use of the default pool. Threads: any.
 * Source: ISO C++17, [allocator.requirements].
 */
template <class T> class allocator
{
      public:
	using value_type = T;
	using is_always_equal = std::false_type;

	allocator(rtm_pool *pool = nullptr) noexcept : pool_(pool)
	{
	}
	template <class U>
	allocator(const allocator<U> &other) noexcept : pool_(other.pool())
	{
	}
	/* The pool it was made with. */
	rtm_pool *pool() const noexcept
	{
		return pool_;
	}
	[[nodiscard]] T *allocate(std::size_t n)
	{
		if (n > std::numeric_limits<std::size_t>::max() / sizeof(T))
			detail::fail<std::bad_array_new_length>();
		return static_cast<T *>(detail::take(pool_, n * sizeof(T), alignof(T)));
	}
	void deallocate(T *p, std::size_t) noexcept
	{
		detail::give_back(p);
	}

      private:
	rtm_pool *pool_;
};

template <class T, class U>
inline bool operator==(const allocator<T> &a, const allocator<U> &b) noexcept
{
	return a.pool() == b.pool();
}
template <class T, class U>
inline bool operator!=(const allocator<T> &a, const allocator<U> &b) noexcept
{
	return !(a == b);
}

} // namespace rtmem

#endif
