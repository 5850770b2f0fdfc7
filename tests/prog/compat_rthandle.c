/* SPDX-License-Identifier: MIT */
/* Objects of INtime, shared by handle and by name between threads that were processes
 * there; each documented failure. */
/* libs: -Lbuild -lrtpreload */
#include <intime/rt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/machine.h"
#include "api_check.h"

#define FAILS(call, bad, status) CHECK((call) == (bad) && GetLastRtError() == (status))

static RTHANDLE its_thread;

/* Another "process": finds the memory by its names, which are not there yet. */
static void *consumer(void *arg)
{
	RTHANDLE process = LookupRtHandle(
		GetRtThreadHandles(ROOT_PROCESS), "Producer", WAIT_FOREVER);
	RTHANDLE memory = LookupRtHandle(process, "Frames", 20000);
	DWORD *words = (DWORD *)MapRtSharedMemory(memory);

	CHECK(process == GetRtThreadHandles(THIS_PROCESS) && words);
	CHECK(GetRtSize(memory) == 4096 && GetRtHandleType(memory) == SEGMENT_TYPE);
	CHECK(words && words[5] == 55);
	its_thread = GetRtThreadHandles(THIS_THREAD);
	CHECK(its_thread == GetRtThreadHandles(THIS_THREAD));
	CHECK(GetRtHandleType(its_thread) == THREAD_TYPE);
	CHECK(CatalogRtHandle(NULL_RTHANDLE, its_thread, "Consumer"));
	if (words)
		words[6] = 66;
	*(DWORD **)arg = words;
	return NULL;
}

static void shared(void)
{
	DWORD *mapped = NULL, *own = (DWORD *)AllocateRtMemory(4096);
	RTHANDLE memory;
	pthread_t t;

	CHECK(own || !machine_pins());
	if (!own)
		return;
	own[5] = 55;
	CHECK(pthread_create(&t, NULL, consumer, &mapped) == 0);
	usleep(20000); /* it waits for the name, or comes later: both have to do */
	memory = CreateRtMemoryHandle(own, 4096);
	CHECK(memory != BAD_RTHANDLE && memory != NULL_RTHANDLE);
	CHECK(CatalogRtHandle(GetRtThreadHandles(ROOT_PROCESS),
		GetRtThreadHandles(THIS_PROCESS), "Producer"));
	CHECK(CatalogRtHandle(NULL_RTHANDLE, memory, "Frames"));
	pthread_join(t, NULL);
	CHECK(own[6] == 66 && mapped == own);
	/* the owner lets go first: the mapping keeps the memory */
	CHECK(FreeRtMemory(own));
	mapped[7] = 77;
	CHECK(mapped[5] == 55 && FreeRtMemory(mapped));
	FAILS(FreeRtMemory(mapped), FALSE, E_PARAM);
	/* names outlive what they name, and say so */
	CHECK(LookupRtHandle(0, "Consumer", NO_WAIT) == its_thread);
	FAILS(GetRtHandleType(its_thread), INVALID_TYPE, E_EXIST);
	FAILS(CatalogRtHandle(0, memory, "Consumer"), FALSE, E_CONTEXT);
	CHECK(UncatalogRtHandle(0, "Consumer"));
	CHECK(CatalogRtHandle(0, memory, "Consumer"));
	CHECK(UncatalogRtHandle(0, "Consumer") && UncatalogRtHandle(0, "Frames"));
	CHECK(UncatalogRtHandle(GetRtThreadHandles(ROOT_PROCESS), "Producer"));
	CHECK(DeleteRtMemoryHandle(memory) && GetLastRtError() == E_OK);
	FAILS(DeleteRtMemoryHandle(memory), FALSE, E_EXIST);
	FAILS(MapRtSharedMemory(memory), NULL, E_EXIST);
}

