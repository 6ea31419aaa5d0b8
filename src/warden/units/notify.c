/* NOTIFY_SOCKET of a run, sd_notify(3): READY=1 and STATUS= are heard, the rest is not. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cell/cell.h"
#include "lib/format.h"
#include "unit.h"

#define DATAGRAM_MAX 4096

static void take_line(struct run *run, const char *line)
{
	if (strcmp(line, "READY=1") == 0) {
		if (!run->notified)
			run_tell(run, "ready", NULL);
		run->notified = true;
	} else if (strncmp(line, "STATUS=", 7) == 0) {
		free(run->status_text);
		run->status_text = strdup(line + 7);
		run_tell(run, "status", line + 7);
	}
}

static void on_datagram(struct watch *watch, uint32_t events)
{
	struct run *run = container_of(watch, struct run, notify);
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
		take_line(run, line);
	}
}

static void name_of(const struct run *run, char *name, size_t size)
{
	format_text(name, size, "%s.notify", run->name);
}

int notify_open(struct run *run, struct failure *fail)
{
	char name[48];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	name_of(run, name, sizeof(name));
	/* By descriptor: a path of the cell would be the host's here. */
	format_text(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
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
	run->notify.ready = on_datagram;
	int err = watch_add(&run->notify, fd, EPOLLIN);
	return err < 0 ? fail_with(fail, err, "epoll_ctl", name) : 0;
}

void notify_close(struct run *run)
{
	char name[48];
	if (run->notify.fd < 0)
		return;
	watch_close(&run->notify);
	name_of(run, name, sizeof(name));
	unlinkat(cell.notify_directory, name, 0);
}
