/* The daemon's voice at the service manager: see manager.h. */
#include "manager.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_SIZE 256

/* A name that begins with @ is of the abstract namespace: unix(7). */
static int dial_manager(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (connect(fd, (struct sockaddr *)&address, size) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int manager_run(void)
{
	char line[LINE_SIZE];
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = path == NULL ? -EINVAL : dial_manager(path);
	if (fd < 0)
		return 1;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		/* A manager that is being replaced loses a message; the next one counts. */
		if (send(fd, line, strcspn(line, "\n"), MSG_NOSIGNAL) < 0 &&
		    errno == ECONNREFUSED) {
			close(fd);
			fd = dial_manager(path);
			if (fd < 0)
				return 1;
			send(fd, line, strcspn(line, "\n"), MSG_NOSIGNAL);
		}
	}
	return 0;
}
