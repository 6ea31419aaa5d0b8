/* henge-warden: parent and witness of one cell. Directives come on descriptor 3, its answer goes to
 * 4, a network namespace to join may be on 5. It answers when the cell stands, and stays until it
 * is told to free it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boundary/files.h"
#include "boundary/init.h"
#include "boundary/userns.h"
#include "cell.h"
#include "detach.h"
#include "lib/cgroup.h"
#include "lib/format.h"
#include "lib/handover.h"
#include "lib/kernel.h"
#include "lib/scoped.h"
#include "pressure.h"
#include "record.h"
#include "serve.h"
#include "units/exits.h"
#include "wire/wire.h"

#define EX_USAGE 64 /* sysexits.h */

struct cell cell = {
	.init_pidfd = -1,
	.user_ns = -1,
	.pid_ns = -1,
	.own_pid_ns = -1,
	.net_ns = -1,
	.own_net_ns = -1,
	.cgroup = -1,
	.notify_directory = -1,
	.terminals = -1,
	.run_directory = -1,
	.logs = -1,
};

static int answer(const char *text, size_t length)
{
	return write(ANSWER_FD, text, length) == (ssize_t)length ? 0 : -EPIPE;
}

/* That the answer was read, not only sent. */
static bool is_confirmed(void)
{
	char byte;
	ssize_t count;
	do
		count = read(ANSWER_FD, &byte, 1);
	while (count < 0 && errno == EINTR);
	return count == 1;
}

static char *read_request(size_t *length, struct failure *fail)
{
	size_t size = 16384;
	char *text = malloc(size);
	*length = 0;
	while (text != NULL) {
		ssize_t count = read(REQUEST_FD, text + *length, size - *length);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		*length += (size_t)count;
		if (*length == size) {
			size *= 2;
			char *larger = size > FRAME_MAX_BYTES ? NULL : realloc(text, size);
			if (larger == NULL)
				free(text);
			text = larger;
		}
	}
	close(REQUEST_FD);
	if (text == NULL)
		fail_with(fail, EMSGSIZE, "request", NULL);
	return text;
}

static int open_directory(const char *path, int *fd, struct failure *fail)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? fail_with(fail, errno, "open", path) : 0;
}

static int open_of_init(const char *name, int flags, int *fd, struct failure *fail)
{
	char path[64];
	format_text(path, sizeof(path), "/proc/%d/%s", (int)cell.init_pid, name);
	*fd = open(path, flags | O_CLOEXEC);
	return *fd < 0 ? fail_with(fail, errno, "open", path) : 0;
}

static int open_own(const char *path, int *fd, struct failure *fail)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? fail_with(fail, errno, "open", path) : 0;
}

/* The ways into the cell, while its init is fresh and nothing else runs there. */
static int open_ways_in(struct failure *fail)
{
	int flags = O_PATH | O_DIRECTORY;
	int err;
	if ((err = open_of_init("ns/pid", O_RDONLY, &cell.pid_ns, fail)) < 0 ||
	    (err = open_of_init("ns/net", O_RDONLY, &cell.net_ns, fail)) < 0 ||
	    (err = open_of_init("root" NOTIFY_DIRECTORY, flags, &cell.notify_directory, fail)) <
		    0 ||
	    (err = open_of_init("root/dev/pts", flags, &cell.terminals, fail)) < 0 ||
	    (err = open_own("/proc/self/ns/pid", &cell.own_pid_ns, fail)) < 0 ||
	    (err = open_own("/proc/self/ns/net", &cell.own_net_ns, fail)) < 0)
		return err;
	if (setns(cell.pid_ns, CLONE_NEWPID) < 0)
		return fail_with(fail, errno, "setns", "pid namespace");
	return 0;
}

static int enable_controllers(const struct request *request, struct failure *fail)
{
	if (request->controllers[0] == '\0')
		return 0;
	int err = cgroup_write(cell.cgroup, "cgroup.subtree_control", request->controllers);
	return err < 0 ? fail_with(fail, err, "write", "cgroup.subtree_control") : 0;
}

static int begin_init(struct request *request, int *told, struct failure *fail)
{
	struct userns made = { .user = -1, .cgroup = -1 };
	int err = userns_make(cell.cgroup, request->uid_base, &made, fail);
	SCOPED_FD int cgroup_ns = made.cgroup;
	cell.user_ns = made.user;
	if (err < 0)
		return err;
	err = init_begin(request, &made, told, fail);
	userns_release(&made);
	return err;
}