static void failures(void)
{
	static char some[100];
	RTHANDLE root = GetRtThreadHandles(ROOT_PROCESS), self, h;

	self = GetRtThreadHandles(THIS_PROCESS);
	CHECK(root != self && GetRtHandleType(root) == PROCESS_TYPE);
	CHECK(GetRtThreadHandles(PARAMETER_OBJECT) == NULL_RTHANDLE);
	FAILS(GetRtThreadHandles(4), BAD_RTHANDLE, E_PARAM);
	FAILS(CreateRtMemoryHandle(NULL, 1), BAD_RTHANDLE, E_PARAM);
	FAILS(CreateRtMemoryHandle(some, 0), BAD_RTHANDLE, E_PARAM);
	FAILS(GetRtSize(self), 0, E_TYPE);
	FAILS(GetRtSize(BAD_RTHANDLE), 0, E_EXIST);
	FAILS(MapRtSharedMemory(self), NULL, E_TYPE);
	FAILS(MapRtSharedMemory(NULL_RTHANDLE), NULL, E_EXIST);
	FAILS(DeleteRtMemoryHandle(root), FALSE, E_TYPE);
	h = CreateRtMemoryHandle(some, sizeof(some));
	FAILS(CatalogRtHandle(h, h, "x"), FALSE, E_TYPE);
	FAILS(CatalogRtHandle(BAD_RTHANDLE, h, "x"), FALSE, E_EXIST);
	FAILS(CatalogRtHandle(0, BAD_RTHANDLE, "x"), FALSE, E_EXIST);
	FAILS(CatalogRtHandle(0, h, NULL), FALSE, E_BAD_ADDR);
	FAILS(CatalogRtHandle(0, h, ""), FALSE, E_PARAM);
	FAILS(CatalogRtHandle(0, h, "fifteen letters"), FALSE, E_PARAM);
	CHECK(CatalogRtHandle(0, h, "fourteen chars"));
	FAILS(CatalogRtHandle(self, h, "fourteen chars"), FALSE, E_CONTEXT);
	CHECK(CatalogRtHandle(root, NULL_RTHANDLE, "fourteen chars"));
	CHECK(LookupRtHandle(root, "fourteen chars", 0) == NULL_RTHANDLE);
	FAILS(LookupRtHandle(0, "nobody", NO_WAIT), BAD_RTHANDLE, E_TIME);
	FAILS(LookupRtHandle(0, "nobody", 30), BAD_RTHANDLE, E_TIME);
	FAILS(LookupRtHandle(h, "nobody", WAIT_FOREVER), BAD_RTHANDLE, E_TYPE);
	FAILS(LookupRtHandle(0, NULL, WAIT_FOREVER), BAD_RTHANDLE, E_BAD_ADDR);
	FAILS(UncatalogRtHandle(0, "nobody"), FALSE, E_CONTEXT);
	CHECK(UncatalogRtHandle(root, "fourteen chars"));
	CHECK(UncatalogRtHandle(self, "fourteen chars"));
	CHECK(MapRtSharedMemory(h) == some && MapRtSharedMemory(h) == some);
	CHECK(DeleteRtMemoryHandle(h)); /* the mappings stay */
	CHECK(FreeRtMemory(some) && FreeRtMemory(some));
	FAILS(FreeRtMemory(some), FALSE, E_PARAM);
}

static void tables(void)
{
	static RTHANDLE many[2000];
	static char some[2000];
	char name[15];
	int n = 0, named = 0;

	while (n < 2000 && (many[n] = CreateRtMemoryHandle(some + n, 1)) != BAD_RTHANDLE)
		n++;
	CHECK(n >= 1000 && n < 2000 && GetLastRtError() == E_SLOT);
	for (; named < n; named++) {
		snprintf(name, sizeof(name), "n%d", named);
		if (!CatalogRtHandle(0, many[named], name))
			break;
	}
	CHECK(named == 256 && GetLastRtError() == E_LIMIT);
	while (named-- > 0) {
		snprintf(name, sizeof(name), "n%d", named);
		CHECK(UncatalogRtHandle(0, name));
	}
	for (int i = 0; i < n; i++)
		if (!MapRtSharedMemory(many[i])) {
			CHECK(i == 256 && GetLastRtError() == E_VMEM);
			break;
		}
	for (int i = 0; i < n; i++)
		CHECK(DeleteRtMemoryHandle(many[i]));
}

int main(void)
{
	shared();
	failures();
	tables();
	return api_failed;
}
