/* SPDX-License-Identifier: MIT */
/*
 * log.c - one line on standard error, without stdio
 *
 * Never allocates, never keeps a descriptor, never changes errno, never lets a broken
 * pipe on descriptor 2 kill the program. Bounds: LOG_LINE_MAX bytes a line, 256 formats
 * for log_once(), 64 texts posted and not yet written.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "policy/model/format.h"
#include "fd_table.h"
#include "sys.h"

#define ONCE_SLOTS   256
#define POSTED_SLOTS 64
#define SIGPIPE_BIT  (1ULL << (SIGPIPE - 1))

struct line {
	struct format format;
	char *at, *end; /* end: the last byte, kept for the NUL */
};

static void line_put(struct format *f, char c)
{
	struct line *l = (struct line *)(void *)f;

	if (l->at < l->end)
		*l->at++ = c;
}

static int line_format(char *buf, unsigned len, const char *fmt, va_list *args)
{
	struct line l = {{line_put}, buf, buf + len - 1};

	format_list(&l.format, fmt, args);
	*l.at = '\0';
	return (int)(l.at - buf);
}

int log_format(char *buf, unsigned len, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (len == 0)
		return 0;
	va_start(ap, fmt);
	n = line_format(buf, len, fmt, &ap);
	va_end(ap);
	return n;
}

/* ---- where lines go ---- */

/* The program's descriptor 2, in the calling thread's own table. Negative errno: none. */
static int borrow_stderr(void)
{
	int pidfd = sys_pidfd_open(sys_getpid(), 0), fd = pidfd;

	if (pidfd >= 0) {
		fd = sys_pidfd_getfd(pidfd, 2, 0);
		sys_close(pidfd);
	}
	if (fd >= 0 || fd == -EBADF)
		return fd;
	/* not by our number, which is another process's in a /proc of another namespace
	 */
	return sys_openat(AT_FDCWD, "/proc/self/fd/2",
		O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY, 0);
}

/* What descriptor 2 was at start: a file the program opens there later is its own. */
static struct {
	bool known, open;
	dev_t dev;
	ino_t ino;
} log_stderr;

void log_know_stderr(void)
{
	struct stat st;

	log_stderr.open = sys_call3(SYS_fstat, 2, (long)&st, 0) == 0;
	log_stderr.dev = st.st_dev;
	log_stderr.ino = st.st_ino;
	log_stderr.known = true;
}

static bool is_stderr(int fd)
{
	struct stat st;

	if (!log_stderr.known)
		return true;
	return log_stderr.open && sys_call3(SYS_fstat, fd, (long)&st, 0) == 0 &&
	       st.st_dev == log_stderr.dev && st.st_ino == log_stderr.ino;
}

/* A reader that went away must not cost the program a SIGPIPE it did not cause. */
static void write_no_signal(int fd, const char *text, size_t len)
{
	const struct timespec now = {0, 0};
	uint64_t pipe_bit = SIGPIPE_BIT, old = 0, pending = 0;
	ssize_t ret;

	sys_sigprocmask(SIG_BLOCK, &pipe_bit, &old);
	sys_sigpending(&pending);
	do
		ret = sys_write(fd, text, len);
	while (ret == -EINTR);
	if (ret == -EPIPE && !(pending & SIGPIPE_BIT))
		sys_sigtimedwait(&pipe_bit, &now);
	sys_sigprocmask(SIG_SETMASK, &old, NULL);
}

static bool log_kept;  /* descriptor 2 of the caller's own table is the program's */
static bool log_dying; /* the message is the last one */

static void write_line(const char *text, size_t len)
{
	int fd;

	/* a filter may not like what it takes to write without a trace */
	if (sys_restricted() && !log_dying)
		return;
	if (!fd_table_private()) {
		if (is_stderr(2))
			write_no_signal(2, text, len);
		return;
	}
	fd = log_kept ? 2 : borrow_stderr();
	if (fd < 0)
		return;
	if (is_stderr(fd))
		write_no_signal(fd, text, len);
	if (!log_kept)
		sys_close(fd);
}

void log_use_process_stderr(bool kept)
{
	log_kept = kept;
	fd_table_mark_private();
}

/* ---- lines ---- */

static void write_list(const char *fmt, va_list *ap)
{
	char line[LOG_LINE_MAX];
	int n = log_format(line, sizeof line - 1, "rtmem: ");

	n += line_format(line + n, (unsigned)(sizeof line - 1) - (unsigned)n, fmt, ap);
	line[n++] = '\n';
	write_line(line, (size_t)n);
}

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_list(fmt, &ap);
	va_end(ap);
}

/* true for the first caller with this format; false also when the table is full */
static bool first_time(const char *fmt)
{
	static const char *seen[ONCE_SLOTS];
	size_t start = ((uintptr_t)fmt >> 3) % ONCE_SLOTS;

	for (size_t i = 0; i < ONCE_SLOTS; i++) {
		const char *there = NULL;

		/* relaxed: the pointer is compared, never followed */
		if (__atomic_compare_exchange_n(&seen[(start + i) % ONCE_SLOTS], &there,
			    fmt, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
		if (there == fmt)
			return false;
	}
	return false;
}

void log_once(const char *fmt, ...)
{
	va_list ap;

	if (!first_time(fmt))
		return;
	va_start(ap, fmt);
	write_list(fmt, &ap);
	va_end(ap);
}

void log_misuse(const char *fmt, ...)
{
	va_list ap;

	log_dying = true;
	va_start(ap, fmt);
	write_list(fmt, &ap);
	va_end(ap);
	abort();
}

/* ---- messages from realtime threads ---- */

static struct {
	const char *text; /* set once, never cleared: literals, and few */
	uint32_t count;	  /* posts not written yet */
} posted[POSTED_SLOTS];
static uint32_t posted_lost;

void log_post(const char *text)
{
	size_t start = ((uintptr_t)text >> 3) % POSTED_SLOTS;

	for (size_t i = 0; i < POSTED_SLOTS; i++) {
		size_t at = (start + i) % POSTED_SLOTS;
		const char *there = NULL;

		/* relaxed: the text is a constant; that it was posted is told by count */
		if (__atomic_compare_exchange_n(&posted[at].text, &there, text, false,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
			there == text) {
			/* release: pairs with the exchange in log_flush_posted() */
			__atomic_fetch_add(&posted[at].count, 1, __ATOMIC_RELEASE);
			return;
		}
	}
	/* relaxed: a statistic */
	__atomic_fetch_add(&posted_lost, 1, __ATOMIC_RELAXED);
}

void log_flush_posted(void)
{
	uint32_t n;

	for (size_t i = 0; i < POSTED_SLOTS; i++) {
		/* relaxed: an idle slot is left alone, a late post is found next time */
		if (__atomic_load_n(&posted[i].count, __ATOMIC_RELAXED) == 0)
			continue;
		/* acquire: pairs with the release in log_post(), so text is there */
		n = __atomic_exchange_n(&posted[i].count, 0, __ATOMIC_ACQUIRE);
		if (n == 1)
			log_line("%s", posted[i].text);
		else if (n > 1)
			log_line("%s (%u times)", posted[i].text, n);
	}
	/* relaxed: a statistic */
	n = __atomic_exchange_n(&posted_lost, 0, __ATOMIC_RELAXED);
	if (n > 0)
		log_line("%u more messages were lost", n);
}
