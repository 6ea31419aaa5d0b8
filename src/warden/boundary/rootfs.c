/* Builds the cell's file system view: the root, the kernel's file systems, the entries asked for;
 * then pivots. */
#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernelfs.h"
#include "lib/kernel.h"
#include "lib/mount.h"
#include "lib/number.h"
#include "lib/scoped.h"
#include "sources.h"
#include "strip.h"
#include "units/account.h"
#include "userns.h"

struct place {
	int root;
	const struct entry *entry;
};

/* Makes one path component when it is missing and steps into it. Returns the new directory or
 * -errno. */
static int step_into(int directory, const char *name, bool is_last_and_file)
{
	int flags = O_PATH | (is_last_and_file ? 0 : O_DIRECTORY);
	uint64_t resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
	int fd = kernel_openat2(directory, name, flags, resolve);
	if (fd != -ENOENT)
		return fd;
	int made = is_last_and_file ? mknodat(directory, name, S_IFREG | 0644, 0)
				    : mkdirat(directory, name, 0755);
	/* A read-only root says EROFS, one of the host EACCES: either way the mount point is not
	 * there. */
	return made < 0 ? -ENOENT : kernel_openat2(directory, name, flags, resolve);
}

/* As root of the cell: makes the mount point where the cell itself could write. */
static int make_point(void *argument, struct failure *fail)
{
	const struct place *place = argument;
	const struct entry *entry = place->entry;
	char path[4096];
	int directory = place->root;
	if (strlen(entry->path) >= sizeof(path))
		return fail_with(fail, ENAMETOOLONG, "mount", entry->path);
	strcpy(path, entry->path);
	for (char *name = strtok(path, "/"), *next; name != NULL; name = next) {
		next = strtok(NULL, "/");
		int fd = step_into(directory, name, next == NULL && entry->kind == ENTRY_FILE);
		if (fd < 0)
			return fail_with(fail, fd, "mount", entry->path);
		if (directory != place->root)
			close(directory);
		directory = fd;
	}
	return 0;
}

