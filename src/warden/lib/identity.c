/* Which volume a descriptor is of, and how a dataset is had by descriptor: see identity.h. */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"
#include "kernel.h"
#include "mount.h"
#include "scoped.h"

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
	SCOPED_FD int open_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (open_fd < 0 || ioctl(open_fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0 ||
	    fstat(open_fd, &status) < 0)
		return -errno;
	if (status.st_ino != BTRFS_SUBVOLUME_INODE)
		return -ESTALE;
	hex(info.uuid, sizeof(info.uuid), identity);
	return 0;
}

int identity_read(int fd, const struct statfs *status, char *identity)
{
	switch ((unsigned long)status->f_type & 0xffffffffUL) {
	case BTRFS_SUPER:
		return read_btrfs(fd, identity);
	case ZFS_SUPER:
		/* The order of words in which stat(1) prints it. */
		format_text(identity, IDENTITY_SIZE, "%08x%08x",
			    (unsigned int)status->f_fsid.__val[0],
			    (unsigned int)status->f_fsid.__val[1]);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* A dataset is mounted nowhere on the host: this mount of it is the cell's alone. All mounts of one
 * share its superblock, which is read-only or not: one asked for otherwise fails with EBUSY. */
int dataset_mount(const char *name, bool sealed, struct failure *fail)
{
	const char *writable[] = { "source", name, NULL };
	const char *read_only[] = { "source", name, "ro", "", NULL };
	const char *const *options = sealed ? read_only : writable;
	int fd = mount_new("zfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, fail);
	return fd < 0 ? fail_with(fail, fd, "mount", name) : fd;
}
