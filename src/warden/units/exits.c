/* The exit records of the cell: see exits.h. One line each: `seq unit pid wait-status ms`. */
#include "exits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/format.h"
#include "lib/number.h"

#define FILE_MAX_BYTES (256 * 1024)

static int directory_fd = -1;
static int file_fd = -1;
static uint64_t last_seq;

/* The number of the last whole line; 0 without one. */
static uint64_t read_last(int fd)
{
	char tail[512];
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0)
		return 0;
	off_t from = status.st_size > (off_t)sizeof(tail) - 1
			     ? status.st_size - (off_t)sizeof(tail) + 1
			     : 0;
	ssize_t length = pread(fd, tail, sizeof(tail) - 1, from);
	if (length <= 0)
		return 0;
	tail[length] = '\0';
	char *end = strrchr(tail, '\n');
	if (end == NULL)
		return 0;
	*end = '\0';
	char *start = strrchr(tail, '\n');
	return leading_number(start == NULL ? tail : start + 1, 10);
}

static int open_file(void)
{
	int flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
	file_fd = openat(directory_fd, "exits", flags, 0600);
	if (file_fd < 0)
		return -errno;
	/* Its name must outlive a crash as well. */
	return fsync(directory_fd) < 0 ? -errno : 0;
}

int exits_open(const char *directory, struct failure *fail)
{
	directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0)
		return fail_with(fail, errno, "open", directory);
	file_fd = openat(directory_fd, "exits", O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	int err = file_fd < 0 ? open_file() : 0;
	if (err < 0)
		return fail_with(fail, err, "open", "exits");
	int older = openat(directory_fd, "exits.1", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t seq = read_last(file_fd);
	uint64_t older_seq = read_last(older);
	if (older >= 0)
		close(older);
	last_seq = seq > older_seq ? seq : older_seq;
	/* A crash of the host may have left half a line: the next record starts on one of its own.
	 */
	struct stat status;
	char byte = '\n';
	if (fstat(file_fd, &status) == 0 && status.st_size > 0 &&
	    pread(file_fd, &byte, 1, status.st_size - 1) == 1 && byte != '\n' &&
	    write(file_fd, "\n", 1) < 0)
		return fail_with(fail, errno, "write", "exits");
	return 0;
}

/* The size of the file to append to; when it cannot be rotated it goes on growing. */
static off_t rotate_when_full(void)
{
	struct stat status;
	if (fstat(file_fd, &status) < 0 || status.st_size < FILE_MAX_BYTES)
		return status.st_size;
	int full = file_fd;
	if (renameat(directory_fd, "exits", directory_fd, "exits.1") < 0 || open_file() < 0) {
		file_fd = full;
		return status.st_size;
	}
	close(full);
	return 0;
}

int exits_record(const char *unit, pid_t pid, int status, uint64_t at_ms, uint64_t *seq)
{
	char line[128];
	int length = format_text(line, sizeof(line), "%llu %s %d %d %llu\n",
				 (unsigned long long)last_seq + 1, unit, (int)pid, status,
				 (unsigned long long)at_ms);
	*seq = ++last_seq;
	off_t size = rotate_when_full();
	ssize_t written = write(file_fd, line, (size_t)length);
	if (written != length) {
		int err = written < 0 ? -errno : -ENOSPC;
		return ftruncate(file_fd, size) < 0 ? -errno : err; /* No half line. */
	}
	return fdatasync(file_fd) < 0 ? -errno : 0;
}
