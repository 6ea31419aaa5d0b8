/* Files replaced on the host: see files.h. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kernel.h"
#include "lib/mount.h"
#include "lib/scoped.h"
#include "sources.h"

struct file {
	char *source, *path;
	/* The detached mount, or -ENOENT: gone from the host. */
	int fd;
};

/* Like `cell`: one for each warden, and in each child a copy of its own. */
static struct file *files;
static size_t file_count;

int files_keep(const struct request *request, struct failure *fail)
{
	files = calloc(request->entry_count + 1, sizeof(*files));
	if (files == NULL)
		return fail_with(fail, ENOMEM, "request", NULL);
	for (size_t index = 0; index < request->entry_count; index++) {
		const struct entry *entry = &request->entries[index];
		if (entry->kind != ENTRY_FILE)
			continue;
		struct file *file = &files[file_count++];
		file->source = strdup(entry->source.path);
		file->path = strdup(entry->path);
		if (file->source == NULL || file->path == NULL)
			return fail_with(fail, ENOMEM, "request", NULL);
	}
	return 0;
}

int files_open(struct failure *fail)
{
	for (struct file *file = files; file < files + file_count; file++) {
		file->fd = source_open_file(file->source, cell.user_ns, fail);
		if (file->fd < 0 && file->fd != -ENOENT)
			return file->fd;
	}
	return 0;
}

/* Takes the topmost mount off path; path has a slash. The working directory is its directory afterwards. */
static int unmount(int root, const char *path, struct failure *fail)
{
	char directory[4096];
	const char *name = strrchr(path, '/') + 1;
	size_t length = (size_t)(name - path);
	if (length >= sizeof(directory))
		return fail_with(fail, ENAMETOOLONG, "umount", path);
	memcpy(directory, path, length);
	directory[length] = '\0';
	SCOPED_FD int fd = mount_target(root, directory, true);
	if (fd < 0)
		return fail_with(fail, fd, "umount", path);
	return fchdir(fd) < 0 || umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0
		       ? fail_with(fail, errno, "umount", path)
		       : 0;
}

/* Nothing can be mounted over a file whose name is gone; below it, then without it, none sees a moment without. */
static int replace(int root, int target, const struct file *file, struct failure *fail)
{
	int err = kernel_move_mount_beneath(file->fd, target);
	if (err < 0 && err != -EINVAL)
		return fail_with(fail, err, "mount", file->path);
	bool is_beneath = err == 0;
	err = unmount(root, file->path, fail);
	if (err == 0 && !is_beneath)
		err = mount_attach(file->fd, root, file->path, false, fail);
	return err;
}

static int renew(int root, const struct file *file, struct failure *fail)
{
	struct stat now, shown;
	SCOPED_FD int target = mount_target(root, file->path, false);
	if (target < 0)
		return fail_with(fail, target, "mount", file->path);
	if (fstat(file->fd, &now) < 0 || fstat(target, &shown) < 0)
		return fail_with(fail, errno, "stat", file->path);
	if (!S_ISREG(shown.st_mode))
		return fail_with(fail, ESTALE, "mount", file->path);
	if (now.st_dev != shown.st_dev || now.st_ino != shown.st_ino)
		return replace(root, target, file, fail);
	return 0;
}

int files_renew(struct failure *fail)
{
	if (file_count == 0)
		return 0;
	SCOPED_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail_with(fail, errno, "open", "/");
	for (struct file *file = files; file < files + file_count; file++) {
		if (file->fd < 0)
			continue;
		int err = renew(root, file, fail);
		close(file->fd);
		if (err < 0)
			return err;
	}
	return fchdir(root) < 0 ? fail_with(fail, errno, "chdir", "/") : 0;
}
