/* Reads what the spawner is asked for: see spawn-request.h. */
#include "spawn-request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/scoped.h"
#include "wire/frame.h"

#define LENGTH_BYTES 4

static int read_all(int fd, void *to, size_t length)
{
	for (size_t at = 0; at < length;) {
		ssize_t count = read(fd, (char *)to + at, length - at);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count < 0 ? -errno : -EPIPE;
		at += (size_t)count;
	}
	return 0;
}

static int read_message(int connection, char **message, size_t *length)
{
	unsigned char head[LENGTH_BYTES];
	int err = read_all(connection, head, sizeof(head));
	if (err < 0)
		return err;
	*length = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
		  (size_t)head[3] << 24;
	if (*length == 0 || *length > FRAME_MAX_BYTES)
		return -EMSGSIZE;
	SCOPED_TEXT char *text = malloc(*length);
	if (text == NULL)
		return -ENOMEM;
	if ((err = read_all(connection, text, *length)) < 0)
		return err;
	if (text[*length - 1] != '\0')
		return -EBADMSG;
	*message = text;
	text = NULL;
	return 0;
}

char *spawn_request_read(int connection, size_t *length, struct failure *fail)
{
	char *message = NULL;
	int err = read_message(connection, &message, length);
	if (err < 0)
		fail_with(fail, err, "read", "request");
	return message;
}

char *spawn_request_next(char **at, const char *end)
{
	char *text = *at;
	if (text == end)
		return NULL;
	*at += strlen(text) + 1;
	return text;
}

int spawn_request_parse(char *message, size_t length, struct spawn_request *asked,
			struct failure *fail)
{
	const char *end = message + length;
	const char *kind = spawn_request_next(&message, end);
	asked->cell = spawn_request_next(&message, end);
	asked->network = asked->cell == NULL ? NULL : spawn_request_next(&message, end);
	/* A cell's name that begins with a dash would be read as an option. */
	if (asked->network == NULL || strcmp(kind, "warden") != 0 || asked->cell[0] == '\0' ||
	    asked->cell[0] == '-')
		return fail_with(fail, EBADMSG, "parse", "request");
	asked->rest = message;
	asked->rest_length = (size_t)(end - message);
	return 0;
}
