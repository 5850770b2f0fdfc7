/* SPDX-License-Identifier: MIT */
/*
 * machine.h - what this machine gives, asked without the library
 *
 * Tests hold on every machine: what is expected of the library depends on what there is.
 */
#ifndef TEST_MACHINE_H
#define TEST_MACHINE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* May pages be pinned through io_uring? */
static inline bool machine_pins(void)
{
	char params[120] = {0}; /* struct io_uring_params */
	int fd = (int)syscall(SYS_io_uring_setup, 1, params);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Does the kernel tell where pages lie? */
static inline bool machine_shows_frames(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;
	ssize_t got =
		pread(fd, &entry, sizeof entry, (off_t)((uintptr_t)&entry / 4096 * 8));

	close(fd);
	return got == sizeof entry && (entry & ((1ULL << 55) - 1)) != 0;
}

/* Does memory come in transparent huge pages, or is made so, and are they told of? Asked
 * by the size of what was mapped of them. */
static inline bool machine_has_thp(void)
{
	size_t size = 4UL << 20;
	char *p = (char *)mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = (char *)(((uintptr_t)p + (2UL << 20) - 1) & ~((2UL << 20) - 1));
	bool huge = false;
	int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t got;
	const char *found;

	madvise(at, 2UL << 20, 14 /* MADV_HUGEPAGE */);
	memset(at, 1, 2UL << 20);
	got = read(fd, text, sizeof text - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	found = strstr(text, "AnonHugePages:");
	if (found)
		for (found += 14; *found == ' ' || (*found >= '0' && *found <= '9');
			found++)
			huge |= *found >= '1' && *found <= '9';
	munmap(p, size);
	return huge;
}

/* A user whom no other test shares: the kernel charges pins to the user. */
static inline uid_t machine_user(void)
{
	return 40000 + (uid_t)getpid() % 20000;
}

#endif
