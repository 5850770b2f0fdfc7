/* SPDX-License-Identifier: MIT */
/*
 * area.c - reserve, commit, lock, relock, release; and the same under limits and refused
 * system calls
 *
 *	area                     the checks that hold for everybody
 *	area commit MIB FLAGS    Commit one area (FLAGS of "lrhp-") and say what came of
 *	                         it: "ret R committed C locked L pinned P error E", in
 *	                         bytes. Fails when what counts as committed cannot be
 *	                         written.
 *	area advice MIB NAME     Commit, then the advice on standard error.
 */
#include "memory/area.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "os/sys.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

#define MIB (1UL << 20)

static int failures;

#define CHECK(cond) check((cond), #cond, __LINE__)
static void check(bool ok, const char *what, int line)
{
	if (!ok) {
		printf("area.c:%d: %s\n", line, what);
		failures++;
	}
}

/* A field of /proc/self/status in bytes. */
static size_t status_of(const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	size_t kib = 0;

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtoul(line + strlen(name) + 1, NULL, 10);
	if (f)
		fclose(f);
	return kib << 10;
}

/* Is `flag` among the VmFlags of the mapping that holds p? */
static bool has_vm_flag(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long lo, hi;
	bool inside = false, found = false;
	char line[1024];

	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2)
			inside = (uintptr_t)p >= lo && (uintptr_t)p < hi;
		if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	if (f)
		fclose(f);
	return found;
}

static bool become_somebody(void)
{
	uid_t user = machine_user();

	return setresuid(user, user, user) == 0;
}

static long minor_faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	return ru.ru_minflt;
}

static void touch_all(const struct area *a, int value)
{
	for (size_t at = 0; at < a->committed; at += 64)
		a->base[at] = (unsigned char)value;
}

static void commits_a_prefix_that_does_not_fault(void)
{
	struct area a;
	long faults;

	errno = 42;
	CHECK(area_reserve(&a, NULL, 8 * MIB + 1, AREA_LOCK) == 0);
	CHECK(a.reserved == 8 * MIB + AREA_PAGE && a.committed == 0);
	CHECK(has_vm_flag(a.base, " dd"));
	CHECK(area_commit(&a, MIB + 1) == 0);
	CHECK(a.committed == MIB + AREA_PAGE && a.locked == a.committed);
	faults = minor_faults();
	touch_all(&a, 1);
	CHECK(minor_faults() == faults);
	CHECK(!has_vm_flag(a.base, " dd") && has_vm_flag(a.base, " lo"));
	CHECK(has_vm_flag(a.base, " nh"));
	CHECK(has_vm_flag(a.base + a.committed, " dd"));
	CHECK(area_commit(&a, 3 * MIB) == 0 && a.committed == 4 * MIB + AREA_PAGE);
	CHECK(area_commit(&a, 100 * MIB) == 0 && a.committed == a.reserved);
	CHECK(area_commit(&a, MIB) == 0 && a.committed == a.reserved);
	CHECK(a.locked <= status_of("VmLck"));
	CHECK(errno == 42);
	area_release(&a);
	CHECK(a.base == NULL && errno == 42);
	area_release(&a);
}

static void refuses_nonsense(void)
{
	struct area a;

	CHECK(area_reserve(&a, NULL, 0, 0) == -EINVAL);
	CHECK(area_reserve(&a, NULL, 1UL << 60, 0) == -ENOMEM && a.base == NULL);
	CHECK(area_reserve(&a, NULL, ~0UL, 0) == -ENOMEM);
}

static void knows_how_many_areas_there_are(void)
{
	static struct area all[300];
	int n = 0;

	while (n < 300 && area_reserve(&all[n], NULL, AREA_PAGE, 0) == 0)
		n++;
	CHECK(n == 256);
	while (n > 0)
		area_release(&all[--n]);
	CHECK(area_reserve(&all[0], NULL, AREA_PAGE, 0) == 0);
	area_release(&all[0]);
}

