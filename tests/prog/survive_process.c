/* SPDX-License-Identifier: MIT */
/*
 * survive_process.c - processes that come about without fork()'s handlers, and do what a
 * sandbox or a launcher does in them: leave namespaces, change identity, set a class,
 * install a filter, allocate, end by exit()
 *
 * Ways: raw clone, clone3, _Fork (also in a signal handler), vfork, clone with CLONE_VM.
 * Argument: which one (all without). Afterwards the parent is what it was: the thread
 * that the library has beside it is there, blocks are where they were, threads can be
 * made.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "victim.h"

#ifdef __x86_64__
static long raw_fork(void)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(SYS_fork) : "rcx", "r11", "memory");
	return ret;
}
#else
static long raw_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}
#endif

static long raw_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
}

/* In a PID namespace of its own: the child's number, 1, may be its parent's. */
static long raw_clone_pid(void)
{
	return syscall(SYS_clone, SIGCHLD | CLONE_NEWPID, NULL, NULL, NULL, 0);
}

static long raw_clone3(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};

	return syscall(SYS_clone3, &args, sizeof(args));
}

static long fork_no_handlers(void)
{
	return _Fork();
}

/* ---- what a child does ---- */

static void *child_thread(void *arg)
{
	for (size_t n = 1; n < 100000; n = n * 3 + 1)
		free(calloc(1, n));
	return arg;
}

static void *inherited;

/* A process of its own: whatever the program could do in it. */
static int copied_child(void)
{
	struct sched_param none = {0};
	int status = -1;
	pthread_t t;
	pid_t child;

	alarm(50); /* whoever is waited for is not in this process */
	child_thread(NULL);
	CHECK_EQ(unshare(CLONE_FS | CLONE_FILES), 0);
	CHECK_EQ(setgid(getgid()), 0);
	CHECK_EQ(setuid(getuid()), 0);
	CHECK_EQ(prctl(PR_SET_NAME, "copied"), 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &none), 0);
	CHECK_EQ(pthread_create(&t, NULL, child_thread, NULL), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	inherited = realloc(inherited, 10000);
	CHECK(filled(inherited, 1000, 3));
	free(inherited);
	child = fork();
	if (child == 0)
		_exit(child_thread(NULL) ? 2 : 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(unshare(CLONE_NEWUSER), 0);
	if (rtm_alloc)
		rtm_free(rtm_alloc(NULL, 100));
	return FAILED;
}

/* Its memory is its parent's, which goes on afterwards: only calls about itself. */
static int borrowed_child(void *unused)
{
	struct sched_param none = {0};

	(void)unused;
	free(malloc(100));
	if (setgid(getgid()) || setuid(getuid()) || prctl(PR_SET_NAME, "borrowed") ||
		sched_setscheduler(0, SCHED_BATCH, &none) ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 3;
	return unshare(CLONE_FILES) ? 4 : 0;
}

/* ---- the parent ---- */

/* The thread of this process that the program did not make; 0: there is none. */
static int other(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;
	int tid = 0;

	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != getpid())
			tid = atoi(e->d_name);
	closedir(dir);
	return tid;
}

/* How often that thread has gone to sleep. Allocates nothing: that would be work for it.
 */
static long naps(int tid)
{
	char text[4096], *at;
	ssize_t n;
	int fd;

	snprintf(text, sizeof(text), "/proc/self/task/%d/status", tid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "\nvoluntary_ctxt_switches:");
	return at ? atol(strchr(at, ':') + 1) : -1;
}

/* A copy of memory that another thread is writing to is half done, with any allocator:
 * the library's thread has done what there was to do when it has slept a few times more.
 */
static void settle(void)
{
	int tid = other();
	long since = tid ? naps(tid) : 0;

	for (int i = 0; tid && i < 4000 && naps(tid) < since + 4; i++)
		usleep(5000);
}

static void wait_for(long pid, const char *what)
{
	int status = -1;

	CHECK(pid > 0);
	waitpid((pid_t)pid, &status, 0);
	if (status) {
		dprintf(2, "%s: status 0x%x\n", what, status);
		CHECK(!"child ended well");
	}
}

static void copy(long (*make)(void), const char *what)
{
	long pid;

	settle();
	pid = make();
	if (pid == 0)
		exit(copied_child());
	wait_for(pid, what);
}

static void borrow_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(borrowed_child(NULL));
	wait_for(pid, "vfork");
}

static void borrow_clone(void)
{
	static char stack[262144] __attribute__((aligned(16)));

	wait_for(clone(borrowed_child, stack + sizeof(stack),
			 CLONE_VM | CLONE_VFORK | SIGCHLD, NULL),
		"clone with CLONE_VM");
}

static void on_signal(int sig)
{
	long pid = _Fork();

	if (pid == 0)
		_exit(setuid(getuid()) || unshare(CLONE_FILES) ? 5 : 0);
	wait_for(pid, "_Fork in a signal handler");
	(void)sig;
}

static void in_handler(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
}

static bool stop;

/* Facts that change keep the library's own locks busy; jemalloc's are left alone. */
static void *change_often(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		prctl(PR_SET_NAME, "one");
		prctl(PR_SET_NAME, "two");
	}
	return arg;
}

static void beside_threads(void)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, change_often, NULL);
	for (int i = 0; i < 100; i++) {
		long pid = raw_clone();

		if (pid == 0) {
			alarm(50);
			/* no setuid(): libc looks for threads that are not there */
			exit(prctl(PR_SET_NAME, "copied") ||
						unshare(CLONE_FILES | CLONE_FS)
					? 6
					: 0);
		}
		wait_for(pid, "raw clone beside threads");
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

static const struct {
	const char *name;
	long (*copy)(void);
	void (*other)(void);
} ways[] = {
	{"fork-syscall", raw_fork, NULL},
	{"clone", raw_clone, NULL},
	{"clone-pidns", raw_clone_pid, NULL},
	{"clone3", raw_clone3, NULL},
	{"_Fork", fork_no_handlers, NULL},
	{"vfork", NULL, borrow_vfork},
	{"clone-vm", NULL, borrow_clone},
	{"handler", NULL, in_handler},
	{"beside", NULL, beside_threads},
};

/* What the library knows of the thread that lent its memory is still true. */
static void check_parent(int before)
{
	char name[16];

	if (before)
		CHECK_EQ(other(), before);
	prctl(PR_GET_NAME, name);
	CHECK(strcmp(name, "borrowed") != 0);
	expect_here();
	CHECK(filled(inherited, 1000, 3));
}

int main(int argc, char **argv)
{
	int before;

	inherited = malloc(1000);
	fill(inherited, 1000, 3);
	expect_here();
	before = other();
	if (getenv("VICTIM_EXPECT_THREAD"))
		CHECK(before != 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (argc > 1 && strcmp(argv[1], ways[i].name))
			continue;
		if (ways[i].copy)
			copy(ways[i].copy, ways[i].name);
		else
			ways[i].other();
		check_parent(before);
	}
	return FAILED;
}
