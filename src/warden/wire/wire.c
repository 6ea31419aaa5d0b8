/* The warden's socket: see wire.h. */
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define UNSENT_MAX (4 * FRAME_MAX_BYTES)

struct connection {
	struct connection *next;
	struct watch watch;
	uint64_t id;
	bool subscribed;
	struct frame_reader reader;
	/* What the peer has not taken yet. */
	char *unsent;
	size_t unsent_length;
};

static struct watch listener;
static struct connection *connections;
static unsigned int connection_count;
static uint64_t last_id;
static void (*handle_frame)(struct frame *);

static void drop(struct connection *connection)
{
	for (struct connection **at = &connections; *at != NULL; at = &(*at)->next) {
		if (*at == connection) {
			*at = connection->next;
			break;
		}
	}
	connection_count--;
	watch_close(&connection->watch);
	free(connection->reader.payload);
	free(connection->unsent);
	free(connection);
}

static struct connection *find(uint64_t id)
{
	struct connection *connection = connections;
	while (connection != NULL && connection->id != id)
		connection = connection->next;
	return connection;
}

/* Returns 0, or 1 when something had to wait, or -errno. */
static int flush(struct connection *connection)
{
	while (connection->unsent_length > 0) {
		ssize_t sent = send(connection->watch.fd, connection->unsent,
				    connection->unsent_length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0)
			return errno == EAGAIN ? 1 : -errno;
		connection->unsent_length -= (size_t)sent;
		memmove(connection->unsent, connection->unsent + sent, connection->unsent_length);
	}
	free(connection->unsent);
	connection->unsent = NULL;
	return 0;
}

/* Returns false when the connection is gone. */
static bool send_frame(struct connection *connection, enum frame_type type, uint32_t seq,
		       const char *payload, size_t length)
{
	size_t size = connection->unsent_length + FRAME_HEAD_BYTES + length;
	char *unsent = size > UNSENT_MAX ? NULL : realloc(connection->unsent, size);
	if (unsent == NULL) {
		drop(connection);
		return false;
	}
	connection->unsent = unsent;
	frame_head((unsigned char *)unsent + connection->unsent_length, type, seq, length);
	if (length > 0)
		memcpy(unsent + connection->unsent_length + FRAME_HEAD_BYTES, payload, length);
	connection->unsent_length = size;
	int waits = flush(connection);
	if (waits < 0) {
		drop(connection);
		return false;
	}
	watch_set(&connection->watch, waits > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

void wire_answer(struct asker to, enum frame_type type, const struct message *message)
{
	struct connection *connection = find(to.connection);
	if (connection == NULL)
		return;
	if (message->failed)
		drop(connection);
	else
		send_frame(connection, type, to.seq, message->data, message->length);
}

void wire_answer_failure(struct asker to, const struct failure *fail)
{
	struct message message = { 0 };
	message_add(&message, fail->op);
	message_add_number(&message, fail->err);
	message_add(&message, fail->path);
	wire_answer(to, FRAME_FAILED, &message);
	message_free(&message);
}

void wire_tell(const struct message *message)
{
	struct connection *next;
	for (struct connection *at = connections; at != NULL; at = next) {
		next = at->next;
		if (at->subscribed)
			send_frame(at, FRAME_EVENT, 0, message->data, message->length);
	}
}

void wire_subscribe(uint64_t id)
{
	struct connection *connection = find(id);
	if (connection != NULL)
		connection->subscribed = true;
}

int wire_descriptor(uint64_t id)
{
	const struct connection *connection = find(id);
	return connection == NULL ? -1 : connection->watch.fd;
}

int wire_take(uint64_t id)
{
	struct connection *connection = find(id);
	if (connection == NULL)
		return -1;
	int fd = watch_release(&connection->watch);
	drop(connection);
	return fd;
}

/* Returns -errno when the connection is no use any more. */
static int receive(struct connection *connection)
{
	int whole = frame_read(&connection->reader, connection->watch.fd);
	if (whole <= 0)
		return whole;
	struct frame_reader read = connection->reader;
	struct frame frame = {
		.type = frame_type(&read),
		.from = { .connection = connection->id, .seq = frame_seq(&read) },
		.payload = read.payload,
		.length = read.size,
	};
	memset(&connection->reader, 0, sizeof(connection->reader));
	handle_frame(&frame);
	return 0;
}

static void on_connection(struct watch *watch, uint32_t events)
{
	struct connection *connection = container_of(watch, struct connection, watch);
	if ((events & EPOLLOUT) != 0) {
		int waits = flush(connection);
		if (waits < 0) {
			drop(connection);
			return;
		}
		watch_set(watch, waits > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
	/* A frame that was handed over may have ended the connection: touch it no more. */
	if ((events & ~(uint32_t)EPOLLOUT) != 0 && receive(connection) < 0)
		drop(connection);
}

static void on_listener(struct watch *watch, uint32_t events)
{
	(void)events;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct connection *connection =
		connection_count < CONNECTIONS_MAX ? calloc(1, sizeof(*connection)) : NULL;
	if (connection == NULL) {
		close(fd);
		return;
	}
	connection->id = ++last_id;
	connection->watch.ready = on_connection;
	if (watch_add(&connection->watch, fd, EPOLLIN) < 0) {
		free(connection);
		return;
	}
	connection->next = connections;
	connections = connection;
	connection_count++;
}

int wire_open(const char *path, void (*handle)(struct frame *), struct failure *fail)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address.sun_path))
		return fail_with(fail, ENAMETOOLONG, "bind", path);
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_with(fail, errno, "socket", path);
	/* The caller holds the cell's lock: whoever bound it before is gone. */
	unlink(path);
	mode_t mask = umask(0177);
	int err = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (err == 0 && listen(fd, 64) < 0)
		err = -errno;
	if (err < 0) {
		close(fd);
		return fail_with(fail, err, "bind", path);
	}
	handle_frame = handle;
	listener.ready = on_listener;
	err = watch_add(&listener, fd, EPOLLIN);
	return err < 0 ? fail_with(fail, err, "epoll_ctl", path) : 0;
}
