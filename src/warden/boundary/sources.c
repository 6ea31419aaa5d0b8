/* Opens what the host gives to the cell, as detached mounts, and checks that it is what the daemon
 * meant: a volume that is not mounted leaves an empty directory, and a database would be made anew
 * on it. */
#include "sources.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/identity.h"
#include "lib/kernel.h"
#include "lib/mount.h"
#include "lib/scoped.h"

static int check_identity(int fd, const struct source *source, struct failure *fail)
{
	struct statfs status;
	char identity[IDENTITY_SIZE];
	if (fstatfs(fd, &status) < 0)
		return fail_with(fail, errno, "statfs", source->path);
	if (((unsigned long)status.f_type & 0xffffffffUL) != source->type)
		return fail_with(fail, ESTALE, "identify", source->path);
	int err = identity_read(fd, &status, identity);
	if (err < 0)
		return fail_with(fail, err, "identify", source->path);
	if (strcmp(identity, source->identity) != 0)
		return fail_with(fail, ESTALE, "identify", source->path);
	return 0;
}

static int tree_open(const char *path, struct failure *fail)
{
	int fd = kernel_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);
	return fd < 0 ? fail_with(fail, fd, "open_tree", path) : fd;
}

int source_open(const struct source *source, bool read_only, int user_ns, struct failure *fail)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	SCOPED_FD int fd = source->type == ZFS_SUPER
				   ? dataset_mount(source->path, source->sealed, fail)
				   : tree_open(source->path, fail);
	int err;
	if (fd < 0)
		return fd;
	if (read_only)
		attributes |= MOUNT_ATTR_RDONLY;
	if ((err = check_identity(fd, source, fail)) < 0 ||
	    (err = mount_restrict(fd, attributes, user_ns, false, source->path, fail)) < 0)
		return err;
	return scoped_keep(&fd);
}

int source_open_file(const char *path, int user_ns, struct failure *fail)
{
	uint64_t attributes =
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
	struct stat status;
	SCOPED_FD int fd = kernel_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	if (fd < 0)
		return fail_with(fail, fd, "open_tree", path);
	if (fstat(fd, &status) < 0)
		return fail_with(fail, errno, "stat", path);
	if (!S_ISREG(status.st_mode))
		return fail_with(fail, EINVAL, "stat", path);
	int err = mount_restrict(fd, attributes, user_ns, false, path, fail);
	if (err == -EINVAL)
		err = mount_restrict(fd, attributes, -1, false, path, fail);
	return err < 0 ? err : scoped_keep(&fd);
}

int sources_open(struct request *request, int user_ns, struct failure *fail)
{
	for (size_t index = 0; index < request->entry_count; index++) {
		struct entry *entry = &request->entries[index];
		if (entry->kind == ENTRY_VOLUME)
			entry->fd = source_open(&entry->source, entry->read_only, user_ns, fail);
		else if (entry->kind == ENTRY_FILE)
			entry->fd = source_open_file(entry->source.path, user_ns, fail);
		if (entry->fd < 0)
			return entry->fd;
	}
	return 0;
}
