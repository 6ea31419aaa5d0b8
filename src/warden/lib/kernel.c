/* Raw system calls: see kernel.h. */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static long result(long value)
{
	return value < 0 ? -errno : value;
}

pid_t kernel_clone(uint64_t flags, int cgroup_fd, int *pidfd)
{
	struct clone_args args = {
		.flags = flags,
		.exit_signal = SIGCHLD,
	};
	if (pidfd != NULL) {
		args.flags |= CLONE_PIDFD_FLAG;
		args.pidfd = (uintptr_t)pidfd;
	}
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP_FLAG;
		args.cgroup = (unsigned int)cgroup_fd;
	}
	return (pid_t)result(syscall(SYS_clone3, &args, sizeof(args)));
}

int kernel_openat2(int dirfd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve };
	return (int)result(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
}

int kernel_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return (int)result(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int kernel_move_mount(int from_fd, int to_fd)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
	return (int)result(syscall(SYS_move_mount, from_fd, "", to_fd, "", flags));
}

int kernel_move_mount_beneath(int from_fd, int to_fd)
{
	unsigned int flags =
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH | MOVE_MOUNT_BENEATH_FLAG;
	return (int)result(syscall(SYS_move_mount, from_fd, "", to_fd, "", flags));
}

int kernel_mount_setattr(int fd, unsigned int flags, struct mount_attr *attr)
{
	return (int)result(
		syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, attr, sizeof(*attr)));
}

int kernel_fsopen(const char *type)
{
	return (int)result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

int kernel_fsconfig(int fd, unsigned int command, const char *key, const char *value)
{
	return (int)result(syscall(SYS_fsconfig, fd, command, key, value, 0));
}

int kernel_fsmount(int fd, uint64_t attributes)
{
	return (int)result(syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes));
}

int kernel_pivot_root(const char *new_root, const char *put_old)
{
	return (int)result(syscall(SYS_pivot_root, new_root, put_old));
}

int kernel_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)result(syscall(SYS_close_range, first, last, flags));
}

int kernel_capset(uint64_t capabilities)
{
	struct capability_header header = { .version = CAPABILITY_VERSION_3 };
	struct capability_data data[2] = {
		{ .effective = (uint32_t)capabilities, .permitted = (uint32_t)capabilities },
		{ .effective = (uint32_t)(capabilities >> 32),
		  .permitted = (uint32_t)(capabilities >> 32) },
	};
	return (int)result(syscall(SYS_capset, &header, data));
}

int kernel_new_session_keyring(void)
{
	return (int)result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0));
}

long kernel_migrate_pages(pid_t pid, unsigned long count, const unsigned long *from,
			  const unsigned long *to)
{
	return result(syscall(SYS_migrate_pages, pid, count, from, to));
}
