/* SPDX-License-Identifier: MIT */
/* A small media node as the Be Book shows one: a pool of its own for its buffers, its
 * thread's stack and its own code locked, buffers recycled while it plays. Written
 * against BeOS headers; only the include path is ours. */
/* cflags: -Iinclude/media -Iinclude/support */
/* libs: -Lbuild -lrtpreload */
#include <RealtimeAlloc.h>
#include <SupportDefs.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define BUFFERS	    8
#define BUFFER_SIZE 4096

typedef struct {
	rtm_pool *pool;
	int16 *buffer[BUFFERS];
	bigtime_t played;
	status_t status;
} mixer_node;

static status_t node_init(mixer_node *node)
{
	status_t err;
	int32 i;

	memset(node, 0, sizeof(*node));
	err = rtm_create_pool(&node->pool, 2 * BUFFERS * BUFFER_SIZE, "mixer");
	if (err != B_OK)
		return err;
	for (i = 0; i < BUFFERS; i++) {
		node->buffer[i] = (int16 *)rtm_alloc(node->pool, BUFFER_SIZE);
		if (node->buffer[i] == NULL)
			return B_NO_MEMORY;
	}
	return media_realtime_init_image(0, B_MEDIA_REALTIME_AUDIO);
}

static void *node_run(void *data)
{
	mixer_node *node = (mixer_node *)data;
	int32 turn, n;

	node->status = media_realtime_init_thread(0, 0x5000, B_MEDIA_REALTIME_ANYKIND);
	for (turn = 0; turn < 1000 && node->status == B_OK; turn++) {
		int16 *buffer = node->buffer[turn % BUFFERS];
		void *effect = rtm_alloc(node->pool, (size_t)(turn % 1000));

		for (n = 0; n < (int32)(BUFFER_SIZE / sizeof(*buffer)); n++)
			buffer[n] = (int16)(n * turn);
		if (rtm_realloc(&effect, 1500) != B_OK || rtm_size_for(effect) != 1500 ||
			rtm_phys_size_for(effect) < 1500)
			node->status = B_ERROR;
		if (rtm_free(effect) != B_OK)
			node->status = B_ERROR;
		node->played += BUFFER_SIZE;
	}
	return NULL;
}

int main(void)
{
	mixer_node node;
	pthread_t thread;
	status_t err = node_init(&node);
	int32 i;

	if (err == B_OK && pthread_create(&thread, NULL, node_run, &node) == 0)
		pthread_join(thread, NULL);
	for (i = 0; i < BUFFERS; i++)
		if (rtm_free(node.buffer[i]) != B_OK)
			err = B_ERROR;
	if (rtm_free(NULL) != B_BAD_VALUE || rtm_delete_pool(NULL) != B_BAD_VALUE)
		err = B_ERROR;
	if (rtm_create_pool(NULL, 65536, NULL) != B_OK ||
		rtm_create_pool(NULL, 65536, NULL) != -EALREADY ||
		rtm_delete_pool(rtm_default_pool()) != B_BAD_VALUE)
		err = B_ERROR;
	if (rtm_delete_pool(node.pool) != B_OK || err != B_OK || node.status != B_OK)
		return 1;
	printf("played %ld\n", (long)node.played);
	return 0;
}
