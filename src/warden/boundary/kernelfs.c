/* The cell's /proc, /sys, /dev, /run and /tmp. Nothing of them is the image's or the host's. */
#include "kernelfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cell/cell.h"
#include "lib/format.h"
#include "lib/kernel.h"
#include "lib/mount.h"
#include "lib/scoped.h"

#define PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const char *const frozen[] = {
	"/proc/sys",  "/proc/bus",	     "/proc/fs", "/proc/irq", "/proc/driver",
	"/proc/mtrr", "/proc/sysrq-trigger",
};

static const char *const masked[] = {
	"/proc/acpi",		"/proc/asound",	     "/proc/interrupts",
	"/proc/kcore",		"/proc/keys",	     "/proc/latency_stats",
	"/proc/sched_debug",	"/proc/scsi",	     "/proc/timer_list",
	"/proc/timer_stats",	"/proc/kallsyms",    "/proc/kpagecount",
	"/proc/kpageflags",	"/proc/kpagecgroup", "/proc/vmallocinfo",
	"/proc/slabinfo",	"/proc/iomem",	     "/proc/ioports",
	"/sys/firmware",	"/sys/kernel/debug", "/sys/kernel/tracing",
	"/sys/kernel/security", "/sys/fs/bpf",	     "/sys/fs/pstore",
	"/sys/module",		"/sys/class/block",  "/sys/devices/virtual/powercap",
};

static int place(int root, const char *type, const char *const *options, uint64_t attributes,
		 const char *path, struct failure *fail)
{
	SCOPED_FD int fd = mount_new(type, options, attributes, fail);
	return fd < 0 ? fd : mount_attach(fd, root, path, true, fail);
}

int kernelfs_tmpfs(int root, const char *path, const char *mode, const char *size,
		   unsigned int owner, struct failure *fail)
{
	char id[16];
	format_text(id, sizeof(id), "%u", owner);
	const char *const options[] = { "mode", mode, "size", size, "uid", id, "gid", id, NULL };
	return place(root, "tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, path, fail);
}

/* Device nodes of our own: nothing can stand in for them, as for nodes bound from elsewhere it
 * could. */
static int make_nodes(int dev, struct failure *fail)
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} nodes[] = {
		{ "null", 1, 3 },   { "zero", 1, 5 },	 { "full", 1, 7 },
		{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "fd" },	 { "/proc/self/fd/0", "stdin" },
		{ "/proc/self/fd/1", "stdout" }, { "/proc/self/fd/2", "stderr" },
		{ "pts/ptmx", "ptmx" },
	};
	for (size_t index = 0; index < sizeof(nodes) / sizeof(nodes[0]); index++) {
		dev_t number = makedev(nodes[index].major, nodes[index].minor);
		if (mknodat(dev, nodes[index].name, S_IFCHR | 0666, number) < 0)
			return fail_with(fail, errno, "mknod", nodes[index].name);
	}
	for (size_t index = 0; index < sizeof(links) / sizeof(links[0]); index++) {
		if (symlinkat(links[index][0], dev, links[index][1]) < 0)
			return fail_with(fail, errno, "symlink", links[index][1]);
	}
	if (mkdirat(dev, "pts", 0755) < 0 || mkdirat(dev, "shm", 0755) < 0)
		return fail_with(fail, errno, "mkdir", "/dev");
	return 0;
}

static int build_nodes(int root, struct failure *fail)
{
	static const char *const options[] = { "mode", "0755", "size", "64k", NULL };
	SCOPED_FD int dev =
		mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, fail);
	int err;
	if (dev < 0)
		return dev;
	if ((err = make_nodes(dev, fail)) < 0 ||
	    (err = mount_restrict(dev, MOUNT_ATTR_RDONLY, -1, false, "/dev", fail)) < 0)
		return err;
	return mount_attach(dev, root, "/dev", true, fail);
}

static int build_dev(int root, unsigned int uid_base, struct failure *fail)
{
	char group[16];
	int err;
	/* Group tty, 5 in Debian and everywhere else. */
	format_text(group, sizeof(group), "%u", uid_base + 5);
	const char *const terminals[] = { "mode", "0620", "ptmxmode", "0666", "gid", group, NULL };
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	if ((err = build_nodes(root, fail)) < 0 ||
	    (err = place(root, "devpts", terminals, attributes, "/dev/pts", fail)) < 0)
		return err;
	return kernelfs_tmpfs(root, "/dev/shm", "1777", "50%", uid_base, fail);
}

/* empty: a read-only tmpfs, made at the first directory it masks and cloned for the others. */
static int mask(int root, const char *path, int *empty, struct failure *fail)
{
	struct stat status;
	SCOPED_FD int target = mount_target(root, path, false);
	if (target < 0)
		return target == -ENOENT ? 0 : fail_with(fail, target, "mask", path);
	if (fstat(target, &status) < 0)
		return fail_with(fail, errno, "mask", path);
	if (S_ISDIR(status.st_mode))
		return kernelfs_hide(root, path, empty, fail);
	SCOPED_FD int null = kernel_open_tree(root, "dev/null", OPEN_TREE_CLONE);
	if (null < 0)
		return fail_with(fail, null, "open_tree", "/dev/null");
	return mount_attach(null, root, path, false, fail);
}

int kernelfs_hide(int root, const char *path, int *empty, struct failure *fail)
{
	static const char *const options[] = { "mode", "0555", "size", "4k", NULL };
	bool first = *empty < 0;
	SCOPED_FD int fd = first ? mount_new("tmpfs", options, PLAIN | MOUNT_ATTR_RDONLY, fail)
				 : mount_clone(*empty, fail);
	if (fd < 0)
		return fd;
	int err = mount_attach(fd, root, path, true, fail);
	if (first && err == 0)
		*empty = scoped_keep(&fd);
	return err;
}

int kernelfs_build(int root, unsigned int uid_base, int *empty, struct failure *fail)
{
	static const char *const proc[] = { "hidepid", "invisible", NULL };
	static const char *const none[] = { NULL };
	uint64_t sealed = PLAIN | MOUNT_ATTR_RDONLY;
	int err;
	if ((err = place(root, "proc", proc, PLAIN, "/proc", fail)) < 0 ||
	    (err = place(root, "sysfs", none, sealed, "/sys", fail)) < 0 ||
	    (err = place(root, "cgroup2", none, sealed, "/sys/fs/cgroup", fail)) < 0 ||
	    (err = build_dev(root, uid_base, fail)) < 0 ||
	    (err = kernelfs_tmpfs(root, "/run", "0755", "50%", uid_base, fail)) < 0 ||
	    (err = kernelfs_tmpfs(root, "/tmp", "1777", "50%", uid_base, fail)) < 0)
		return err;
	for (size_t index = 0; err == 0 && index < sizeof(frozen) / sizeof(char *); index++)
		err = mount_freeze(root, frozen[index], fail);
	for (size_t index = 0; err == 0 && index < sizeof(masked) / sizeof(char *); index++)
		err = mask(root, masked[index], empty, fail);
	return err;
}
