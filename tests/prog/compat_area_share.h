/* SPDX-License-Identifier: MIT */
/* Sharing a pool with another program, for compat_area_malloc.c, whose module it uses. */
/* The process on the other side: 0 when all is as the protection says. */
static int other_side(int fd, size_t offset, int writable)
{
	struct stat st;
	char *map;

	if (fstat(fd, &st) < 0 || (size_t)st.st_size <= offset)
		return 2;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || strcmp(map + offset, "from the maker"))
		return 3;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if ((map != MAP_FAILED) != writable)
		return 4;
	if (!writable)
		return write(fd, "x", 1) >= 0 || ftruncate(fd, 0) == 0 ? 5 : 0;
	strcpy(map + offset, "from the other");
	return 0;
}

static void sharing(char *self, int writable)
{
	const void *p = m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK,
		B_READ_AREA | B_CLONEABLE_AREA | (writable ? B_WRITE_AREA : 0));
	char *b = m->malloc(p, 100), number[2][32];
	int fd = rtm_area_descriptor(p), status = 1;
	struct rtm_stats st;
	pid_t pid;

	CHECK(fd >= 0 && rtm_offset_of(b) > 0);
	CHECK(rtm_get_stats((rtm_pool *)(uintptr_t)p, &st, sizeof(st)) == B_OK);
	CHECK(st.locked == st.committed && st.committed >= MIB);
	strcpy(b, "from the maker");
	snprintf(number[0], 32, "%d", fd);
	snprintf(number[1], 32, "%zd", rtm_offset_of(b));
	pid = fork();
	if (pid == 0) {
		execl(self, self, "map", number[0], number[1], writable ? "1" : "0",
			NULL);
		_exit(127);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(!strcmp(b, writable ? "from the other" : "from the maker"));
	close(fd);
	b = m->realloc(p, b, 500000);
	CHECK(b != NULL);
	m->free(p, b);
	CHECK(m->delete_pool(p) == B_OK && rtm_area_descriptor(p) == B_ERROR);
}

static void not_shared(void)
{
	const void *p = m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW);

	CHECK(rtm_area_descriptor(p) == B_ERROR && rtm_area_descriptor(NULL) == B_ERROR);
	CHECK(rtm_offset_of(&p) == B_BAD_VALUE && rtm_offset_of(NULL) == B_BAD_VALUE);
	CHECK(m->delete_pool(p) == B_OK);
	/* a program that closes every descriptor loses the sharing and nothing else */
	p = m->create_pool(B_ANY_ADDRESS, MIB, B_FULL_LOCK, RW | B_CLONEABLE_AREA);
	for (int fd = 3; fd < 100; fd++)
		close(fd);
	CHECK(rtm_area_descriptor(p) == B_ERROR);
	CHECK(open("/dev/null", O_RDONLY) == 3 && rtm_area_descriptor(p) == B_ERROR);
	CHECK(m->malloc(p, 1000) != NULL && m->delete_pool(p) == B_OK);
	CHECK(fcntl(3, F_GETFD) >= 0);
}
