/* A cell on the host's own root gets a clone of the host's mounts. What lies below a directory it
 * may not see is unmounted from its namespace first: covered alone, it would keep the host's
 * filesystems busy. */
#include "strip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define MOUNTINFO_MAX (1024 * 1024)

static const char *const own_places[] = { "/proc", "/sys", "/dev", "/run", "/tmp" };

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);
	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/');
}

static bool is_covered(const struct request *request, const char *path)
{
	for (size_t index = 0; index < sizeof(own_places) / sizeof(char *); index++) {
		if (is_below(path, own_places[index]))
			return true;
	}
	for (size_t index = 0; index < request->entry_count; index++) {
		const struct entry *entry = &request->entries[index];
		if (entry->kind == ENTRY_HIDDEN && is_below(path, entry->path))
			return true;
	}
	return false;
}

/* Octal escapes of blanks and backslashes, in place: proc_pid_mountinfo(5). */
static void unescape(char *text)
{
	char *to = text;
	for (; *text != '\0'; text++, to++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] != '\0' &&
		    text[3] != '\0') {
			*to = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 3;
		} else {
			*to = *text;
		}
	}
	*to = '\0';
}

/* The fifth field of a line. */
static char *mount_point(char *line)
{
	for (int field = 1; field < 5 && line != NULL; field++) {
		line = strchr(line, ' ');
		if (line != NULL)
			line++;
	}
	if (line != NULL)
		line[strcspn(line, " ")] = '\0';
	return line;
}

static char *read_mountinfo(void)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char *text = malloc(MOUNTINFO_MAX);
	size_t length = 0;
	ssize_t count = 0;
	if (text != NULL && fd >= 0) {
		while ((count = read(fd, text + length, MOUNTINFO_MAX - 1 - length)) > 0)
			length += (size_t)count;
	}
	if (fd >= 0)
		close(fd);
	if (length == 0) {
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}

int strip_host(const struct request *request, struct failure *fail)
{
	char *text = read_mountinfo();
	if (text == NULL)
		return fail_with(fail, EIO, "read", "/proc/self/mountinfo");
	for (char *line = text, *next; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		char *path = mount_point(line);
		if (path == NULL)
			continue;
		unescape(path);
		/* What an earlier line took along is gone: no failure. */
		if (is_covered(request, path))
			umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	}
	free(text);
	return 0;
}
