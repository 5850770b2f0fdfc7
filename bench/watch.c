/* SPDX-License-Identifier: MIT */
/*
 * watch.c - run a program with the probe in it and report its realtime threads
 *
 *   watch -p PROBE.SO [-c] [-w WARM] [-d SECONDS] [-a] [-l LABEL]
 *         [--] COMMAND…
 *
 * -c counts faults and system calls inside the allocator; without it calls are timed.
 * After WARM seconds counting starts afresh; SECONDS later the program is ended. -a also
 * reports threads that are not realtime. One line of tab-separated fields a thread:
 *
 *   label name tid class priority seconds allocs frees bytes faults thread_faults
 *   system_calls p50_ns p999_ns max_ns free_p50_ns free_p999_ns free_max_ns
 *
 * and one line "process label mapped_kib locked_kib pinned_kib exit_status" (mapped: what
 * mlockall would lock, all mappings that can be accessed), and one line "call label
 * number count" for each system call seen inside. The command finds the probe's name in
 * PROBE_LIBRARY, and puts it into LD_PRELOAD, in front of the allocator to measure.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "probe.h"
#include "trap.h"

#define LISTENERS 64

static const char *probe, *label = "run";
static bool count_mode, all_threads;
static double warm = 1, seconds = 10;
static struct probe_table *table;
static char table_path[] = "/dev/shm/rtmem-probe-XXXXXX";
static unsigned long mapped_kib, locked_kib, pinned_kib;
static struct pollfd listener[LISTENERS];
static unsigned listeners;
static volatile sig_atomic_t told_to_stop;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void stop(int signo)
{
	told_to_stop = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void make_table(void)
{
	int fd = mkstemp(table_path);

	if (fd < 0 || ftruncate(fd, sizeof(*table)) < 0)
		die(table_path);
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_POPULATE, fd, 0);
	if (table == MAP_FAILED)
		die("mmap");
	close(fd);
	table->mode = count_mode ? PROBE_COUNT : PROBE_TIME;
	table->all = all_threads;
}

/* The slot a thread writes now: a process that called exec has older ones. */
static struct probe_slot *slot_of(pid_t tid)
{
	uint32_t n = __atomic_load_n(&table->slots, __ATOMIC_RELAXED);

	for (uint32_t i = n < PROBE_SLOTS ? n : PROBE_SLOTS; i-- > 0;)
		if (__atomic_load_n(&table->slot[i].tid, __ATOMIC_ACQUIRE) ==
			(uint32_t)tid)
			return &table->slot[i];
	return NULL;
}

static void seen(pid_t tid, int nr)
{
	struct probe_slot *s = slot_of(tid);

	if (s == NULL || !__atomic_load_n(&s->inside, __ATOMIC_ACQUIRE))
		return;
	s->system_calls++;
	if (nr >= 0 && nr < PROBE_CALLS)
		table->syscall_number[nr]++;
}

/* Facts of one thread from outside: class, name, faults. */
static void look_at(struct probe_slot *s)
{
	char path[64], line[512], *p;
	struct sched_param sp;
	int policy = sched_getscheduler((pid_t)s->tid);
	unsigned long faults, major;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", table->pid, s->tid);
	f = fopen(path, "r");
	if (f == NULL || policy < 0)
		goto out;
	if (fgets(line, sizeof(line), f) == NULL || (p = strrchr(line, ')')) == NULL ||
		sscanf(p, ") %*c %*d %*d %*d %*d %*d %*u %lu %*u %lu", &faults, &major) !=
			2)
		goto out;
	*p = '\0';
	snprintf(s->name, sizeof(s->name), "%s", strchr(line, '(') + 1);
	s->policy = policy & ~0x40000000; /* SCHED_RESET_ON_FORK */
	if (sched_getparam((pid_t)s->tid, &sp) == 0)
		s->priority = sp.sched_priority;
	s->last_ns = now_ns();
	s->last_faults = faults + major;
	if (s->first_ns == 0) {
		s->first_ns = s->last_ns;
		s->first_faults = s->last_faults;
	}
out:
	if (f)
		fclose(f);
}

/* All that can be accessed: mlockall() locks it, to the last font and locale archive. */
static void measure_mapped(void)
{
	unsigned long from, to, sum = 0;
	char path[64], line[4200], mode[8];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/maps", table->pid);
	f = fopen(path, "r");
	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 &&
			strncmp(mode, "---", 3) != 0)
			sum += to - from;
	fclose(f);
	if (sum)
		mapped_kib = sum / 1024;
}

static void look(void)
{
	uint32_t n = __atomic_load_n(&table->slots, __ATOMIC_RELAXED);
	char path[64], line[128];
	FILE *f;

	for (uint32_t i = 0; i < n && i < PROBE_SLOTS; i++)
		if (__atomic_load_n(&table->slot[i].tid, __ATOMIC_ACQUIRE))
			look_at(&table->slot[i]);
	snprintf(path, sizeof(path), "/proc/%u/status", table->pid);
	f = fopen(path, "r");
	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "VmLck: %lu", &locked_kib);
		sscanf(line, "VmPin: %lu", &pinned_kib);
	}
	fclose(f);
}

/* Everything before now was warming up. */
static void start_afresh(void)
{
	uint32_t n = __atomic_load_n(&table->slots, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < n && i < PROBE_SLOTS; i++) {
		table->slot[i].first_ns = 0;
		table->slot[i].system_calls = 0;
	}
	memset(table->syscall_number, 0, sizeof(table->syscall_number));
	__atomic_add_fetch(&table->epoch, 1, __ATOMIC_RELEASE);
	look();
}

