/* SPDX-License-Identifier: MIT */
/* cflags: -fsanitize=address,undefined -fno-sanitize-recover=all */
/* libs: -lelf */
/*
 * elf.c - programs damaged in every way are inspected without a step outside the file
 *
 * This program itself is the victim: cut short at many lengths, then with random bytes in
 * its headers, in its dynamic section and in the headers of its sections. The sanitizers
 * watch.
 */
#define RTMEM_SONAME	"librtpreload.so.1"
#define RTMEM_MULTIARCH "x86_64-linux-gnu"
#include "policy/system/elf.c"
#include "policy/system/elf_dynamic.c"
#include "policy/system/elf_needed.c"
#include "policy/system/library.c"

#define ROUNDS	    4000
#define NEEDED_EACH 20 /* its libraries are many */

static unsigned char *image;
static size_t image_len;
static int needed; /* libraries that were found, of the last one that was asked for */
static int inspected;
static unsigned long long seed = 88172645463325252ULL;

static size_t roll(size_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % below);
}

static bool read_self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return false;
	image_len = (size_t)st.st_size;
	image = malloc(image_len);
	bool ok = image && read(fd, image, image_len) == (ssize_t)image_len;
	close(fd);
	return ok;
}

static void count(const char *library, bool found, void *arg)
{
	int *n = arg;

	(void)library;
	*n += found;
}

static void inspect(const char *path, const void *bytes, size_t len, struct elf_facts *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len) {
		perror(path);
		exit(1);
	}
	close(fd);
	elf_inspect(path, f);
	elf_defines_malloc(f);
	if (inspected++ % NEEDED_EACH == 0) {
		needed = 0;
		elf_needs(f, count, &needed);
	}
}

/* Where a random change can matter: headers, the dynamic section, sections' headers. */
static size_t interesting(void)
{
	const Elf64_Ehdr *eh = (const void *)image;
	const Elf64_Phdr *ph = (const void *)(image + eh->e_phoff), *dyn = ph;

	while (dyn->p_type != PT_DYNAMIC)
		dyn++;
	switch (roll(4)) {
	case 0:
		return roll(sizeof(*eh));
	case 1:
		return eh->e_phoff + roll(eh->e_phnum * sizeof(*ph));
	case 2:
		return eh->e_shoff + roll(eh->e_shnum * sizeof(Elf64_Shdr));
	default:
		return dyn->p_offset + roll(dyn->p_filesz);
	}
}

int main(void)
{
	char path[] = "/tmp/rtmem-unit-elf.XXXXXX";
	int fd = mkstemp(path), failed = 0;
	struct elf_facts f;

	if (fd < 0 || !read_self())
		return 1;
	close(fd);
	inspect(path, image, image_len, &f);
	if (f.kind != ELF_KIND_PROGRAM || !f.native || f.is_static || !*f.loader ||
		strcmp(f.sanitizer, "AddressSanitizer") != 0 || needed < 3) {
		puts("this program is not recognised for what it is");
		failed = 1;
	}
	for (size_t len = 0; len < 2000 && !failed; len += 1 + len / 64) {
		inspect(path, image, len, &f);
		if (len >= SELFMAG && f.kind == ELF_KIND_PROGRAM && f.is_static) {
			printf("cut at %zu: taken for a static program\n", len);
			failed = 1;
		}
	}
	for (int i = 0; i < ROUNDS; i++) {
		size_t at[3] = {interesting(), interesting(), interesting()};
		unsigned char old[3];

		for (int k = 0; k < 3; k++) {
			old[k] = image[at[k]];
			image[at[k]] = roll(3) ? (unsigned char)roll(256) : 0xff;
		}
		inspect(path, image, image_len, &f);
		for (int k = 3; k-- > 0;)
			image[at[k]] = old[k];
	}
	unlink(path);
	free(image);
	return failed;
}
