/* Listening sockets held for a unit: made in the cell's network namespace, kept while the unit is
 * restarted. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cell/cell.h"
#include "lib/number.h"
#include "unit.h"

/* text: ADDRESS PORT NAME */
static bool parse_address(const char *text, struct sockaddr_in *address)
{
	char copy[128];
	unsigned long port;
	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	char *port_text = strchr(copy, ' ');
	if (port_text == NULL)
		return false;
	*port_text++ = '\0';
	char *name = strchr(port_text, ' ');
	if (name == NULL || name[1] == '\0' || strchr(name + 1, ':') != NULL)
		return false;
	*name = '\0';
	if (!parse_number(port_text, 65535, &port))
		return false;
	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, copy, &address->sin_addr) == 1;
}

static int open_here(const struct sockaddr_in *address)
{
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
	    listen(fd, 4096) == 0)
		return fd;
	int err = -errno;
	close(fd);
	return err;
}

static int open_socket(const char *text, struct failure *fail)
{
	struct sockaddr_in address;
	if (!parse_address(text, &address))
		return fail_with(fail, EINVAL, "listen", text);
	if (setns(cell.net_ns, CLONE_NEWNET) < 0)
		return fail_with(fail, errno, "setns", "network namespace");
	int fd = open_here(&address);
	if (setns(cell.own_net_ns, CLONE_NEWNET) < 0)
		abort(); /* In the cell's network the warden is of no use to anyone. */
	return fd < 0 ? fail_with(fail, fd, "listen", text) : fd;
}

/* The socket held for this text, taken out of the unit's; -1 when there is none. */
static int take_held(struct unit *unit, const char *text)
{
	for (size_t index = 0; index < unit->listening_count; index++) {
		struct listening *held = &unit->listening[index];
		if (held->fd >= 0 && strcmp(held->text, text) == 0) {
			int fd = held->fd;
			held->fd = -1;
			return fd;
		}
	}
	return -1;
}

static void let_go(struct listening *held, size_t count)
{
	for (size_t index = 0; index < count; index++) {
		if (held[index].fd >= 0)
			close(held[index].fd);
		free(held[index].text);
	}
}

int listening_ensure(struct unit *unit, struct launch *launch, struct failure *fail)
{
	struct listening wanted[LISTEN_MAX];
	size_t count = 0;
	int err = 0;
	for (; err == 0 && count < launch->listen_count; count++) {
		wanted[count].text = strdup(launch->listens[count]);
		wanted[count].fd = take_held(unit, launch->listens[count]);
	}
	/* First what is no longer wanted goes: it may hold a port that is. */
	let_go(unit->listening, unit->listening_count);
	memcpy(unit->listening, wanted, sizeof(wanted[0]) * count);
	unit->listening_count = count;
	for (size_t index = 0; err >= 0 && index < count; index++) {
		struct listening *held = &unit->listening[index];
		if (held->fd < 0)
			err = held->fd = open_socket(launch->listens[index], fail);
		launch->listen_fds[index] = held->fd;
	}
	return err < 0 ? err : 0;
}

bool listening_is_held(const struct unit *unit, const struct launch *launch)
{
	if (unit->listening_count != launch->listen_count)
		return false;
	for (size_t index = 0; index < unit->listening_count; index++) {
		const struct listening *held = &unit->listening[index];
		if (held->fd < 0 || strcmp(held->text, launch->listens[index]) != 0)
			return false;
	}
	return true;
}
