// SPDX-License-Identifier: MIT
// As the mixer and the file reader of Haiku's media kit use pools: a pool of exactly one
// buffer, made anew when the format changes; a cache that fills a pool with chunks; a mix
// thread whose stack is locked.
/* cflags: -Iinclude/media -Iinclude/support */
/* libs: -Lbuild -lrtpreload */
#include <MediaDefs.h>
#include <RealtimeAlloc.h>
#include <SupportDefs.h>

#include <atomic>
#include <cstring>
#include <list>
#include <thread>

#include "api_check.h"

class Input
{
      public:
	~Input()
	{
		rtm_free(fBuffer);
		rtm_delete_pool(fPool);
	}
	void SetFormat(int channels, int frames)
	{
		const size_t size =
			sizeof(float) * static_cast<size_t>(channels * frames);

		rtm_free(fBuffer); // NULL at first, as is the pool
		rtm_delete_pool(fPool);
		if (rtm_create_pool(&fPool, size) != B_OK)
			fPool = NULL;
		fBuffer = static_cast<float *>(rtm_alloc(fPool, size));
		CHECK(fPool && fBuffer && rtm_get_pool(NULL, fBuffer) == fPool);
		CHECK(rtm_size_for(fBuffer) == static_cast<ssize_t>(size));
		memset(fBuffer, 0, size);
		CHECK(rtm_alloc(fPool, 1) == NULL); // it has all there is
	}

      private:
	rtm_pool *fPool = NULL;
	float *fBuffer = NULL;
};

class ChunkCache
{
      public:
	explicit ChunkCache(size_t max)
	{
		rtm_create_pool(&fPool, max, "media chunk cache");
		fMax = rtm_available(fPool);
		CHECK(fMax == max);
	}
	~ChunkCache()
	{
		rtm_delete_pool(fPool); // with its chunks
	}
	void Fill(size_t size)
	{
		size_t sum = 0;
		void *chunk;

		while ((chunk = rtm_alloc(fPool, size))) {
			sum += size;
			fChunks.push_back(chunk);
		}
		CHECK(sum <= fMax && sum > fMax - fMax / 8);
		// the oldest goes, and a larger one comes in its place
		while (!(chunk = rtm_alloc(fPool, 2 * size)) && !fChunks.empty()) {
			rtm_free(fChunks.front());
			fChunks.pop_front();
		}
		CHECK(chunk != NULL);
	}

      private:
	rtm_pool *fPool = NULL;
	size_t fMax;
	std::list<void *> fChunks;
};

int main()
{
	std::atomic<thread_id> tid{0};
	std::atomic<bool> quit{false};
	std::thread mix([&] {
		tid = find_thread(NULL);
		while (!quit)
			std::this_thread::sleep_for(std::chrono::milliseconds(1));
	});
	Input input;

	while (!tid)
		std::this_thread::yield();
	CHECK(media_realtime_init_thread(tid, 0x5000, B_MEDIA_REALTIME_AUDIO) == B_OK);
	CHECK(media_realtime_init_image(0, B_MEDIA_REALTIME_AUDIO) == B_OK);
	for (int frames = 64; frames < 8192; frames = frames * 2 + 1)
		input.SetFormat(2, frames);
	ChunkCache(1 << 20).Fill(4000);
	ChunkCache(100003).Fill(1500);
	quit = true;
	mix.join();
	return api_failed;
}
