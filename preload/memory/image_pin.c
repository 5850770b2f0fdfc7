/* SPDX-License-Identifier: MIT */
/*
 * image_pin.c - pin_process = yes: not even the globals and the stack of a realtime
 * thread fault after a fork
 *
 * Pinned ranges are kept in a list, so that a later call adds only new ones. A range
 * stays pinned, and its pages stay in RAM, until the process ends, even if the program
 * unmaps it. So only small mappings are taken, and their sum has a limit. Pinning is
 * tried, never required (area_pin.c). Bounds: IMAGE_PIN_RANGES ranges, IMAGE_PIN_LARGEST
 * bytes each, IMAGE_PIN_TOTAL in all.
 */
#include "image.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/child.h"
#include "os/fd_table.h"
#include "os/sys.h"
#include "area.h"

#define IMAGE_PIN_RANGES  256
#define IMAGE_PIN_LARGEST (1UL << 20)
#define IMAGE_PIN_TOTAL	  (16UL << 20)

struct range {
	uintptr_t lo, hi;
};

static struct range pinned[IMAGE_PIN_RANGES], found[IMAGE_PIN_RANGES];
CHILD_DATA static int pinned_count, found_count;
CHILD_DATA static size_t pinned_bytes;
CHILD_DATA static uint32_t busy; /* one caller at a time; a second one leaves */

static bool overlaps(const struct range *r, uintptr_t lo, uintptr_t hi)
{
	return lo < r->hi && r->lo < hi;
}

/* Pins the part of [lo, hi) above and below what is pinned already. False: refused. */
static bool pin_new(uintptr_t lo, uintptr_t hi)
{
	for (int i = 0; i < pinned_count && lo < hi; i++) {
		const struct range *r = &pinned[i];

		if (!overlaps(r, lo, hi))
			continue;
		if (r->lo <= lo)
			lo = r->hi;
		else if (r->hi >= hi)
			hi = r->lo;
		else
			return true; /* all but its edges is */
	}
	if (lo >= hi)
		return true;
	if (pinned_count == IMAGE_PIN_RANGES ||
		pinned_bytes + (hi - lo) > IMAGE_PIN_TOTAL ||
		area_pin_foreign((void *)lo, hi - lo) != hi - lo)
		return false;
	pinned[pinned_count++] = (struct range){lo, hi};
	pinned_bytes += hi - lo;
	return true;
}

/*
 * `bytes` below hi, or half of it, and so on, where the stack is shorter; and the pages
 * above hi, where libc keeps the thread's descriptor and its thread-local storage.
 */
static void pin_stack(uintptr_t hi, size_t bytes)
{
	if (bytes > IMAGE_PIN_LARGEST)
		bytes = IMAGE_PIN_LARGEST;
	hi = (hi | (AREA_PAGE - 1)) + 1;
	for (bytes &= ~(AREA_PAGE - 1); bytes >= AREA_PAGE && bytes < hi;
		bytes = bytes / 2 & ~(AREA_PAGE - 1))
		if (pin_new(hi - bytes, hi))
			break;
	for (int i = 0; i < 2 && pin_new(hi, hi + AREA_PAGE); i++)
		hi += AREA_PAGE;
}

/* ---- /proc/self/maps, line by line, without a buffer for all of it ---- */

static bool parse_hex(const char **s, uintptr_t *n)
{
	const char *start = *s;

	for (*n = 0;; (*s)++) {
		if (**s >= '0' && **s <= '9')
			*n = *n << 4 | (uintptr_t)(**s - '0');
		else if (**s >= 'a' && **s <= 'f')
			*n = *n << 4 | (uintptr_t)(**s - 'a' + 10);
		else
			return *s > start;
	}
}

/* "LO-HI rw-p …" of a small mapping that is no area is noted. */
static void note_line(const char *s)
{
	struct range r;

	if (!parse_hex(&s, &r.lo) || *s++ != '-' || !parse_hex(&s, &r.hi))
		return;
	if (s[0] != ' ' || s[1] != 'r' || s[2] != 'w' || s[4] != 'p')
		return;
	if (r.hi - r.lo > IMAGE_PIN_LARGEST || area_contains((void *)r.lo) ||
		found_count == IMAGE_PIN_RANGES)
		return;
	found[found_count++] = r;
}

/* Runs where descriptors may be opened (fd_table.h). */
static int read_maps(void *unused)
{
	int fd = sys_openat(AT_FDCWD, "/proc/thread-self/maps", O_RDONLY | O_CLOEXEC, 0);
	char text[2048], line[64];
	size_t len = 0;
	ssize_t got;

	(void)unused;
	if (fd < 0)
		return fd;
	while ((got = sys_read(fd, text, sizeof text)) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (text[i] != '\n') {
				if (len < sizeof line - 1)
					line[len++] = text[i];
				continue;
			}
			line[len] = '\0';
			note_line(line);
			len = 0;
		}
	}
	return sys_close(fd);
}

void image_pin_process(uintptr_t stack_hi, size_t bytes)
{
	/* acquire: pairs with the release below */
	if (sys_restricted() || __atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
		return;
	if (stack_hi != 0)
		pin_stack(stack_hi, bytes);
	found_count = 0;
	fd_table_run(read_maps, NULL);
	for (int i = 0; i < found_count; i++)
		pin_new(found[i].lo, found[i].hi);
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

void image_pin_child(void)
{
	/* pins are not inherited; who held busy is not there any more */
	CHILD_SET(pinned_count, 0);
	CHILD_SET(pinned_bytes, 0);
	CHILD_SET(busy, 0);
}
