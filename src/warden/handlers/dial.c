/* A TCP connection made in the cell's network namespace, spliced to the daemon's connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cell/cell.h"
#include "handler.h"
#include "lib/number.h"

#define CONNECT_TIMEOUT_MS 30000
#define CHUNK_BYTES 16384

struct direction {
	int from, to;
	char data[CHUNK_BYTES];
	size_t at, length;
	bool ended;
};

static int connect_in_cell(unsigned long port, struct failure *fail)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	socklen_t size = sizeof(int);
	int err = 0;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (setns(cell.net_ns, CLONE_NEWNET) < 0)
		return fail_with(fail, errno, "setns", "network namespace");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_with(fail, errno, "socket", NULL);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != EINPROGRESS)
		return fail_with(fail, errno, "connect", "127.0.0.1");
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	if (poll(&ready, 1, CONNECT_TIMEOUT_MS) <= 0)
		return fail_with(fail, ETIMEDOUT, "connect", "127.0.0.1");
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
	return err != 0 ? fail_with(fail, err, "connect", "127.0.0.1") : fd;
}

/* Returns false when the direction is of no use any more. */
static bool pump(struct direction *direction)
{
	if (direction->length == 0) {
		ssize_t count = recv(direction->from, direction->data, CHUNK_BYTES, MSG_DONTWAIT);
		if (count < 0)
			return errno == EAGAIN || errno == EINTR;
		if (count == 0) {
			direction->ended = true;
			shutdown(direction->to, SHUT_WR);
			return true;
		}
		direction->at = 0;
		direction->length = (size_t)count;
	}
	ssize_t sent = send(direction->to, direction->data + direction->at, direction->length,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR;
	direction->at += (size_t)sent;
	direction->length -= (size_t)sent;
	return true;
}

/* What one end is waited for; without anything to wait for, only for its hang-up. */
static struct pollfd interest(const struct direction *in, const struct direction *out)
{
	struct pollfd ready = { .fd = in->from };
	if (!in->ended && in->length == 0)
		ready.events |= POLLIN;
	if (!out->ended && out->length > 0)
		ready.events |= POLLOUT;
	/* A hang-up that is known would be told again and again. */
	if (ready.events == 0 && out->ended)
		ready.fd = -1;
	return ready;
}

/* An end that hung up takes nothing any more; what it sent before is still there to be read. */
static void wait_for(struct direction *there, struct direction *back)
{
	struct pollfd ready[2] = { interest(there, back), interest(back, there) };
	poll(ready, 2, -1);
	if ((ready[0].revents & (POLLHUP | POLLERR)) != 0)
		back->ended = true;
	if ((ready[1].revents & (POLLHUP | POLLERR)) != 0)
		there->ended = true;
}

int dial_serve(int connection, const char *port_text)
{
	static struct direction there, back;
	struct failure fail;
	unsigned long port;
	int fd = parse_number(port_text, 65535, &port)
			 ? connect_in_cell(port, &fail)
			 : fail_with(&fail, EINVAL, "dial", port_text);
	if (fd < 0)
		return handler_send_failure(connection, &fail) < 0;
	if (handler_send(connection, FRAME_OK, NULL, 0) < 0)
		return 1;
	there.from = back.to = connection;
	there.to = back.from = fd;
	while (!there.ended || !back.ended) {
		wait_for(&there, &back);
		if ((!there.ended && !pump(&there)) || (!back.ended && !pump(&back)))
			return 1;
	}
	return 0;
}
