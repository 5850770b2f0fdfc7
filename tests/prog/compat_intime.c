/* SPDX-License-Identifier: MIT */
/* A client of AllocateRtMemoryEx() as its document describes it, each documented error
 * provoked. "unprivileged": what is left without CAP_SYS_ADMIN. "vmem": with an address
 * space that is full. "stays": while the kernel compacts memory. "filter": from below
 * 4 GiB. Where nothing can be pinned, all of it but single pages is E_MEM. */
/* libs: -Lbuild -lrtpreload */
#include <intime/rt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/machine.h"
#include "api_check.h"

#define ANYWHERE 0xFFFFFFFFFFFFFFFFull
#define MIB	 (1u << 20)

static void parameters(void)
{
	char here[64];

	CHECK(AllocateRtMemoryEx(0, 0, ANYWHERE, 0) == NULL);
	CHECK(GetLastRtError() == E_PARAM);
	CHECK(AllocateRtMemoryEx(4096, 2, 1, 0) == NULL && GetLastRtError() == E_PARAM);
	CHECK(AllocateRtMemoryEx(4096, 0, ANYWHERE, 4095) == NULL);
	CHECK(GetLastRtError() == E_PARAM);
	CHECK(!FreeRtMemory(NULL) && GetLastRtError() == E_PARAM);
	CHECK(!FreeRtMemory(here) && GetLastRtError() == E_PARAM);
	CHECK(GetRtPhysicalAddressEx((PVOID)16) == BAD_RTPHYSADDREX);
	CHECK(GetLastRtError() == E_PARAM);
	CHECK(GetRtPhysicalAddress((PVOID)16) == BAD_RTPHYSADDR);
}

static void contiguous(DWORD size, QWORD low, DWORD align)
{
	unsigned char *p = AllocateRtMemoryEx(size, low, ANYWHERE, align);
	QWORD phys;

	/* more than small blocks come of huge pages: not everywhere */
	CHECK(p || !machine_pins() || (size > 65536 && !machine_has_thp()));
	CHECK(GetLastRtError() == (p ? E_OK : E_MEM));
	if (!p)
		return;
	phys = GetRtPhysicalAddressEx(p);
	CHECK(GetLastRtError() == E_OK && phys >= low);
	CHECK(phys % (align ? align : 4096) == 0);
	for (DWORD at = 0; at < size; at += 4096) {
		if (p[at])
			CHECK(!"zeroed");
		p[at] = 1;
		if (GetRtPhysicalAddressEx(p + at) != phys + at) {
			CHECK(!"contiguous");
			break;
		}
	}
	CHECK(GetRtPhysicalAddressEx(p + 100) == phys + 100);
	CHECK(!FreeRtMemory(p + 4096) && GetLastRtError() == E_PARAM);
	CHECK(FreeRtMemory(p) && GetLastRtError() == E_OK);
	CHECK(!FreeRtMemory(p) && GetLastRtError() == E_PARAM);
}

static void *own_error(void *arg)
{
	(void)arg;
	CHECK(GetLastRtError() == E_OK);
	FreeRtMemory(NULL);
	CHECK(GetLastRtError() == E_PARAM);
	return NULL;
}

static void threads_and_children(void)
{
	pthread_t t;
	int status = 1;
	char *p = AllocateRtMemory(4096);
	DWORD error = GetLastRtError();
	pid_t pid;

	pthread_create(&t, NULL, own_error, NULL);
	pthread_join(t, NULL);
	CHECK(GetLastRtError() == error);
	if (!p) {
		CHECK(error == E_MEM && !machine_pins());
		return;
	}
	pid = fork();
	if (pid == 0)
		_exit(FreeRtMemory(p) != FALSE || GetLastRtError() != E_PARAM);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	p[0] = 1;
	CHECK(FreeRtMemory(p));
}

/* Filters that no memory satisfies, and more than there is. */
static void no_such_memory(void)
{
	CHECK(!AllocateRtMemoryEx(4096, 1ull << 51, 1ull << 52, 0));
	CHECK(GetLastRtError() == E_MEM);
	CHECK(!AllocateRtMemoryEx(8192, 0, 4096, 0) && GetLastRtError() == E_MEM);
	CHECK(!AllocateRtMemoryEx(4096, 0, 0, 0) && GetLastRtError() == E_MEM);
}

