/* SPDX-License-Identifier: MIT */
/*
 * library.c - where is librtpreload, and what does LD_PRELOAD have to say?
 *
 * Reads the loader's cache (/etc/ld.so.cache) instead of running ldconfig. Never loads
 * the library: its constructors are for programs, not for the tool.
 */
#include "library.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LD_CACHE "/etc/ld.so.cache"
#define LD_MAGIC "glibc-ld.so.cache1.1"

const char *const library_directory[] = {"/lib/" RTMEM_MULTIARCH,
	"/usr/lib/" RTMEM_MULTIARCH, "/lib64", "/usr/lib64", "/lib", "/usr/lib", NULL};

/* The cache as ldconfig(8) writes it since glibc 2.32. Offsets count from its first byte.
 */
struct ld_cache {
	char magic[20];
	uint32_t nlib;
	uint32_t len_strings;
	uint32_t unused[5];
	struct ld_entry {
		int32_t flags;
		uint32_t soname, path;
		uint32_t osversion;
		uint64_t hwcap;
	} lib[];
};

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* A string of the cache; "" when it does not end inside it. */
static const char *cache_string(const char *base, size_t len, uint32_t off)
{
	return off < len && memchr(base + off, 0, len - off) ? base + off : "";
}

/* The first file of this soname in the cache that fits; "" when none. */
static void search_cache(const char *base, size_t len, const char *soname,
	bool (*fits)(const char *path), char *out)
{
	const struct ld_cache *c = (const void *)base;

	if (len < sizeof(*c) || memcmp(c->magic, LD_MAGIC, sizeof(c->magic)) != 0 ||
		c->nlib > (len - sizeof(*c)) / sizeof(c->lib[0]))
		return;
	for (uint32_t i = 0; i < c->nlib; i++) {
		const char *path = cache_string(base, len, c->lib[i].path);

		if (strcmp(cache_string(base, len, c->lib[i].soname), soname) == 0 &&
			(!fits || fits(path))) {
			snprintf(out, PATH_MAX, "%s", path);
			return;
		}
	}
}

void library_cached(
	const char *soname, bool (*fits)(const char *path), char out[static PATH_MAX])
{
	struct stat st;
	int fd = open(LD_CACHE, O_RDONLY | O_CLOEXEC);

	out[0] = '\0';
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		size_t len = (size_t)st.st_size;
		void *p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);

		if (p != MAP_FAILED) {
			search_cache(p, len, soname, fits, out);
			munmap(p, len);
		}
	}
	close(fd);
}

/*
 * What the loader takes for the bare soname: the cache, then its own directories.
 * LD_LIBRARY_PATH comes before both and is the program's business: with it, nothing.
 */
static void loader_resolves(char out[static PATH_MAX])
{
	const char *path = getenv("LD_LIBRARY_PATH");

	out[0] = '\0';
	if (path && *path)
		return;
	library_cached(RTMEM_SONAME, NULL, out);
	for (int i = 0; library_directory[i] && !*out; i++) {
		snprintf(out, PATH_MAX, "%s/%s", library_directory[i], RTMEM_SONAME);
		if (access(out, R_OK) != 0)
			out[0] = '\0';
	}
}

/* The tool's own file; in a root without /proc by the name it was started with. */
static bool own_path(char out[static PATH_MAX])
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

	if (n <= 0)
		return name && realpath(name, out);
	out[n] = '\0';
	return true;
}

/* Beside the tool, or in the lib directories of the prefix it was installed under. */
static bool beside_tool(char out[static PATH_MAX])
{
	static const char *const below[] = {
		"/", "/../lib/" RTMEM_MULTIARCH "/", "/../lib/", "/../lib64/"};
	char dir[PATH_MAX], path[PATH_MAX + 64];

	if (!own_path(dir) || !strchr(dir, '/'))
		return false;
	*strrchr(dir, '/') = '\0';
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		snprintf(path, sizeof(path), "%s%s%s", dir, below[i], RTMEM_SONAME);
		if (access(path, R_OK) == 0 && realpath(path, out))
			return true;
	}
	return false;
}

bool library_find(struct library *out)
{
	char loader[PATH_MAX];

	memset(out, 0, sizeof(*out));
	loader_resolves(loader);
	if (!beside_tool(out->path)) {
		if (!*loader)
			return false;
		snprintf(out->path, sizeof(out->path), "%s", loader);
	}
	if (*loader && same_file(loader, out->path))
		snprintf(out->word, sizeof(out->word), "%s", RTMEM_SONAME);
	else if (!strpbrk(out->path, " :"))
		snprintf(out->word, sizeof(out->word), "%s", out->path);
	return true;
}

bool library_in_preload(const char *value)
{
	static const char stem[] = "librtpreload.so";

	for (const char *p = value; *p;) {
		size_t len = strcspn(p, " :");
		const char *base = memrchr(p, '/', len);

		base = base ? base + 1 : p;
		if (strncmp(base, stem, sizeof(stem) - 1) == 0)
			return true;
		p += len;
		p += strspn(p, " :");
	}
	return false;
}
