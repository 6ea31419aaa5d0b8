/* Probes of the mount calls, on detached mounts or in a mount namespace of the probe's own: see probe.h. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/failure.h"
#include "lib/kernel.h"
#include "lib/mount.h"

#define ID_BASE 1000000

static int new_tmpfs(char *detail)
{
	const char *options[] = { "size", "4k", NULL };
	struct failure fail = { 0 };
	int fd = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &fail);
	if (fd < 0)
		snprintf(detail, PROBE_DETAIL_SIZE, "%s", fail.op);
	return fd;
}

int probe_fsopen(const struct probe_place *place, char *detail)
{
	(void)place;
	int fd = new_tmpfs(detail);
	return fd < 0 ? fd : 0;
}

int probe_open_tree(const struct probe_place *place, char *detail)
{
	(void)place;
	(void)detail;
	int fd = kernel_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE);
	return fd < 0 ? fd : 0;
}

/* The namespace is private before anything is attached: the host sees nothing of it. */
int probe_move_mount(const struct probe_place *place, char *detail)
{
	(void)place;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		int err = -errno;
		snprintf(detail, PROBE_DETAIL_SIZE, "mount namespace");
		return err;
	}
	int target = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return -errno;
	int tree = kernel_open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE);
	return tree < 0 ? tree : kernel_move_mount(tree, target);
}

int probe_mount_setattr(const struct probe_place *place, char *detail)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	(void)place;
	(void)detail;
	int fd = kernel_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE);
	return fd < 0 ? fd : kernel_mount_setattr(fd, 0, &attr);
}

static int write_map(pid_t pid, const char *file)
{
	char path[64], map[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int length = snprintf(map, sizeof(map), "0 %d 65536\n", ID_BASE);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = write(fd, map, (size_t)length) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* Stays until it is killed, as the user namespace does. */
static int idle_in_user_namespace(int tell)
{
	if (unshare(CLONE_NEWUSER) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    write(tell, "", 1) != 1)
		return 1;
	for (;;)
		pause();
}

/* Returns a descriptor of a user namespace with a map, or -errno. It lives as long as this process. */
static int open_mapped_namespace(void)
{
	char path[64], byte;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0)
		_exit(idle_in_user_namespace(ends[1]));
	close(ends[1]);
	if (pid < 0 || read(ends[0], &byte, 1) != 1)
		return pid < 0 ? -errno : -ECHILD;
	int err = write_map(pid, "uid_map");
	if (err == 0)
		err = write_map(pid, "gid_map");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	int fd = err < 0 ? err : open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		fd = -errno;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return fd;
}

/* Detached: neither the dataset nor the directory is seen anywhere. */
static int open_source(const char *source, struct failure *fail)
{
	const char *options[] = { "source", source, "ro", "", NULL };
	if (source[0] != '/')
		return mount_new("zfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, fail);
	int fd = kernel_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE);
	return fd < 0 ? fail_with(fail, fd, "open_tree", source) : fd;
}

/* The detail is the step that was refused: what cannot be mounted says nothing of id maps. */
int probe_idmap(const struct probe_place *place, char *detail)
{
	struct failure fail = { 0 };
	int user_ns = open_mapped_namespace();
	if (user_ns < 0) {
		snprintf(detail, PROBE_DETAIL_SIZE, "user namespace");
		return user_ns;
	}
	int fd = open_source(place->source, &fail);
	int err = fd < 0 ? fd : mount_restrict(fd, 0, user_ns, false, NULL, &fail);
	if (err < 0)
		snprintf(detail, PROBE_DETAIL_SIZE, "%s", fail.op);
	return err;
}
