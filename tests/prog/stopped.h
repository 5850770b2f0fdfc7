/* SPDX-License-Identifier: MIT */
/*
 * stopped.h - what the two sides of stopped.c share: words in shared memory, and the
 * tracer's hand on the threads of another process
 *
 * Whoever waits for a word sleeps in a futex of its own making. So a machine that is busy
 * costs two switches per batch, and the library is not asked.
 */
#ifndef STOPPED_H
#define STOPPED_H

#include <dirent.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "victim.h"

#define PATIENCE 30 /* s for one batch and for whatever else has to come */
#define TEXT	 (4UL << 20)

struct shared {
	uint32_t asked,
		done;	   /* batches: the tracer's wish, the realtime thread's answer */
	uint32_t hoard;	   /* of this many bytes it is to have beside */
	uint32_t ready;	   /* threads that are where they shall be; 100: all */
	uint32_t go, over; /* the other thread may begin, and has done its work */
	uint32_t never;
	uint32_t threads; /* there are, beside the realtime one */
	uint32_t moved;	  /* the realtime thread's blocks come from a second pool */
	pid_t rt, other;
	char failed[100]; /* what went wrong in the process */
};

static struct shared *sh;

/* By an instruction of our own: the library's functions may not know about it. */
static long raw(long n, const void *a, long b, long c, const void *d)
{
	register const void *r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

static void tell(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	raw(SYS_futex, word, FUTEX_WAKE, 100, NULL);
}

/* Until it is something else; a while at most where `moment` is given. */
static void wait_while(uint32_t *word, uint32_t value, const struct timespec *moment)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value) {
		raw(SYS_futex, word, FUTEX_WAIT, value, moment);
		if (moment)
			return;
	}
}

#define WHEN(offset, mask, value, skip)                                \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(offset)),        \
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (unsigned)(mask)), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), 0, skip)

/* Of the calling thread: any system call ends the process, but a futex on that page. */
static bool forbid_system_calls(const void *page)
{
	size_t nr = offsetof(struct seccomp_data, nr);
	size_t arg = offsetof(struct seccomp_data, args[0]);
	struct sock_filter code[] = {
		WHEN(nr, ~0U, SYS_futex, 7),
		WHEN(arg, ~4095U, (uintptr_t)page, 4),
		WHEN(arg + 4, ~0U, (uintptr_t)page >> 32, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(*code), code};

	raw(SYS_prctl, (void *)PR_SET_NO_NEW_PRIVS, 1, 0, NULL);
	return raw(SYS_seccomp, (void *)SECCOMP_SET_MODE_FILTER, 0, (long)&prog, NULL) ==
	       0;
}

/* ---- the tracer ---- */

struct tracer {
	pid_t pid, helper;
	pid_t tid;	  /* the thread that is stepped, stopped here */
	uintptr_t lo, hi; /* the library's code */
	uintptr_t at;	  /* in it: the last instruction that was reached */
	long inside, tried;
	const char *name;
};

static unsigned char visits[TEXT]; /* by instruction */

__attribute__((noreturn)) static void give_up(const struct tracer *t, const char *what)
{
	printf("%s: %s; stopped before the library's instruction %ld (its code + "
	       "0x%lx)\n",
		t->name, *sh->failed ? sh->failed : what, t->inside, t->at);
	kill(t->pid, SIGKILL);
	exit(1);
}

static void check_patience(const struct tracer *t, time_t since, const char *what)
{
	if (time(NULL) - since > PATIENCE)
		give_up(t, what);
}

/* Another thread than the stepped one has ended, and so has the process. */
static void check_alive(const struct tracer *t)
{
	int status;

	if (waitpid(-1, &status, WNOHANG | __WALL) <= 0 || WIFSTOPPED(status))
		return;
	give_up(t, WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
			   ? "the realtime thread made a system call"
			   : "the process ended");
}

/* One batch of the realtime thread, while all others stand still. */
static void batch(const struct tracer *t)
{
	const struct timespec moment = {0, 200000000};
	uint32_t had = sh->asked;
	time_t since = time(NULL);

	tell(&sh->asked, had + 1);
	while (__atomic_load_n(&sh->done, __ATOMIC_ACQUIRE) == had) {
		wait_while(&sh->done, had, &moment);
		if (__atomic_load_n(&sh->done, __ATOMIC_ACQUIRE) != had)
			break;
		check_alive(t);
		check_patience(t, since, "the realtime thread is held up");
	}
	if (*sh->failed)
		give_up(t, "");
}

/* Where the library's code is; memory locks may split it. */
static void find_library(struct tracer *t)
{
	char path[64], line[512], mode[8];
	unsigned long a, b;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", t->pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, "librtpreload") ||
			sscanf(line, "%lx-%lx %7s", &a, &b, mode) != 3 || mode[2] != 'x')
			continue;
		t->lo = t->lo ? t->lo : a;
		t->hi = b;
	}
	if (f)
		fclose(f);
	if (!t->lo || t->hi - t->lo > TEXT)
		give_up(t, "the library is not there");
}