static void compact(void)
{
	FILE *f = fopen("/proc/sys/vm/compact_memory", "w");

	CHECK(f != NULL);
	if (f) {
		fputs("1", f);
		fclose(f);
	}
}

/* Half of the pages around what was allocated go, so that compaction has work to do. */
static void churn(void)
{
	size_t size = 64u << 20;
	char *p = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(p, size, MADV_NOHUGEPAGE);
	memset(p, 1, size);
	for (size_t at = 0; at < size; at += 8192)
		madvise(p + at, 4096, MADV_DONTNEED);
	compact();
	munmap(p, size);
}

/* Neither compaction nor a fork moves a page. */
static void stays(void)
{
	static const DWORD size[] = {4096, 65536, 65536, 262144, 2 * MIB};
	enum { N = sizeof(size) / sizeof(*size) };
	char *p[N];
	QWORD phys[N];
	int moved = 0;

	for (int i = 0; i < N; i++) {
		p[i] = AllocateRtMemoryEx(size[i], 0, ANYWHERE, 0);
		CHECK(p[i] || !machine_pins() || (size[i] > 65536 && !machine_has_thp()));
		phys[i] = GetRtPhysicalAddressEx(p[i]);
	}
	for (int round = 0; round < 4; round++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		for (int i = 0; i < N; i++)
			if (p[i])
				memset(p[i], round, size[i]);
		waitpid(pid, NULL, 0);
		churn();
		for (int i = 0; i < N; i++)
			for (DWORD at = 0; p[i] && at < size[i]; at += 4096)
				moved +=
					GetRtPhysicalAddressEx(p[i] + at) != phys[i] + at;
	}
	CHECK(moved == 0);
	for (int i = 0; i < N; i++)
		CHECK(FreeRtMemory(p[i]) == (p[i] != NULL));
}

/* A master of a field bus: a page for each of its frames, and one buffer. */
static void unprivileged(void)
{
	PVOID page[16], big;

	for (int i = 0; i < 16; i++) {
		page[i] = AllocateRtMemory(4096);
		CHECK(page[i] && GetLastRtError() == E_OK);
		CHECK((uintptr_t)page[i] % 4096 == 0 && *(char *)page[i] == 0);
	}
	CHECK(GetRtPhysicalAddressEx(page[0]) == BAD_RTPHYSADDREX);
	CHECK(GetLastRtError() == E_MEM);
	big = AllocateRtMemory(2 * MIB);
	CHECK(big || !machine_pins() || !machine_has_thp());
	CHECK(GetLastRtError() == (big ? E_OK : E_MEM));
	CHECK(FreeRtMemory(big) == (big != NULL));
	for (int i = 0; i < 16; i++)
		CHECK(FreeRtMemory(page[i]));
	CHECK(!AllocateRtMemoryEx(4096, 0, 0x100000000ull, 0));
	CHECK(GetLastRtError() == E_MEM);
	CHECK(!AllocateRtMemory(2 * MIB + 1) && GetLastRtError() == E_MEM);
}

static void below_4_gib(void)
{
	PVOID p = AllocateRtMemoryEx(8192, 0, 0x100000000ull, 8192);

	if (p) {
		CHECK(GetLastRtError() == E_OK);
		CHECK(GetRtPhysicalAddress(p) <= 0xFFFFFFFFu - 8192);
		CHECK(GetRtPhysicalAddress(p) % 8192 == 0 && FreeRtMemory(p));
	} else {
		/* whether there was any tells tests/unit/phys.c */
		CHECK(GetLastRtError() == E_MEM);
	}
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	struct rlimit none = {1 << 20, RLIM_INFINITY};

	parameters();
	if (!strcmp(how, "stays")) {
		stays();
	} else if (!strcmp(how, "vmem")) {
		setrlimit(RLIMIT_AS, &none);
		CHECK(!AllocateRtMemory(64 * MIB) && GetLastRtError() == E_VMEM);
	} else if (!strcmp(how, "unprivileged")) {
		unprivileged();
	} else if (!strcmp(how, "filter")) {
		below_4_gib();
	} else {
		no_such_memory();
		contiguous(1, 0, 0);
		contiguous(4096, 1 << 20, 4096);
		contiguous(65536, 0, 65536);
		contiguous(3 * 4096, 0, 3 * 4096);
		contiguous(MIB, 0, MIB);
		contiguous(2 * MIB, 0, 2 * MIB);
		contiguous(4 * MIB, 0, 0);
		threads_and_children();
	}
	return api_failed;
}