static void run_child(char **argv)
{
	setenv("PROBE_LIBRARY", probe, 1);
	setenv("PROBE_TABLE", table_path, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(argv[0], argv);
	fprintf(stderr, "watch: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Takes over threads that have put themselves under the supervisor since. */
static void take_listeners(void)
{
	uint32_t n = __atomic_load_n(&table->slots, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < n && i < PROBE_SLOTS && listeners < LISTENERS; i++) {
		struct probe_slot *s = &table->slot[i];
		int fd;

		if (!__atomic_load_n(&s->trap.listener, __ATOMIC_ACQUIRE) ||
			s->trap.taken)
			continue;
		fd = trap_parent(&s->trap, (pid_t)table->pid);
		if (fd < 0)
			fprintf(stderr, "watch: no supervisor: %s\n", strerror(-fd));
		else
			listener[listeners++] = (struct pollfd){fd, POLLIN, 0};
	}
}

static void serve(void)
{
	if (poll(listener, listeners, count_mode ? 1 : 10) <= 0)
		return;
	for (unsigned i = 0; i < listeners; i++)
		if (listener[i].revents && !trap_serve(listener[i].fd, 0, seen))
			listener[i].fd = -1; /* the thread has ended */
}

/* Serves, looks ten times a second, and ends the child in time. Returns its status. */
static int supervise(pid_t child)
{
	uint64_t start = now_ns(), next_look = 0;
	bool warmed = false, ended = false;
	int status = 0;

	while (waitpid(child, &status, WNOHANG) == 0) {
		uint64_t now = now_ns();
		double age = (double)(now - start) / 1e9;

		serve();
		take_listeners();
		if (now >= next_look && !ended) {
			next_look = now + 100000000;
			look();
		}
		if (!warmed && age >= warm) {
			start_afresh();
			warmed = true;
		}
		if (!ended && (age >= warm + seconds || told_to_stop)) {
			look();
			measure_mapped();
			kill(child, SIGTERM);
			ended = true;
		}
		if (ended && age >= warm + seconds + 3)
			kill(child, SIGKILL);
	}
	return status;
}

/* The value below which `per_million` of a histogram lies, in ns. */
static double percentile(
	const struct probe_slot *s, int op, double part, double ns_per_tick)
{
	uint64_t want = (uint64_t)((double)s->calls[op] * part), sum = 0;

	for (unsigned i = 0; i < PROBE_BINS; i++) {
		sum += s->bin[op][i];
		if (sum > want)
			return (double)probe_bin_top(i) * ns_per_tick;
	}
	return (double)s->max_ticks[op] * ns_per_tick;
}

static const char *class_name(int policy)
{
	switch (policy) {
	case SCHED_FIFO:
		return "FIFO";
	case SCHED_RR:
		return "RR";
	case 6:
		return "DEADLINE";
	default:
		return "OTHER";
	}
}

static void report(double ns_per_tick, int status)
{
	for (uint32_t i = 0; i < table->slots && i < PROBE_SLOTS; i++) {
		struct probe_slot *s = &table->slot[i];
		bool rt = s->policy == SCHED_FIFO || s->policy == SCHED_RR ||
			  s->policy == 6;

		if ((!rt && !all_threads) || s->epoch != table->epoch)
			continue;
		printf("thread\t%s\t%s\t%u\t%s\t%d\t%.2f\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu",
			label, s->name, s->tid, class_name(s->policy), s->priority,
			(double)(s->last_ns - s->first_ns) / 1e9, s->calls[PROBE_ALLOC],
			s->calls[PROBE_FREE], s->bytes, s->faults,
			s->last_faults - s->first_faults, s->system_calls);
		for (int op = 0; op < PROBE_OPS; op++)
			printf("\t%.0f\t%.0f\t%.0f", percentile(s, op, 0.5, ns_per_tick),
				percentile(s, op, 0.999, ns_per_tick),
				(double)s->max_ticks[op] * ns_per_tick);
		putchar('\n');
	}
	for (int nr = 0; nr < PROBE_CALLS; nr++)
		if (table->syscall_number[nr])
			printf("call\t%s\t%d\t%lu\n", label, nr,
				table->syscall_number[nr]);
	printf("process\t%s\t%lu\t%lu\t%lu\t%d\n", label, mapped_kib, locked_kib,
		pinned_kib, status);
}

static void options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "+p:cw:d:al:")) != -1) {
		switch (o) {
		case 'p':
			probe = optarg;
			break;
		case 'c':
			count_mode = true;
			break;
		case 'w':
			warm = atof(optarg);
			break;
		case 'd':
			seconds = atof(optarg);
			break;
		case 'a':
			all_threads = true;
			break;
		case 'l':
			label = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (probe == NULL || optind == argc) {
		fprintf(stderr,
			"usage: watch -p PROBE.SO [-c] [-a] [-w WARM] [-d SECONDS] [-l "
			"LABEL] [--] COMMAND...\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct sched_param high = {.sched_priority = 90};
	uint64_t ticks, ns;
	int status;
	pid_t child;

	options(argc, argv);
	make_table();
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	ticks = __rdtsc();
	ns = now_ns();
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0)
		run_child(argv + optind);
	/* An answer that comes late is a hole in the music; not allowed is no harm. */
	if (count_mode)
		sched_setscheduler(0, SCHED_FIFO, &high);
	status = supervise(child);
	ticks = __rdtsc() - ticks;
	ns = now_ns() - ns;
	unlink(table_path);
	report((double)ns / (double)ticks, status);
	return 0;
}
