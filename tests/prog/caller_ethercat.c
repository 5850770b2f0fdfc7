/* SPDX-License-Identifier: MIT */
/* As an EtherCAT master on INtime has its buffers: a page for each of 16 transmit buffers
 * in a row, where they lie for the device, a table of processes' names, and a monitor
 * that finds the process image by its name. */
/* cflags: -Iinclude/intime */
/* libs: -Lbuild -lrtpreload */
#include <rt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/machine.h"
#include "api_check.h"

#define BUFFERS 16
#define FRAME	1518

typedef struct {
	DWORD count;
	struct {
		PVOID ptr;
		DWORD size;
		QWORD paddr;
	} fragment[2];
} BUFFERSET;

static BUFFERSET *tx[BUFFERS];
static BYTE *image;

/* A name of an object that is gone makes room for another. */
static BOOLEAN Catalog(RTHANDLE hProcess, RTHANDLE hObject, LPSTR lpszName)
{
	RTHANDLE hOld;

	if (CatalogRtHandle(hProcess, hObject, lpszName))
		return TRUE;
	hOld = LookupRtHandle(hProcess, lpszName, NO_WAIT);
	if (hOld != BAD_RTHANDLE && GetRtHandleType(hOld) == INVALID_TYPE &&
		UncatalogRtHandle(hProcess, lpszName))
		return CatalogRtHandle(hProcess, hObject, lpszName);
	return FALSE;
}

static VOID open_port(VOID)
{
	for (int i = 0; i < BUFFERS; i++) {
		tx[i] = (BUFFERSET *)AllocateRtMemory(sizeof(BUFFERSET) + FRAME);
		CHECK(tx[i] != NULL && GetLastRtError() == E_OK);
		if (!tx[i])
			exit(1);
		tx[i]->count = 2;
		tx[i]->fragment[1].ptr = tx[i] + 1;
		tx[i]->fragment[1].size = FRAME;
		tx[i]->fragment[1].paddr = GetRtPhysicalAddressEx(tx[i] + 1);
		memset(tx[i]->fragment[1].ptr, i, FRAME);
	}
	for (int i = 0; i < BUFFERS; i++)
		for (int j = 0; j < i; j++)
			CHECK(tx[i]->fragment[1].paddr != tx[j]->fragment[1].paddr ||
				tx[i]->fragment[1].paddr == BAD_RTPHYSADDREX);
}

static void *monitor(void *arg)
{
	RTHANDLE hProc, hMem;
	BYTE *mapped;

	hProc = LookupRtHandle(
		GetRtThreadHandles(ROOT_PROCESS), "ECMaster", WAIT_FOREVER);
	hMem = LookupRtHandle(hProc, "Image", WAIT_FOREVER);
	mapped = (BYTE *)MapRtSharedMemory(hMem);
	CHECK(mapped && GetRtSize(hMem) == 4096 && mapped[100] == 42);
	Catalog(NULL_RTHANDLE, GetRtThreadHandles(THIS_THREAD), "TMonitor");
	if (mapped)
		mapped[101] = 43;
	CHECK(FreeRtMemory(mapped));
	return arg;
}

int main(void)
{
	RTHANDLE hRoot = GetRtThreadHandles(ROOT_PROCESS), hImage;
	pthread_t t;

	/* where it cannot be pinned, there is none whose address could be told */
	if (!machine_pins() && machine_shows_frames()) {
		CHECK(!AllocateRtMemory(4096) && GetLastRtError() == E_MEM);
		return api_failed;
	}
	open_port();
	image = (BYTE *)AllocateRtMemory(4096);
	hImage = CreateRtMemoryHandle(image, 4096);
	CHECK(image && hImage != BAD_RTHANDLE);
	image[100] = 42;
	for (int turn = 0; turn < 3; turn++) {
		CHECK(pthread_create(&t, NULL, monitor, NULL) == 0);
		if (turn == 0) {
			CHECK(Catalog(NULL_RTHANDLE, hImage, "Image"));
			CHECK(Catalog(
				hRoot, GetRtThreadHandles(THIS_PROCESS), "ECMaster"));
		}
		pthread_join(t, NULL);
		CHECK(image[101] == 43);
		/* each monitor's name stays, and the next takes it over */
		CHECK(LookupRtHandle(0, "TMonitor", NO_WAIT) != BAD_RTHANDLE);
	}
	for (int i = 0; i < BUFFERS; i++) {
		CHECK(((BYTE *)tx[i]->fragment[1].ptr)[FRAME - 1] == i);
		CHECK(FreeRtMemory(tx[i]));
	}
	CHECK(DeleteRtMemoryHandle(hImage) && FreeRtMemory(image));
	return api_failed;
}
