/* Memory of a child between clone and exec: see arena.h. */
#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"

#define ARENA_SIZE (8UL * 1024 * 1024)

static char *next;
static char *end;

void *arena_take(size_t size)
{
	if (next == NULL) {
		void *memory = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (memory == MAP_FAILED)
			return NULL;
		next = memory;
		end = next + ARENA_SIZE;
	}
	size = (size + 15) & ~(size_t)15;
	if (size > (size_t)(end - next))
		return NULL;
	char *taken = next;
	next += size;
	return taken;
}

char *arena_join(const char *name, const char *value)
{
	size_t head = strlen(name), tail = strlen(value);
	char *text = arena_take(head + tail + 2);
	if (text == NULL)
		return NULL;
	memcpy(text, name, head);
	text[head] = '=';
	memcpy(text + head + 1, value, tail + 1);
	return text;
}

static long read_whole(int fd, size_t max, char **text)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_size < 0 || (size_t)status.st_size > max)
		return -EFBIG;
	char *memory = arena_take((size_t)status.st_size + 1);
	if (memory == NULL)
		return -ENOMEM;
	size_t length = 0;
	while (length < (size_t)status.st_size) {
		ssize_t count = read(fd, memory + length, (size_t)status.st_size - length);
		if (count < 0)
			return -errno;
		if (count == 0)
			break;
		length += (size_t)count;
	}
	memory[length] = '\0';
	*text = memory;
	return (long)length;
}

long arena_read(int dirfd, const char *path, size_t max, char **text)
{
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	int fd = kernel_openat2(dirfd, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, resolve);
	if (fd < 0)
		return fd;
	long length = read_whole(fd, max, text);
	close(fd);
	return length;
}
