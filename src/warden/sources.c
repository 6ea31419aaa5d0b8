/* Opens what the host gives to the cell, as detached mounts, and checks that it is what the daemon
 * meant: a volume that is not mounted leaves an empty directory, and a database would be made anew
 * on it. */
#include "sources.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kernel.h"
#include "mount.h"

#define IDENTITY_SIZE 40

static void hex(const uint8_t *bytes, size_t count, char *text)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t index = 0; index < count; index++) {
		text[2 * index] = digits[bytes[index] >> 4];
		text[2 * index + 1] = digits[bytes[index] & 15];
	}
	text[2 * count] = '\0';
}

/* The top directory of a subvolume, and that subvolume's UUID. */
static int read_btrfs(int fd, char *identity)
{
	struct btrfs_subvolume_info info;
	struct stat status;
	int open_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (open_fd < 0)
		return -errno;
	int err = ioctl(open_fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0 ? -errno : 0;
	if (err == 0 && fstat(open_fd, &status) < 0)
		err = -errno;
	close(open_fd);
	if (err == 0 && status.st_ino != BTRFS_SUBVOLUME_INODE)
		err = -ESTALE;
	if (err == 0)
		hex(info.uuid, sizeof(info.uuid), identity);
	return err;
}

static int read_identity(int fd, const struct statfs *status, char *identity)
{
	switch ((unsigned long)status->f_type & 0xffffffffUL) {
	case BTRFS_SUPER:
		return read_btrfs(fd, identity);
	case ZFS_SUPER:
		/* The order of words in which stat(1) prints it. */
		snprintf(identity, IDENTITY_SIZE, "%08x%08x", (unsigned int)status->f_fsid.__val[0],
			 (unsigned int)status->f_fsid.__val[1]);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int check_identity(int fd, const struct source *source, struct failure *fail)
{
	struct statfs status;
	char identity[IDENTITY_SIZE];
	if (fstatfs(fd, &status) < 0)
		return fail_with(fail, errno, "statfs", source->path);
	if (((unsigned long)status.f_type & 0xffffffffUL) != source->type)
		return fail_with(fail, ESTALE, "identify", source->path);
	int err = read_identity(fd, &status, identity);
	if (err < 0)
		return fail_with(fail, err, "identify", source->path);
	if (strcmp(identity, source->identity) != 0)
		return fail_with(fail, ESTALE, "identify", source->path);
	return 0;
}

/* A dataset is mounted nowhere on the host: this mount of it is the cell's alone. All mounts of one
 * share its superblock, which is read-only or not: one asked for otherwise fails with EBUSY. */
static int dataset_open(const char *name, bool sealed, struct failure *fail)
{
	const char *writable[] = { "source", name, NULL };
	const char *read_only[] = { "source", name, "ro", "", NULL };
	const char *const *options = sealed ? read_only : writable;
	int fd = mount_new("zfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, fail);
	return fd < 0 ? fail_with(fail, fd, "mount", name) : fd;
}

static int tree_open(const char *path, struct failure *fail)
{
	int fd = kernel_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);
	return fd < 0 ? fail_with(fail, fd, "open_tree", path) : fd;
}

int source_print_fsid(const char *dataset, bool sealed)
{
	struct failure fail = { 0 };
	struct statfs status;
	char identity[IDENTITY_SIZE];
	int fd = dataset_open(dataset, sealed, &fail);
	if (fd >= 0 && fstatfs(fd, &status) < 0)
		fd = fail_with(&fail, errno, "statfs", dataset);
	if (fd >= 0 && read_identity(fd, &status, identity) == 0)
		return puts(identity) < 0 ? 1 : 0;
	fprintf(stderr, "%s %s: %s\n", fail.op, dataset, strerror(fail.err));
	return 1;
}

int source_open(const struct source *source, bool read_only, int user_ns, struct failure *fail)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int fd = source->type == ZFS_SUPER ? dataset_open(source->path, source->sealed, fail)
					   : tree_open(source->path, fail);
	if (fd < 0)
		return fd;
	if (read_only)
		attributes |= MOUNT_ATTR_RDONLY;
	int err = check_identity(fd, source, fail);
	if (err == 0)
		err = mount_restrict(fd, attributes, user_ns, false, source->path, fail);
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

int source_open_file(const char *path, int user_ns, struct failure *fail)
{
	uint64_t attributes =
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
	struct stat status;
	int fd = kernel_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	if (fd < 0)
		return fail_with(fail, fd, "open_tree", path);
	int err = fstat(fd, &status) < 0 ? fail_with(fail, errno, "stat", path) : 0;
	if (err == 0 && !S_ISREG(status.st_mode))
		err = fail_with(fail, EINVAL, "stat", path);
	if (err == 0)
		err = mount_restrict(fd, attributes, user_ns, false, path, fail);
	if (err == -EINVAL && S_ISREG(status.st_mode))
		err = mount_restrict(fd, attributes, -1, false, path, fail);
	if (err == 0)
		return fd;
	close(fd);
	return err;
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
