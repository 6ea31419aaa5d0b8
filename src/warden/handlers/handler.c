/* An exec or a dial: see handler.h. */
#include "handler.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cell/cell.h"
#include "lib/cgroup.h"
#include "lib/descriptors.h"
#include "lib/format.h"
#include "lib/kernel.h"

#define HANDLERS_MAX 32

struct handler {
	pid_t pid;
	unsigned int leaf;
};

static struct handler handlers[HANDLERS_MAX];
static unsigned int last_leaf;

static void leaf_name(unsigned int number, char *name, size_t size)
{
	format_text(name, size, EXEC_LEAF_PREFIX "%u", number);
}

static int send_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		struct pollfd ready = { .fd = fd, .events = POLLOUT };
		ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			poll(&ready, 1, -1);
		else if (sent < 0 && errno != EINTR)
			return -errno;
		else if (sent > 0) {
			data += sent;
			length -= (size_t)sent;
		}
	}
	return 0;
}

int handler_send(int connection, enum frame_type type, const void *payload, size_t length)
{
	unsigned char head[FRAME_HEAD_BYTES];
	frame_head(head, type, 1, length);
	int err = send_all(connection, (const char *)head, sizeof(head));
	return err < 0 ? err : send_all(connection, payload, length);
}

int handler_send_failure(int connection, const struct failure *fail)
{
	struct message message = { 0 };
	message_add(&message, fail->op);
	message_add_number(&message, fail->err);
	message_add(&message, fail->path);
	return handler_send(connection, FRAME_FAILED, message.data, message.length);
}

/* A handler holds its connection and the ways into the cell, and nothing else of the warden's. */
static void close_all_but_ways_in(int connection)
{
	int keep[] = { connection,  cell.cgroup, cell.init_pidfd, cell.user_ns,
		       cell.pid_ns, cell.net_ns, cell.terminals };
	close_all_but(keep, sizeof(keep) / sizeof(keep[0]));
}

static _Noreturn void serve(struct frame *frame, int connection, unsigned int leaf)
{
	char name[48];
	close_all_but_ways_in(connection);
	leaf_name(leaf, name, sizeof(name));
	if (frame->type == FRAME_EXEC)
		_exit(exec_serve(connection, name, frame->payload, frame->length));
	_exit(dial_serve(connection, frame->payload));
}

static struct handler *free_slot(void)
{
	for (size_t index = 0; index < HANDLERS_MAX; index++) {
		if (handlers[index].pid == 0)
			return &handlers[index];
	}
	return NULL;
}

/* Forks in the host's pid namespace, where the warden itself is: children are born in the cell's
 * otherwise. */
static pid_t fork_outside(void)
{
	if (setns(cell.own_pid_ns, CLONE_NEWPID) < 0)
		return -errno;
	pid_t pid = kernel_clone(0, -1, NULL);
	if (pid != 0 && setns(cell.pid_ns, CLONE_NEWPID) < 0)
		abort(); /* Units would be born outside the cell. */
	return pid;
}

void handler_start(struct frame *frame)
{
	struct handler *slot = free_slot();
	struct failure fail;
	int connection = wire_take(frame->from.connection);
	if (connection < 0)
		return;
	if (slot == NULL) {
		fail_with(&fail, EAGAIN, "exec", "too many at once");
		handler_send_failure(connection, &fail);
	} else {
		unsigned int leaf = ++last_leaf;
		pid_t pid = fork_outside();
		if (pid == 0)
			serve(frame, connection, leaf);
		if (pid < 0) {
			fail_with(&fail, pid, "clone3", NULL);
			handler_send_failure(connection, &fail);
		} else {
			*slot = (struct handler){ .pid = pid, .leaf = leaf };
		}
	}
	close(connection);
}

void handlers_kill(void)
{
	for (size_t index = 0; index < HANDLERS_MAX; index++) {
		if (handlers[index].pid != 0)
			kill(handlers[index].pid, SIGKILL);
	}
}

bool handlers_idle(void)
{
	for (size_t index = 0; index < HANDLERS_MAX; index++) {
		if (handlers[index].pid != 0)
			return false;
	}
	return true;
}

bool handler_reaped(pid_t pid)
{
	char name[48];
	for (size_t index = 0; index < HANDLERS_MAX; index++) {
		if (handlers[index].pid != pid)
			continue;
		leaf_name(handlers[index].leaf, name, sizeof(name));
		handlers[index].pid = 0;
		/* It removes its leaf itself, unless it was killed. */
		int leaf = openat(cell.cgroup, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (leaf >= 0) {
			cgroup_kill(leaf);
			close(leaf);
			unlinkat(cell.cgroup, name, AT_REMOVEDIR);
		}
		return true;
	}
	return false;
}
