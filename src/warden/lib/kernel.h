/* What musl lacks: kernel structs, constants and raw system calls. One function per call, each
 * returns a value or -errno. */
#ifndef HENGE_KERNEL_H
#define HENGE_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLONE_PIDFD_FLAG 0x00001000ULL
#define CLONE_INTO_CGROUP_FLAG 0x200000000ULL

#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_NO_SYMLINKS 0x04
#define RESOLVE_BENEATH 0x08
#define RESOLVE_IN_ROOT 0x10

#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC 02000000
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#define MOVE_MOUNT_BENEATH_FLAG 0x00000200
#define FSOPEN_CLOEXEC 1
#define FSMOUNT_CLOEXEC 1
#define FSCONFIG_SET_FLAG 0
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CMD_CREATE 6
#define MOUNT_ATTR_RDONLY 0x00000001
#define MOUNT_ATTR_NOSUID 0x00000002
#define MOUNT_ATTR_NODEV 0x00000004
#define MOUNT_ATTR_NOEXEC 0x00000008
#define MOUNT_ATTR_IDMAP 0x00100000
#define AT_RECURSIVE_FLAG 0x8000

#define CLOSE_RANGE_CLOEXEC_FLAG 4
#define MFD_EXEC_FLAG 0x0010U
#define KEYCTL_JOIN_SESSION_KEYRING 1

#define BTRFS_SUPER 0x9123683eUL
#define ZFS_SUPER 0x2fc12fc1UL
#define BTRFS_SUBVOLUME_INODE 256

struct clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

struct open_how {
	uint64_t flags, mode, resolve;
};

struct mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

/* Linux's btrfs.h: struct btrfs_ioctl_get_subvol_info_args. */
struct btrfs_subvolume_info {
	uint64_t treeid;
	char name[256];
	uint64_t parent_id, dirid, generation, flags;
	uint8_t uuid[16], parent_uuid[16], received_uuid[16];
	uint64_t ctransid, otransid, stransid, rtransid;
	struct {
		uint64_t sec;
		uint32_t nsec;
	} times[4];
	uint64_t reserved[8];
};
#define BTRFS_IOC_GET_SUBVOL_INFO _IOR(0x94, 60, struct btrfs_subvolume_info)

/* capget(2)'s version 3: two words of 32. */
struct capability_header {
	uint32_t version;
	int pid;
};
struct capability_data {
	uint32_t effective, permitted, inheritable;
};
#define CAPABILITY_VERSION_3 0x20080522

/* As fork, with the flags of clone3(2); cgroup_fd < 0: the caller's own cgroup. *pidfd is set when
 * not NULL. */
pid_t kernel_clone(uint64_t flags, int cgroup_fd, int *pidfd);
int kernel_openat2(int dirfd, const char *path, int flags, uint64_t resolve);
int kernel_open_tree(int dirfd, const char *path, unsigned int flags);
/* Attaches the detached mount from_fd on the directory or file to_fd. */
int kernel_move_mount(int from_fd, int to_fd);
/* Likewise, below the mount whose root to_fd is; -EINVAL before Linux 6.5. */
int kernel_move_mount_beneath(int from_fd, int to_fd);
int kernel_mount_setattr(int fd, unsigned int flags, struct mount_attr *attr);
int kernel_fsopen(const char *type);
int kernel_fsconfig(int fd, unsigned int command, const char *key, const char *value);
int kernel_fsmount(int fd, uint64_t attributes);
int kernel_pivot_root(const char *new_root, const char *put_old);
int kernel_close_range(unsigned int first, unsigned int last, unsigned int flags);
int kernel_capset(uint64_t capabilities);
int kernel_new_session_keyring(void);
/* Masks of count - 1 nodes. Returns the number of pages that stayed. */
long kernel_migrate_pages(pid_t pid, unsigned long count, const unsigned long *from,
			  const unsigned long *to);

#endif
