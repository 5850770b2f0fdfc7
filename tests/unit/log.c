/* SPDX-License-Identifier: MIT */
/*
 * log.c - the formatter agrees with snprintf, lines are one write, errno, descriptors and
 * signals of the program are left alone
 */
#include "os/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd_table.h"

static int failures;

#define CHECK(cond) check((cond), #cond, __LINE__)
static void check(bool ok, const char *what, int line)
{
	if (!ok) {
		printf("log.c:%d: %s\n", line, what);
		failures++;
	}
}

#define SAME(...)                                               \
	do {                                                    \
		char a[128], b[128];                            \
		int n = log_format(a, sizeof a, __VA_ARGS__);   \
		CHECK(n == snprintf(b, sizeof b, __VA_ARGS__)); \
		CHECK(strcmp(a, b) == 0);                       \
	} while (0)

static void formats_like_snprintf(void)
{
	char cut[8];

	SAME("plain");
	SAME("%s|%s", "", "text");
	SAME("%d %d %d", 0, -1, 2147483647);
	SAME("%d", -2147483647 - 1);
	SAME("%u %u", 0u, 4294967295u);
	SAME("%lu %ld %ld", ~0ul, -1l, (long)(1ul << 63));
	SAME("%lx %lx", 0ul, 0xdeadbeefcafeul);
	SAME("%zu%%", (size_t)-1);
	SAME("%p %c", (void *)cut, 'x');
	CHECK(log_format(cut, sizeof cut, "%s", "0123456789") == 7);
	CHECK(strcmp(cut, "0123456") == 0);
	CHECK(log_format(cut, 1, "%d", 123) == 0 && cut[0] == '\0');
	CHECK(log_format(cut, 0, "%d", 123) == 0);
}

/* Standard error becomes a pipe; what was written since, at most len - 1 bytes. */
static int reader;

static void capture(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0 || dup2(ends[1], 2) < 0)
		abort();
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	reader = ends[0];
}

static const char *captured(void)
{
	static char text[65536];
	ssize_t n = read(reader, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void writes_one_line(void)
{
	char wide[1000];
	const char *got;

	errno = 77;
	log_line("pool %s has %d", "audio", 3);
	CHECK(errno == 77);
	CHECK(strcmp(captured(), "rtmem: pool audio has 3\n") == 0);
	memset(wide, 'w', sizeof wide - 1);
	wide[sizeof wide - 1] = '\0';
	log_line("%s", wide);
	got = captured();
	CHECK(strlen(got) == LOG_LINE_MAX - 1 && got[LOG_LINE_MAX - 2] == '\n');
	for (int i = 0; i < 3; i++)
		log_once("only once: %d", i);
	CHECK(strcmp(captured(), "rtmem: only once: 0\n") == 0);
}

static void *post_many(void *text)
{
	for (int i = 0; i < 1000; i++)
		log_post(text);
	return NULL;
}

static void posts_wait_for_the_flush(void)
{
	static char spare[100][8];
	static char text[] = "starved";
	pthread_t threads[3];

	log_post("pool full");
	CHECK(strcmp(captured(), "") == 0);
	log_flush_posted();
	CHECK(strcmp(captured(), "rtmem: pool full\n") == 0);
	log_flush_posted();
	CHECK(strcmp(captured(), "") == 0);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, post_many, text);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	log_flush_posted();
	CHECK(strcmp(captured(), "rtmem: starved (3000 times)\n") == 0);
	for (int i = 0; i < 100; i++) {
		snprintf(spare[i], sizeof spare[i], "t%d", i);
		log_post(spare[i]);
	}
	log_flush_posted();
	CHECK(strstr(captured(), "rtmem: 38 more messages were lost\n") != NULL);
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void *helper(void *unused)
{
	syscall(SYS_close_range, 0u, ~0u, 2u /* CLOSE_RANGE_UNSHARE */);
	log_use_process_stderr(false);
	CHECK(fd_table_private());
	log_line("from a thread without descriptors");
	CHECK(open_fds() == 0);
	return unused;
}

static void helper_reaches_standard_error(void)
{
	int before = open_fds();
	pthread_t t;

	pthread_create(&t, NULL, helper, NULL);
	pthread_join(t, NULL);
	CHECK(strcmp(captured(), "rtmem: from a thread without descriptors\n") == 0);
	CHECK(open_fds() == before && !fd_table_private());
}

static void broken_pipe_is_silent(void)
{
	sigset_t pending;

	signal(SIGPIPE, SIG_DFL);
	close(reader);
	log_line("nobody reads this");
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGPIPE));
	close(2);
	errno = 5;
	log_line("nor this");
	CHECK(errno == 5);
	CHECK(open("/dev/null", O_WRONLY | O_CLOEXEC) == 2);
}

static void misuse_aborts(void)
{
	int status;
	pid_t child;

	capture();
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		log_misuse("free of %s", "nothing");
	}
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK(strcmp(captured(), "rtmem: free of nothing\n") == 0);
}

int main(void)
{
	formats_like_snprintf();
	capture();
	writes_one_line();
	posts_wait_for_the_flush();
	helper_reaches_standard_error();
	broken_pipe_is_silent();
	misuse_aborts();
	return failures != 0;
}
