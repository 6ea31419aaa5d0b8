/* The one record of what went wrong: see failure.h. */
#include "failure.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "format.h"

static void copy(char *to, const char *from, size_t size)
{
	size_t length = from == NULL ? 0 : strnlen(from, size - 1);
	if (length > 0)
		memcpy(to, from, length);
	to[length] = '\0';
}

int fail_with(struct failure *fail, int err, const char *op, const char *path)
{
	fail->err = err < 0 ? -err : err;
	copy(fail->op, op, sizeof(fail->op));
	copy(fail->path, path, sizeof(fail->path));
	return -fail->err;
}

int failure_hear(int fd, const char *child, struct failure *fail)
{
	struct failure heard;
	ssize_t length;
	do
		length = read(fd, &heard, sizeof(heard));
	while (length < 0 && errno == EINTR);
	if (length != sizeof(heard))
		return fail_with(fail, ECHILD, child, "it died");
	if (heard.err == 0)
		return 0;
	*fail = heard;
	return -heard.err;
}

int failure_tell(int fd, const struct failure *fail)
{
	char text[sizeof(*fail) + 64];
	int length = format_text(text, sizeof(text), "failed%c%s%c%d%c%s%c", 0, fail->op, 0,
				 fail->err, 0, fail->path, 0);
	return write(fd, text, (size_t)length) == length ? 0 : -EPIPE;
}
