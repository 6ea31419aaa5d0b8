/* A command in the cell with its input and output carried over one connection, in a cgroup leaf of
 * its own. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell/cell.h"
#include "handler.h"
#include "lib/cgroup.h"
#include "lib/kernel.h"
#include "lib/number.h"
#include "session.h"

#define CHUNK_BYTES 16384
#define EMPTY_TIMEOUT_MS 10000

static void set_nonblocking(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void end_input(struct session *session)
{
	if (session->input_ended)
		return;
	session->input_ended = true;
	/* A terminal's input has no end: ^D is what says so. */
	if (!session->tty)
		close(session->input);
	else if (write(session->input, "\004", 1) < 0)
		errno = 0;
}

static void resize(struct session *session)
{
	struct winsize size = { 0 };
	unsigned long rows, columns;
	const char *text = session->reader.payload;
	size_t second = strlen(text) + 1;
	if (!session->tty || second >= session->reader.size || !parse_number(text, 65535, &rows) ||
	    !parse_number(text + second, 65535, &columns))
		return;
	size.ws_row = (unsigned short)rows;
	size.ws_col = (unsigned short)columns;
	ioctl(session->input, TIOCSWINSZ, &size);
}

/* Gives the bytes of the frame on. Returns true when all are given. */
static bool give_input(struct session *session)
{
	size_t left = session->reader.size - session->given;
	if (session->input_ended)
		return true;
	ssize_t count = write(session->input, session->reader.payload + session->given, left);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* Nobody reads it any more: the rest is dropped, as a shell's pipe would. */
	session->given += count < 0 ? left : (size_t)count;
	return session->given == session->reader.size;
}

static void take_frame(struct session *session)
{
	uint8_t type = frame_type(&session->reader);
	if (type == FRAME_STDIN && !give_input(session))
		return;
	if (type == FRAME_STDIN_END)
		end_input(session);
	else if (type == FRAME_RESIZE)
		resize(session);
	frame_forget(&session->reader);
	session->given = 0;
}

/* Returns false when the client is gone. */
static bool read_client(struct session *session)
{
	int whole = frame_read(&session->reader, session->connection);
	if (whole > 0)
		take_frame(session);
	return whole >= 0;
}

/* Returns false when the client is gone. *fd becomes -1 at its end. */
static bool copy_output(struct session *session, int *fd, enum frame_type type)
{
	static char chunk[CHUNK_BYTES];
	ssize_t count = read(*fd, chunk, sizeof(chunk));
	if (count > 0)
		return handler_send(session->connection, type, chunk, (size_t)count) == 0;
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	*fd = -1; /* EIO: a terminal whose last user is gone. */
	return true;
}

/* One round. Returns false when the client is gone. */
static bool step(struct session *session, bool *exited)
{
	bool waiting = frame_is_whole(&session->reader);
	struct pollfd ready[] = {
		{ .fd = session->connection, .events = waiting ? 0 : POLLIN },
		{ .fd = waiting && !session->input_ended ? session->input : -1, .events = POLLOUT },
		{ .fd = session->output, .events = POLLIN },
		{ .fd = session->error, .events = POLLIN },
		{ .fd = *exited ? -1 : session->pidfd, .events = POLLIN },
	};
	if (poll(ready, sizeof(ready) / sizeof(ready[0]), -1) < 0)
		return errno == EINTR;
	/* POLLIN first: what was sent before the end still counts. */
	if ((ready[0].revents & POLLIN) != 0) {
		if (!read_client(session))
			return false;
	} else if (ready[0].revents != 0) {
		return false;
	}
	if (ready[1].revents != 0)
		take_frame(session);
	if (ready[2].revents != 0 && !copy_output(session, &session->output, FRAME_STDOUT))
		return false;
	if (ready[3].revents != 0 && !copy_output(session, &session->error, FRAME_STDERR))
		return false;
	if (ready[4].revents != 0) {
		*exited = true;
		cgroup_kill(session->leaf); /* What it left behind would keep its outputs open. */
	}
	return true;
}

static int send_exit(struct session *session)
{
	struct message message = { 0 };
	int status = 0;
	waitpid(session->pid, &status, 0);
	message_add_number(&message, status);
	message_add_number(&message, (long long)realtime_ms());
	return handler_send(session->connection, FRAME_EXIT, message.data, message.length);
}

static int run(struct launch *launch, struct session *session, struct failure *fail)
{
	bool exited = false;
	int err = session_start(launch, session, fail);
	if (err < 0)
		return err;
	if (handler_send(session->connection, FRAME_OK, NULL, 0) < 0)
		return -EPIPE;
	set_nonblocking(session->input);
	set_nonblocking(session->output);
	set_nonblocking(session->error);
	fail->err = 0;
	while (!exited || session->output >= 0 || session->error >= 0) {
		if (!step(session, &exited))
			return -EPIPE;
	}
	cgroup_empty(session->leaf, EMPTY_TIMEOUT_MS);
	return send_exit(session);
}

/* Until the client lets go. What it sends after the exit must not meet a closed socket: it would lose
 * the exit with it, when that is not read yet. */
static void wait_for_client(int connection)
{
	char ignored[256];
	struct pollfd ready = { .fd = connection, .events = POLLIN };
	ssize_t count;
	shutdown(connection, SHUT_WR);
	do {
		poll(&ready, 1, -1);
		count = recv(connection, ignored, sizeof(ignored), MSG_DONTWAIT);
	} while (count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR)));
}

int exec_serve(int connection, const char *leaf, char *message, size_t length)
{
	struct session session = {
		.connection = connection, .input = -1, .output = -1, .error = -1
	};
	struct launch launch;
	struct failure fail = { 0 };
	signal(SIGPIPE, SIG_IGN);
	session.leaf = cgroup_open_leaf(cell.cgroup, leaf);
	int err = session.leaf < 0 ? fail_with(&fail, session.leaf, "mkdir", leaf)
				   : launch_parse(message, length, &launch, &fail);
	if (err == 0)
		err = run(&launch, &session, &fail);
	if (session.leaf >= 0)
		cgroup_empty(session.leaf, EMPTY_TIMEOUT_MS);
	unlinkat(cell.cgroup, leaf, AT_REMOVEDIR);
	if (err < 0 && fail.err != 0)
		handler_send_failure(connection, &fail);
	else if (err == 0)
		wait_for_client(connection);
	return err < 0;
}