static bool is_helper(pid_t pid, pid_t tid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
	f = fopen(path, "r");
	if (f && !fgets(name, sizeof(name), f))
		*name = '\0';
	if (f)
		fclose(f);
	return strncmp(name, "rtmem-helper", 12) == 0;
}

/* It sleeps, between two turns of its loop; or it has just woken. */
static bool helper_sleeps(const struct user_regs_struct *r)
{
	return (r->orig_rax == SYS_futex || r->rcx == r->rip) &&
	       r->rsi == (FUTEX_WAIT | FUTEX_PRIVATE_FLAG);
}

/* False: it has ended meanwhile. */
static bool stop(pid_t tid)
{
	int status;

	return ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0 &&
	       waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status);
}

/* Holding nothing that the thread that is stepped may need. */
static void stop_helper(const struct tracer *t, pid_t tid)
{
	time_t since = time(NULL);
	struct user_regs_struct r;

	while (stop(tid)) {
		if (ptrace(PTRACE_GETREGS, tid, 0, &r) == 0 && helper_sleeps(&r))
			return;
		check_patience(t, since, "the helper never sleeps");
		ptrace(PTRACE_CONT, tid, 0, 0);
		usleep(1000);
	}
}

/* Calls fn for each thread of the process but the realtime one; how many there were. */
static int each_thread(struct tracer *t, void (*fn)(struct tracer *, pid_t))
{
	struct dirent *d;
	char path[64];
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", t->pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		pid_t tid = (pid_t)atoi(d->d_name);

		if (tid <= 0 || tid == sh->rt)
			continue;
		n++;
		fn(t, tid);
	}
	if (dir)
		closedir(dir);
	return n;
}

static void look_for_helper(struct tracer *t, pid_t tid)
{
	if (is_helper(t->pid, tid))
		t->helper = tid;
}

static void stop_one(struct tracer *t, pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, 0, 0))
		give_up(t, "a thread cannot be traced");
	if (tid == t->helper)
		stop_helper(t, tid);
	else if (!stop(tid))
		give_up(t, "a thread cannot be stopped");
}

/* All but the realtime thread. The helper comes by itself, perhaps at the second try. */
static void stop_all(struct tracer *t)
{
	time_t since = time(NULL);

	while (each_thread(t, look_for_helper) != (int)sh->threads || !t->helper) {
		usleep(1000);
		check_patience(t, since, "there is no helper");
	}
	each_thread(t, stop_one);
}

static void nothing(int number)
{
	(void)number;
}

/* Once a second a wait ends, so that patience can. */
static void tick(void)
{
	struct sigaction action = {.sa_handler = nothing};
	struct itimerval second = {{1, 0}, {1, 0}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &second, NULL);
}

/* The process begins, and all of its threads are where they shall be. */
static void start(struct tracer *t, void (*process)(void))
{
	const struct timespec moment = {0, 200000000};
	time_t since = time(NULL);
	cpu_set_t here;

	/* one thread runs at a time: no need to wake another processor */
	CPU_ZERO(&here);
	CPU_SET((unsigned)sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
	tick();
	t->pid = fork();
	if (t->pid == 0)
		process();
	while (__atomic_load_n(&sh->ready, __ATOMIC_ACQUIRE) < 100) {
		wait_while(&sh->ready, sh->ready, &moment);
		check_alive(t);
		check_patience(t, since, "the threads do not begin");
	}
	if (*sh->failed)
		give_up(t, "");
}

/* How: PTRACE_SINGLESTEP, or PTRACE_SYSCALL. False: the thread has ended. */
static bool go_on(const struct tracer *t, int how, struct user_regs_struct *r)
{
	time_t since = time(NULL);
	int status;

	if (ptrace(how, t->tid, 0, 0))
		return false;
	while (waitpid(t->tid, &status, __WALL) < 0) {
		if (errno != EINTR)
			return false;
		check_patience(
			t, since, "the other thread waits for one that is stopped");
	}
	return WIFSTOPPED(status) && ptrace(PTRACE_GETREGS, t->tid, 0, r) == 0;
}

/* Until the thread opens that file. */
static void run_until_open(const struct tracer *t, const char *path)
{
	time_t since = time(NULL);
	struct user_regs_struct r;
	char name[512];

	while (go_on(t, PTRACE_SYSCALL, &r)) {
		struct iovec here = {name, strlen(path) + 1},
			     there = {(void *)r.rsi, here.iov_len};

		if (r.orig_rax == SYS_openat && here.iov_len <= sizeof(name) &&
			process_vm_readv(t->pid, &here, 1, &there, 1, 0) ==
				(ssize_t)here.iov_len &&
			memcmp(name, path, here.iov_len) == 0)
			return;
		check_patience(t, since, "the policy is not read again");
	}
}

#endif
