/* The cell's cgroup directory and its leaves: see cgroup.h. */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "number.h"
#include "scoped.h"

int cgroup_open_leaf(int cell_fd, const char *name)
{
	int err = mkdirat(cell_fd, name, 0755) < 0 ? -errno : 0;
	/* A leaf that was left over may have been killed once: see KILLED_CGROUP in cgroup.h. */
	if (err == -EEXIST && unlinkat(cell_fd, name, AT_REMOVEDIR) == 0)
		err = mkdirat(cell_fd, name, 0755) < 0 ? -errno : 0;
	if (err < 0)
		return err;
	int fd = openat(cell_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cgroup_write(int dirfd, const char *file, const char *text)
{
	SCOPED_FD int fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int cgroup_kill(int dirfd)
{
	return cgroup_write(dirfd, "cgroup.kill", "1");
}

int cgroup_open_events(int dirfd)
{
	int fd = openat(dirfd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool cgroup_is_populated(int events_fd)
{
	char text[128];
	ssize_t length = pread(events_fd, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return false;
	text[length] = '\0';
	return strstr(text, "populated 1") != NULL;
}

int cgroup_open_memory_events(int dirfd)
{
	int fd = openat(dirfd, "memory.events", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

long cgroup_oom_kills(int memory_events_fd)
{
	static const char key[] = "\noom_kill ";
	char text[256];
	ssize_t length = pread(memory_events_fd, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return -1;
	text[length] = '\0';
	const char *found = strstr(text, key);
	return found == NULL ? -1 : (long)leading_number(found + sizeof(key) - 1, 10);
}

long cgroup_oom_kills_in(int dirfd)
{
	SCOPED_FD int fd = cgroup_open_memory_events(dirfd);
	return fd < 0 ? -1 : cgroup_oom_kills(fd);
}

int cgroup_empty(int dirfd, int timeout_ms)
{
	SCOPED_FD int events = cgroup_open_events(dirfd);
	if (events < 0)
		return events;
	while (cgroup_is_populated(events)) {
		struct pollfd change = { .fd = events, .events = POLLPRI };
		int err = cgroup_kill(dirfd);
		if (err < 0)
			return err;
		if (!cgroup_is_populated(events))
			return 0;
		if (poll(&change, 1, timeout_ms) == 0)
			return -ETIMEDOUT;
	}
	return 0;
}

void cgroup_sweep(int cell_fd, const char *prefix)
{
	int fd = openat(cell_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	if (directory == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			unlinkat(cell_fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(directory);
}
