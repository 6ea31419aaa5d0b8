/* Unix sockets that a run which was killed has left, and that would keep the next one from binding:
 * removed with no more rights than the unit's user has, and nothing but sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "launch.h"

static int remove_socket(int directory, const char *name)
{
	struct stat status;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -ENOTSOCK;
	return unlinkat(directory, name, 0) < 0 ? -errno : 0;
}

static int remove_path(const char *path)
{
	char parent[4096];
	const char *name = strrchr(path, '/');
	if (path[0] != '/' || name - path >= (int)sizeof(parent) - 1)
		return -EINVAL;
	/* Up to the slash and with it, so that the parent of /name is /. */
	snprintf(parent, sizeof(parent), "%.*s", (int)(name - path) + 1, path);
	uint64_t resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	int directory = kernel_openat2(AT_FDCWD, parent, O_PATH | O_DIRECTORY, resolve);
	if (directory < 0)
		return directory == -ENOENT ? 0 : directory;
	int err = remove_socket(directory, name + 1);
	close(directory);
	return err;
}

int stale_remove(const struct launch *launch, struct failure *fail)
{
	for (size_t index = 0; index < launch->stale_socket_count; index++) {
		const char *path = launch->stale_sockets[index];
		int err = remove_path(path);
		if (err < 0)
			return fail_with(fail, err, "remove stale socket", path);
	}
	return 0;
}
