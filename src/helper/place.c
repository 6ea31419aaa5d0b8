/* Moves memory between NUMA nodes: see place.h. What a process gets from now on is the kernel's affair already; here
 * only what it has is moved. */
#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kernel.h"
#include "lib/scoped.h"

#define NODES "/sys/devices/system/node/has_memory"
#define NODES_MAX 1024
#define WORD_BITS (8 * sizeof(unsigned long))
/* Cells nest four deep, and nothing in a unit's leaf can make a cgroup. */
#define DEPTH_MAX 8

struct nodes {
	unsigned long words[NODES_MAX / WORD_BITS];
};

static bool add_range(struct nodes *nodes, unsigned long first, unsigned long last)
{
	if (first > last || last >= NODES_MAX)
		return false;
	for (unsigned long node = first; node <= last; node++)
		nodes->words[node / WORD_BITS] |= 1UL << (node % WORD_BITS);
	return true;
}

/* A list of the kernel's such as `0-1,4`; an empty one has no nodes. */
static bool parse_list(const char *text, struct nodes *nodes)
{
	memset(nodes, 0, sizeof(*nodes));
	while (*text != '\0' && *text != '\n') {
		char *end;
		unsigned long first = strtoul(text, &end, 10);
		unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
		if (end == text || !add_range(nodes, first, last))
			return false;
		text = *end == ',' ? end + 1 : end;
	}
	return true;
}

static int read_nodes(int dirfd, const char *path, struct nodes *nodes)
{
	char text[4096];
	SCOPED_FD int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	return parse_list(text, nodes) ? 0 : -ERANGE;
}

/* False when there is nothing to leave. */
static bool subtract(const struct nodes *all, const struct nodes *kept, struct nodes *left)
{
	unsigned long any = 0;
	for (size_t index = 0; index < NODES_MAX / WORD_BITS; index++) {
		left->words[index] = all->words[index] & ~kept->words[index];
		any |= left->words[index];
	}
	return any != 0;
}

static int move_process(pid_t pid, const struct nodes *from, const struct nodes *to)
{
	long left = kernel_migrate_pages(pid, NODES_MAX + 1, from->words, to->words);
	/* It has ended, or is just ending and has no memory any more. */
	return left == -ESRCH || left == -EINVAL ? 0 : left < 0 ? (int)left : 0;
}

static int move_processes(int dirfd, const struct nodes *from, const struct nodes *to)
{
	/* Read by strtol(3): scanf(3) is a tenth of the program, and every cell has a copy of that. */
	char line[32];
	int err = 0;
	int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *procs = fd < 0 ? NULL : fdopen(fd, "r");
	if (procs == NULL) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (err == 0 && fgets(line, sizeof(line), procs) != NULL) {
		long pid = strtol(line, NULL, 10);
		err = pid > 0 ? move_process((pid_t)pid, from, to) : 0;
	}
	fclose(procs);
	return err;
}

static int place(int dirfd, const struct nodes *all, const struct nodes *outer, int depth);

static int place_below(int dirfd, const struct nodes *all, const struct nodes *to, int depth)
{
	int err = 0;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	if (directory == NULL) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	for (struct dirent *entry; err == 0 && (entry = readdir(directory)) != NULL;) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		SCOPED_FD int child = openat(dirfd, entry->d_name,
					     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = child < 0 ? -errno : place(child, all, to, depth + 1);
		/* A unit's leaf goes with the unit. */
		if (err == -ENOENT || err == -ENODEV)
			err = 0;
	}
	closedir(directory);
	return err;
}

/* outer: of the cgroup around it, which holds where this one has no cpuset of its own. */
static int place(int dirfd, const struct nodes *all, const struct nodes *outer, int depth)
{
	struct nodes to, from;
	int err = read_nodes(dirfd, "cpuset.mems.effective", &to);
	if (err == -ENOENT && outer != NULL) {
		to = *outer;
		err = 0;
	}
	if (err == 0 && subtract(all, &to, &from))
		err = move_processes(dirfd, &from, &to);
	/* A threaded cgroup has no processes of its own to list. */
	if (err == -EOPNOTSUPP)
		err = 0;
	return err < 0 || depth == DEPTH_MAX ? err : place_below(dirfd, all, &to, depth);
}

int place_memory(const char *cgroup)
{
	struct nodes all;
	SCOPED_FD int fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 ? -errno : read_nodes(AT_FDCWD, NODES, &all);
	/* A kernel without NUMA: nothing can lie elsewhere. */
	bool flat = fd >= 0 && err == -ENOENT;
	if (err == 0)
		err = place(fd, &all, NULL, 0);
	if (err == 0 || flat)
		return 0;
	fprintf(stderr, "%s: %s\n", cgroup, strerror(-err));
	return 1;
}