/* The cell's cgroup has no process of its own left: only now may it hand controllers to its leaves.
 * Init is in one already, within the limits of the cell; it goes on building meanwhile. */
static int build(struct request *request, struct failure *fail)
{
	int told = -1;
	int err;
	if ((err = begin_init(request, &told, fail)) < 0 ||
	    (err = enable_controllers(request, fail)) < 0 || (err = init_await(told, fail)) < 0)
		return err;
	return open_ways_in(fail);
}

static void take_down(void)
{
	if (cell.init_pid > 0) {
		kill(cell.init_pid, SIGKILL);
		waitpid(cell.init_pid, NULL, 0);
	}
	unlinkat(cell.cgroup, INIT_LEAF,
		 AT_REMOVEDIR); /* Stays when it is another warden's: it is not empty. */
	record_remove();
}

static int open_places(const struct request *request, struct failure *fail)
{
	int err;
	cell.name = strdup(request->cell);
	cell.boundary = strdup(request->boundary);
	cell.uid_base = request->uid_base;
	if ((err = open_directory(request->cgroup, &cell.cgroup, fail)) < 0 ||
	    (err = open_directory(request->run, &cell.run_directory, fail)) < 0 ||
	    (err = open_directory(request->logs, &cell.logs, fail)) < 0)
		return err;
	return files_keep(request, fail);
}

/* Found by the next daemon from the first moment on: a socket that answers when the cell stands. */
static int prepare(const struct request *request, struct failure *fail)
{
	int err;
	if ((err = open_places(request, fail)) < 0 || (err = record_lock(fail)) < 0)
		return err;
	if (loop_open() < 0)
		return fail_with(fail, errno, "epoll_create", NULL);
	if ((err = exits_open(request->state, fail)) < 0 ||
	    (err = serve_open(request->run, fail)) < 0)
		return err;
	return record_write(request->boot, request->cgroup, fail);
}

static int close_inherited(bool joins_network)
{
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3 && null >= 0; fd++) {
		if (null != fd)
			dup2(null, fd);
	}
	if (null > 2)
		close(null);
	fcntl(ANSWER_FD, F_SETFD, FD_CLOEXEC);
	fcntl(NETWORK_FD, F_SETFD, FD_CLOEXEC);
	return kernel_close_range(joins_network ? NETWORK_FD + 1 : NETWORK_FD, ~0U, 0);
}

static int become_warden(struct request *request, char *text, size_t length, struct failure *fail)
{
	request->network_fd = -1;
	int err = request_parse(text, length, request, fail);
	if (err < 0)
		return err;
	bool joins = strcmp(request->network, "parent") == 0;
	err = close_inherited(joins);
	if (err < 0)
		return fail_with(fail, err, "close_range", NULL);
	if (joins)
		request->network_fd = NETWORK_FD;
	return detach(request->warden_cgroup, fail);
}

static int stand_up(struct request *request, struct failure *fail)
{
	int err;
	if ((err = prepare(request, fail)) < 0 || (err = build(request, fail)) < 0) {
		take_down();
		return err;
	}
	pressure_open();
	return 0;
}

int main(int argc, char **argv)
{
	struct failure fail = { 0 };
	struct request request = { 0 };
	size_t length;
	if (argc != 2 || argv[1][0] == '-')
		return EX_USAGE;
	/* The daemon's is tighter; a cell must be able to read its own cgroup. Files name their modes. */
	umask(022);
	int err = detach_from_file(argv, &fail);
	char *text = err < 0 ? NULL : read_request(&length, &fail);
	if (text != NULL && become_warden(&request, text, length, &fail) == 0 &&
	    stand_up(&request, &fail) == 0) {
		free(request.entries);
		free(text);
		/* Nobody waits any more: what was built belongs to no one. */
		if (answer("ok", 3) < 0 || !is_confirmed()) {
			take_down();
			return 1;
		}
		close(ANSWER_FD);
		if (request.network_fd >= 0)
			close(NETWORK_FD);
		serve_run();
	}
	return failure_tell(ANSWER_FD, &fail) < 0 ? 2 : 1;
}
