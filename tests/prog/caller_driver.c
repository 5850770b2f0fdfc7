/* SPDX-License-Identifier: MIT */
/* As a network driver for BeOS and Haiku has its rings: the area_malloc module, kernel
 * addresses, protection 0. */
/* cflags: -Iinclude/kernel -Iinclude/support -Iinclude/drivers */
/* libs: -Lbuild -lrtpreload */
#include <OS.h>
#include <SupportDefs.h>
#include <module.h>
#include <area_malloc.h>
#include <stdlib.h>
#include <string.h>

#include "api_check.h"

#define RING 64

typedef struct {
	uint32 status, length;
	void *buffer;
} descriptor;

static area_malloc_module_info *gArea;
static const void *gPool;
static descriptor *gRing;

module_dependency module_dependencies[] = {
	{B_AREA_MALLOC_MODULE_NAME, (module_info **)&gArea}, {NULL, NULL}};

static status_t init_driver(void)
{
	status_t status = get_module(B_AREA_MALLOC_MODULE_NAME, (module_info **)&gArea);

	if (status != B_OK)
		return status;
	CHECK(!strcmp(gArea->minfo.name, B_AREA_MALLOC_MODULE_NAME));
	gPool = gArea->create_pool(
		B_ANY_KERNEL_ADDRESS, (RING + 1) * 2048, B_FULL_LOCK, 0);
	if (gPool == NULL) {
		put_module(B_AREA_MALLOC_MODULE_NAME);
		return B_NO_MEMORY;
	}
	gRing = (descriptor *)gArea->calloc(gPool, RING, sizeof(descriptor));
	for (int i = 0; gRing && i < RING; i++) {
		gRing[i].buffer = gArea->malloc(gPool, 1536);
		if (gRing[i].buffer == NULL)
			return B_NO_MEMORY;
		memset(gRing[i].buffer, i, 1536);
	}
	return gRing ? B_OK : B_NO_MEMORY;
}

static void uninit_driver(void)
{
	for (int i = 0; i < RING; i++) {
		CHECK(((uint8 *)gRing[i].buffer)[1535] == i);
		gArea->free(gPool, gRing[i].buffer);
	}
	gRing = (descriptor *)gArea->realloc(gPool, gRing, sizeof(descriptor));
	CHECK(gRing != NULL);
	gArea->free(gPool, gRing);
	CHECK(gArea->delete_pool(gPool) == B_OK);
	CHECK(put_module(B_AREA_MALLOC_MODULE_NAME) == B_OK);
}

int main(void)
{
	for (int i = 0; i < 3; i++) {
		CHECK(init_driver() == B_OK);
		uninit_driver();
	}
	CHECK(find_thread(NULL) > 0);
	return api_failed;
}
