// SPDX-License-Identifier: MIT
// <rtmem.hpp> in a program that is not linked with the library: prints where a vector lies.
#define RTM_WEAK
#include <rtmem.hpp>

#include <cstdio>
#include <vector>

int main()
{
	rtmem::pool_resource mr;
	std::pmr::vector<int> v(100, 7, &mr);
	std::vector<double, rtmem::allocator<double>> w(100);

	v.resize(10000);
	puts(rtm_loaded() && rtm_get_pool(nullptr, v.data()) ? "pool" : "malloc");
	return v[99] != 7 || w.size() != 100;
}