static void takes_the_wished_address(void)
{
	unsigned char *wish = mmap(NULL, 2 * MIB, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct area a;

	munmap(wish, 2 * MIB);
	CHECK(area_reserve(&a, wish, 2 * MIB, 0) == 0 && a.base == wish);
	area_release(&a);
}

static void huge_areas_are_aligned(void)
{
	struct area a;

	CHECK(area_reserve(&a, NULL, 3 * MIB, AREA_HUGE) == 0);
	CHECK(((uintptr_t)a.base & (2 * MIB - 1)) == 0 && a.reserved == 4 * MIB);
	CHECK(area_commit(&a, 4 * MIB) == 0);
	CHECK(has_vm_flag(a.base, " hg") && a.committed == 4 * MIB);
	touch_all(&a, 2);
	area_release(&a);
}

/* A process that asked for page merging as a whole: not in areas. */
static void is_never_merged(void)
{
	struct area a;
	char *other;
	int status;

	if (fork() == 0) {
		prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
		other = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(has_vm_flag(other, " mg"));
		CHECK(area_reserve(&a, NULL, 2 * MIB, AREA_LOCK) == 0);
		CHECK(area_commit(&a, 2 * MIB) == 0);
		CHECK(!has_vm_flag(a.base, " mg"));
		_exit(failures != 0);
	}
	wait(&status);
	CHECK(status == 0);
}

/* The program locks all its future memory, within 8 MiB: reservations count in full. */
static void beside_mlockall(void)
{
	struct area a;
	int status;

	if (fork() == 0) {
		setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){8 * MIB, 8 * MIB});
		CHECK(geteuid() != 0 || become_somebody());
		CHECK(mlockall(MCL_FUTURE) == 0);
		CHECK(area_reserve(&a, NULL, 64 * MIB, AREA_LOCK) == -ENOMEM);
		CHECK(area_reserve(&a, NULL, 4 * MIB, AREA_LOCK) == 0);
		CHECK(area_commit(&a, 2 * MIB) == 0 && a.locked == 2 * MIB);
		touch_all(&a, 5);
		_exit(failures != 0);
	}
	wait(&status);
	CHECK(status == 0);
}

static void locks_again_after_munlockall(void)
{
	struct area a;

	CHECK(area_reserve(&a, NULL, 4 * MIB, AREA_LOCK) == 0);
	CHECK(area_commit(&a, 2 * MIB) == 0);
	munlockall();
	CHECK(status_of("VmLck") == 0);
	CHECK(area_relock(&a) == 0 && a.locked == 2 * MIB);
	CHECK(status_of("VmLck") == 2 * MIB);
	area_release(&a);
}

/* Everywhere descriptors are opened for a look, the program must not see one. */
static void *commit_some(void *unused)
{
	struct area a;

	CHECK(area_reserve(&a, NULL, 2 * MIB, AREA_LOCK | AREA_PIN) == 0);
	for (int i = 0; i < 32; i++)
		CHECK(area_commit(&a, 64 << 10) == 0);
	CHECK(area_memory_available() > 0);
	area_release(&a);
	return unused;
}

static void *watch_descriptors(void *stop)
{
	int free_fd = dup(0);
	long seen = 0;

	close(free_fd);
	while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED)) {
		int fd = dup(0);

		seen += fd != free_fd;
		close(fd);
	}
	CHECK(seen == 0);
	return NULL;
}

