/* NOTIFY_SOCKET of a unit, sd_notify(3): READY=1 and STATUS= are heard, the rest is not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cell.h"
#include "unit.h"

#define DATAGRAM_MAX 4096

static void tell(const struct unit *unit, const char *kind, const char *text)
{
	struct message message = { 0 };
	message_add(&message, kind);
	message_add(&message, unit->name);
	if (text != NULL)
		message_add(&message, text);
	wire_tell(&message);
	message_free(&message);
}

static void take_line(struct unit *unit, const char *line)
{
	if (strcmp(line, "READY=1") == 0) {
		if (!unit->notified)
			tell(unit, "ready", NULL);
		unit->notified = true;
	} else if (strncmp(line, "STATUS=", 7) == 0) {
		free(unit->status_text);
		unit->status_text = strdup(line + 7);
		tell(unit, "status", line + 7);
	}
}

static void on_datagram(struct watch *watch, uint32_t events)
{
	struct unit *unit = container_of(watch, struct unit, notify);
	char text[DATAGRAM_MAX];
	(void)events;
	ssize_t length = recv(watch->fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (length <= 0)
		return;
	text[length] = '\0';
	for (char *line = text, *next; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		take_line(unit, line);
	}
}

static void name_of(const struct unit *unit, char *name, size_t size)
{
	snprintf(name, size, "%s.notify", unit->name);
}

int notify_open(struct unit *unit, struct failure *fail)
{
	char name[48];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	name_of(unit, name, sizeof(name));
	/* By descriptor: a path of the cell would be the host's here. */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
		 cell.notify_directory, name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_with(fail, errno, "socket", name);
	unlinkat(cell.notify_directory, name, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(cell.notify_directory, name, 0666, 0) < 0) {
		int err = errno;
		close(fd);
		return fail_with(fail, err, "bind", name);
	}
	unit->notify.ready = on_datagram;
	int err = watch_add(&unit->notify, fd, EPOLLIN);
	return err < 0 ? fail_with(fail, err, "epoll_ctl", name) : 0;
}

void notify_close(struct unit *unit)
{
	char name[48];
	if (unit->notify.fd < 0)
		return;
	watch_close(&unit->notify);
	name_of(unit, name, sizeof(name));
	unlinkat(cell.notify_directory, name, 0);
}