/* As root of the cell: owner and mode of a volume's top directory. Only changes what differs. */
static int give_top(void *argument, struct failure *fail)
{
	const struct place *place = argument;
	const struct entry *entry = place->entry;
	struct account account;
	struct stat status;
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS;
	SCOPED_FD int fd =
		kernel_openat2(place->root, entry->path, O_RDONLY | O_DIRECTORY, resolve);
	if (fd < 0)
		return fail_with(fail, fd, "open", entry->path);
	if (fstat(fd, &status) < 0)
		return fail_with(fail, errno, "stat", entry->path);
	if (entry->owner != NULL) {
		int err = account_find(place->root, entry->owner, &account, fail);
		if (err < 0)
			return err;
		bool same = status.st_uid == account.uid && status.st_gid == account.gid;
		if (!same && fchown(fd, account.uid, account.gid) < 0)
			return fail_with(fail, errno, "chown", entry->path);
	}
	mode_t mode = entry->mode == NULL ? 0 : (mode_t)leading_number(entry->mode, 8);
	if (entry->mode != NULL && (status.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return fail_with(fail, errno, "chmod", entry->path);
	return 0;
}

/* The kernel's file systems are not the manifest's to cover. */
static bool is_reserved(const char *path)
{
	static const char *const reserved[] = { "/proc", "/sys", "/dev", NOTIFY_DIRECTORY };
	for (size_t index = 0; index < sizeof(reserved) / sizeof(char *); index++) {
		size_t length = strlen(reserved[index]);
		if (strncmp(path, reserved[index], length) == 0 &&
		    (path[length] == '\0' || path[length] == '/'))
			return true;
	}
	return strcmp(path, "/") == 0;
}

static int find_or_make_point(int root, const struct entry *entry, int user_ns,
			      struct failure *fail)
{
	struct place place = { .root = root, .entry = entry };
	SCOPED_FD int target = mount_target(root, entry->path, entry->kind != ENTRY_FILE);
	if (target == -ENOENT)
		return userns_run(user_ns, make_point, &place, fail);
	if (target < 0)
		return fail_with(fail, target, "mount", entry->path);
	return 0;
}

static int add_entry(int root, const struct request *request, struct entry *entry, int user_ns,
		     struct failure *fail)
{
	struct place place = { .root = root, .entry = entry };
	if (is_reserved(entry->path))
		return fail_with(fail, EINVAL, "mount", entry->path);
	int err = find_or_make_point(root, entry, user_ns, fail);
	if (err < 0)
		return err;
	if (entry->kind == ENTRY_TMPFS)
		return kernelfs_tmpfs(root, entry->path, "1777", entry->size, request->uid_base,
				      fail);
	err = mount_attach(entry->fd, root, entry->path, entry->kind != ENTRY_FILE, fail);
	close(entry->fd);
	if (err < 0 || (entry->owner == NULL && entry->mode == NULL))
		return err;
	return userns_run(user_ns, give_top, &place, fail);
}

/* A directory of the host that is not there needs no hiding. */
static int hide(int root, const char *path, int *empty, struct failure *fail)
{
	SCOPED_FD int target = mount_target(root, path, true);
	if (target == -ENOENT)
		return 0;
	if (target < 0)
		return fail_with(fail, target, "hide", path);
	return kernelfs_hide(root, path, empty, fail);
}

/* Before anything of the cell is mounted: its own /run/henge has the name of a daemon's. */
static int hide_entries(int root, const struct request *request, int *empty, struct failure *fail)
{
	for (size_t index = 0; index < request->entry_count; index++) {
		const struct entry *entry = &request->entries[index];
		int err = entry->kind == ENTRY_HIDDEN ? hide(root, entry->path, empty, fail) : 0;
		if (err < 0)
			return err;
	}
	return 0;
}

static int add_entries(int root, struct request *request, int user_ns, struct failure *fail)
{
	for (size_t index = 0; index < request->entry_count; index++) {
		struct entry *entry = &request->entries[index];
		int err = entry->kind == ENTRY_HIDDEN
				  ? 0
				  : add_entry(root, request, entry, user_ns, fail);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Units cannot replace their NOTIFY_SOCKET: the directory is a mount of real root's own. */
static int add_notify_directory(int root, struct failure *fail)
{
	static const char *const options[] = { "mode", "0755", "size", "16k", NULL };
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	SCOPED_FD int run = mount_target(root, "/run", true);
	if (run < 0)
		return fail_with(fail, run, "mount", "/run");
	if (mkdirat(run, "henge", 0755) < 0)
		return fail_with(fail, errno, "mkdir", NOTIFY_DIRECTORY);
	SCOPED_FD int fd = mount_new("tmpfs", options, attributes, fail);
	return fd < 0 ? fd : mount_attach(fd, root, NOTIFY_DIRECTORY, true, fail);
}

/* The host's root keeps its ids: its files show as nobody's, readable where others may read. */
static int open_host_root(const struct request *request, struct failure *fail)
{
	uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int err = strip_host(request, fail);
	if (err < 0)
		return err;
	int fd = kernel_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE_FLAG);
	if (fd < 0)
		return fail_with(fail, fd, "open_tree", "/");
	err = mount_restrict(fd, attributes, -1, true, "/", fail);
	return err < 0 ? err : fd;
}

/* new_root is mounted over /; the old root ends up on top of it and is taken off: pivot_root(2),
 * «pivot_root(".",
 * ".")». */
static int pivot(int old_root, int new_root, struct failure *fail)
{
	if (fchdir(new_root) < 0 || kernel_pivot_root(".", ".") < 0)
		return fail_with(fail, errno, "pivot_root", NULL);
	if (fchdir(old_root) < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return fail_with(fail, errno, "umount", "the old root");
	return 0;
}

int rootfs_build(struct request *request, int user_ns, struct failure *fail)
{
	int empty = -1;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail_with(fail, errno, "mount", "private propagation");
	int err = sources_open(request, user_ns, fail);
	if (err < 0)
		return err;
	int root = request->host_root ? open_host_root(request, fail)
				      : source_open(&request->root, true, user_ns, fail);
	if (root < 0)
		return root;
	int old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (old_root < 0)
		return fail_with(fail, errno, "open", "/");
	err = kernel_move_mount(root, old_root);
	if (err < 0)
		return fail_with(fail, err, "mount", "/");
	if ((request->host_root && (err = hide_entries(root, request, &empty, fail)) < 0) ||
	    (err = kernelfs_build(root, request->uid_base, &empty, fail)) < 0 ||
	    (err = add_notify_directory(root, fail)) < 0 ||
	    (err = add_entries(root, request, user_ns, fail)) < 0)
		return err;
	return pivot(old_root, root, fail);
}