static void the_program_sees_no_descriptor(void)
{
	pthread_t watcher, worker;
	int stop = 0;

	pthread_create(&watcher, NULL, watch_descriptors, &stop);
	for (int i = 0; i < 10; i++) {
		pthread_create(&worker, NULL, commit_some, NULL);
		pthread_join(worker, NULL);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(watcher, NULL);
}

static void locks_foreign_ranges(void)
{
	size_t len = 64 << 10, before = status_of("VmLck");
	unsigned char *p = mmap(
		NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long faults;

	CHECK(area_lock_foreign(p + 5000, len - 5001) == 0);
	CHECK(status_of("VmLck") == before + len - AREA_PAGE);
	faults = minor_faults();
	for (size_t at = AREA_PAGE; at < len; at += AREA_PAGE)
		p[at] = 1;
	CHECK(minor_faults() == faults);
	CHECK(area_lock_foreign(p, 0) == 0);
	munmap(p, len);
	CHECK(area_lock_foreign(p, len) < 0);
}

static void a_filter_leaves_only_touching(void)
{
	struct area a;

	if (fork() == 0) {
		sys_restrict(false);
		CHECK(area_reserve(&a, NULL, 2 * MIB, AREA_LOCK | AREA_PIN) == 0);
		CHECK(area_commit(&a, 2 * MIB) == 0 && a.committed == 2 * MIB);
		CHECK(a.locked == 0 && a.pinned == 0 && a.lock_error == EPERM);
		touch_all(&a, 3);
		_exit(failures != 0);
	}
	int status;
	wait(&status);
	CHECK(status == 0);
}

static unsigned flags_of(const char *s)
{
	unsigned flags = 0;

	for (; *s; s++)
		flags |= *s == 'l'   ? AREA_LOCK
			 : *s == 'r' ? AREA_REQUIRE
			 : *s == 'h' ? AREA_HUGE
			 : *s == 'p' ? AREA_PIN
				     : 0;
	return flags;
}

static int commit_and_say(size_t mib, const char *flags, const char *advice)
{
	struct area a;
	int ret = area_reserve(&a, NULL, mib * MIB, flags_of(flags));
	long faults;

	if (ret == 0)
		ret = area_commit(&a, mib * MIB);
	printf("ret %d committed %zu locked %zu pinned %zu error %d\n", ret, a.committed,
		a.locked, a.pinned, a.lock_error);
	fflush(stdout);
	touch_all(&(struct area){.committed = 0}, 4); /* its code is here */
	faults = minor_faults();
	touch_all(&a, 4);
	CHECK(minor_faults() == faults);
	if (advice)
		area_lock_advice(&a, advice);
	area_release(&a);
	return failures != 0;
}

static void read_frames(const struct area *a, uint64_t *frames)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	size_t bytes = a->committed / AREA_PAGE * 8;

	CHECK(pread(fd, frames, bytes, (off_t)((uintptr_t)a->base / AREA_PAGE * 8)) ==
		(ssize_t)bytes);
	close(fd);
}

static int stay_where_they_are(size_t mib)
{
	uint64_t *before = calloc(mib * 256, 8), *after = calloc(mib * 256, 8);
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);
	size_t moved = 0;
	struct area a;

	CHECK(area_reserve(&a, NULL, mib * MIB, AREA_LOCK | AREA_PIN) == 0);
	CHECK(area_commit(&a, mib * MIB) == 0);
	CHECK(a.pinned == (machine_pins() ? mib * MIB : 0));
	if (!machine_shows_frames() || fd < 0) /* nobody may ask, or compact, here */
		return failures != 0;
	read_frames(&a, before);
	CHECK(write(fd, "1", 1) == 1);
	read_frames(&a, after);
	for (size_t i = 0; i < mib * 256; i++)
		moved += before[i] != after[i];
	printf("%zu pages moved\n", moved);
	CHECK(moved == 0 || a.pinned == 0);
	return failures != 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "commit") == 0)
		return commit_and_say(strtoul(argv[2], NULL, 10), argv[3], NULL);
	if (argc == 4 && strcmp(argv[1], "advice") == 0)
		return commit_and_say(strtoul(argv[2], NULL, 10), "l", argv[3]);
	if (argc == 3 && strcmp(argv[1], "steady") == 0)
		return stay_where_they_are(strtoul(argv[2], NULL, 10));
	commits_a_prefix_that_does_not_fault();
	refuses_nonsense();
	knows_how_many_areas_there_are();
	takes_the_wished_address();
	huge_areas_are_aligned();
	is_never_merged();
	beside_mlockall();
	locks_again_after_munlockall();
	the_program_sees_no_descriptor();
	locks_foreign_ranges();
	a_filter_leaves_only_touching();
	return failures != 0;
}
