/* Mounts by descriptor: see mount.h. */
#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "kernel.h"
#include "scoped.h"

static int configure(int fd, const char *const *options)
{
	for (; *options != NULL; options += 2) {
		bool flag = options[1][0] == '\0';
		unsigned int command = flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
		int err = kernel_fsconfig(fd, command, options[0], flag ? NULL : options[1]);
		if (err < 0)
			return err;
	}
	return kernel_fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL);
}

int mount_new(const char *type, const char *const *options, uint64_t attributes,
	      struct failure *fail)
{
	SCOPED_FD int context = kernel_fsopen(type);
	if (context < 0)
		return fail_with(fail, context, "fsopen", type);
	int err = configure(context, options);
	int fd = err < 0 ? err : kernel_fsmount(context, attributes);
	return fd < 0 ? fail_with(fail, fd, "fsmount", type) : fd;
}

int mount_clone(int fd, struct failure *fail)
{
	int clone = kernel_open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
	return clone < 0 ? fail_with(fail, clone, "open_tree", NULL) : clone;
}

int mount_restrict(int fd, uint64_t attributes, int user_ns, bool recursive, const char *path,
		   struct failure *fail)
{
	struct mount_attr attr = { .attr_set = attributes };
	if (user_ns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)user_ns;
	}
	int err = kernel_mount_setattr(fd, recursive ? AT_RECURSIVE_FLAG : 0, &attr);
	return err < 0 ? fail_with(fail, err, "mount_setattr", path) : 0;
}

int mount_target(int root, const char *path, bool directory)
{
	int flags = O_PATH | (directory ? O_DIRECTORY : 0);
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	return kernel_openat2(root, path, flags, resolve);
}

int mount_attach(int fd, int root, const char *path, bool directory, struct failure *fail)
{
	SCOPED_FD int target = mount_target(root, path, directory);
	if (target < 0)
		return fail_with(fail, target, "mount", path);
	int err = kernel_move_mount(fd, target);
	return err < 0 ? fail_with(fail, err, "mount", path) : 0;
}

int mount_freeze(int root, const char *path, struct failure *fail)
{
	unsigned int flags = AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE_FLAG;
	SCOPED_FD int target = mount_target(root, path, false);
	if (target < 0)
		return target == -ENOENT ? 0 : fail_with(fail, target, "mount", path);
	SCOPED_FD int clone = kernel_open_tree(target, "", flags);
	if (clone < 0)
		return fail_with(fail, clone, "open_tree", path);
	int err = mount_restrict(clone, MOUNT_ATTR_RDONLY, -1, true, path, fail);
	if (err < 0)
		return err;
	err = kernel_move_mount(clone, target);
	return err < 0 ? fail_with(fail, err, "mount", path) : 0;
}
