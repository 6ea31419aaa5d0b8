/* Unix sockets that a run which was killed has left, and that would keep the next one from binding:
 * removed with no more rights than the unit's user has, and nothing but sockets nobody listens on. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "launch.h"
#include "lib/format.h"
#include "lib/kernel.h"

/* A stream socket that takes a connection, or would when it has accepted others, is in use: another unit's, by mistake.
 * Of what cannot be asked (datagrams, no right to write) nobody knows. */
static bool is_in_use(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(name) >= sizeof(address.sun_path))
		return false;
	strcpy(address.sun_path, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	int err = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	return err == 0 || err == EAGAIN;
}

/* Leaves the working directory there: a path of any length is asked by its last name. */
static int remove_socket(int directory, const char *name)
{
	struct stat status;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -ENOTSOCK;
	if (fchdir(directory) < 0)
		return -errno;
	if (is_in_use(name))
		return -EADDRINUSE;
	return unlinkat(directory, name, 0) < 0 ? -errno : 0;
}

static int remove_path(const char *path)
{
	char parent[4096];
	const char *name = strrchr(path, '/');
	if (path[0] != '/' || name - path >= (int)sizeof(parent) - 1)
		return -EINVAL;
	/* Up to the slash and with it, so that the parent of /name is /. */
	format_text(parent, sizeof(parent), "%.*s", (int)(name - path) + 1, path);
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
