// SPDX-License-Identifier: MIT
// A small media node in C++ as the Be Book shows one, against BeOS headers; only the include
// path is ours.
/* cflags: -Iinclude/media -Iinclude/support */
/* libs: -Lbuild -lrtpreload */
#include <RealtimeAlloc.h>
#include <SupportDefs.h>
#include <cstdio>
#include <cstring>
#include <thread>

class MixerNode {
public:
	MixerNode() : fPool(NULL), fPlayed(0)
	{
		fStatus = rtm_create_pool(&fPool, 65536);
	}
	~MixerNode()
	{
		if (fPool)
			rtm_delete_pool(fPool);
	}
	status_t InitCheck() const
	{
		return fStatus;
	}
	void Run()
	{
		fStatus = media_realtime_init_thread(0, 0x5000, B_MEDIA_REALTIME_AUDIO);
		for (int32 turn = 0; turn < 1000 && fStatus == B_OK; turn++) {
			void *buffer = rtm_alloc(fPool, 4096);

			if (buffer == NULL) {
				fStatus = B_NO_MEMORY;
				return;
			}
			memset(buffer, turn, 4096);
			fStatus = rtm_realloc(&buffer, 2048);
			rtm_free(buffer);
			fPlayed += 4096;
		}
	}
	bigtime_t Played() const
	{
		return fPlayed;
	}

private:
	rtm_pool *fPool;
	bigtime_t fPlayed;
	status_t fStatus;
};

int main()
{
	MixerNode node;

	if (node.InitCheck() != B_OK)
		return 1;
	std::thread player([&node] { node.Run(); });
	player.join();
	printf("played %ld\n", (long)node.Played());
	return node.InitCheck() == B_OK ? 0 : 1;
}
