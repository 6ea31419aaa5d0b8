/* The run-time record of the cell: see record.h. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cell.h"
#include "lib/format.h"
#include "lib/process.h"
#include "lib/scoped.h"

static bool locked;

int record_lock(struct failure *fail)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd =
		openat(cell.run_directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_with(fail, errno, "open", "lock");
	/* Held by this process alone, until it ends: a forked child does not prolong it. The
	 * descriptor stays open. */
	if (fcntl(fd, F_SETLK, &lock) < 0)
		return fail_with(fail, errno == EAGAIN || errno == EACCES ? EBUSY : errno, "lock",
				 cell.name);
	locked = true;
	return 0;
}

int record_write(const char *boot, const char *cgroup, struct failure *fail)
{
	char text[4096];
	int length =
		format_text(text, sizeof(text), "cell %s\nboot %s\nwarden %d %llu\ncgroup %s\n",
			    cell.name, boot, (int)getpid(), start_time_of(getpid()), cgroup);
	if (length >= (int)sizeof(text))
		return fail_with(fail, ENAMETOOLONG, "write", "warden");
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	SCOPED_FD int fd = openat(cell.run_directory, "warden.new", flags, 0600);
	if (fd < 0)
		return fail_with(fail, errno, "open", "warden.new");
	ssize_t written = write(fd, text, (size_t)length);
	if (written != length)
		return fail_with(fail, written < 0 ? errno : ENOSPC, "write", "warden.new");
	if (renameat(cell.run_directory, "warden.new", cell.run_directory, "warden") < 0)
		return fail_with(fail, errno, "rename", "warden");
	return 0;
}

void record_remove(void)
{
	static const char *const names[] = { "warden", "warden.new", "warden.sock", "lock" };
	for (size_t index = 0; locked && index < sizeof(names) / sizeof(names[0]); index++)
		unlinkat(cell.run_directory, names[index], 0);
}
