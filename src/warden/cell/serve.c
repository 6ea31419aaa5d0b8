/* What the warden does once the cell stands: see serve.h. */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell.h"
#include "ending.h"
#include "handlers/handler.h"
#include "lib/cgroup.h"
#include "lib/format.h"
#include "pressure.h"
#include "record.h"
#include "units/unit.h"
#include "wire/wire.h"

#define FREE_TIMEOUT_MS 10000

static struct watch children;
static struct timer free_timer;
static struct asker freer;
static bool freeing;

static void answer_state(struct asker from)
{
	struct message message = { 0 };
	message_add(&message, "cell");
	message_add(&message, cell.name);
	message_add(&message, "warden");
	message_add_number(&message, getpid());
	message_add(&message, "init");
	message_add_number(&message, cell.init_pid);
	message_add(&message, "uid-base");
	message_add_number(&message, cell.uid_base);
	message_add(&message, "boundary");
	message_add(&message, cell.boundary);
	pressure_add_state(&message);
	units_add_state(&message);
	wire_answer(from, FRAME_OK, &message);
	message_free(&message);
}

static _Noreturn void end(void)
{
	struct message none = { 0 };
	cgroup_sweep(cell.cgroup, "henge.");
	record_remove();
	ending_release(wire_descriptor(freer.connection));
	wire_answer(freer, FRAME_OK, &none);
	_exit(0);
}

static void end_when_empty(void)
{
	if (freeing && cell.init_pid == 0 && units_idle() && handlers_idle())
		end();
}

static void on_free_timeout(struct timer *timer)
{
	struct failure fail;
	(void)timer;
	freeing = false;
	fail_with(&fail, ETIMEDOUT, "free", "its processes do not end");
	wire_answer_failure(freer, &fail);
}

/* The end of PID 1 is the end of all in its namespace: no cgroup.kill, which would reach nested
 * cells and leave a KILLED_CGROUP behind. */
static void free_cell(struct asker from)
{
	freer = from; /* Whoever asked last gets the answer. */
	if (freeing)
		return;
	freeing = true;
	free_timer.fire = on_free_timeout;
	timer_set(&free_timer, FREE_TIMEOUT_MS);
	handlers_kill();
	if (cell.init_pid > 0)
		kill(cell.init_pid, SIGKILL);
	end_when_empty();
}

static void reap(pid_t pid, int status)
{
	if (unit_reaped(pid, status) || handler_reaped(pid) || pid != cell.init_pid)
		return;
	cell.init_pid = 0;
	/* Without its PID 1 nothing can run in the cell: the daemon finds the record without its
	 * warden and rebuilds. The kernel let go of PID 1 only after every unit was reaped. */
	if (!freeing)
		_exit(1);
}

static void on_children(struct watch *watch, uint32_t events)
{
	struct signalfd_siginfo info;
	int status;
	(void)events;
	if (read(watch->fd, &info, sizeof(info)) < 0)
		return;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		reap(pid, status);
	end_when_empty();
}

/* The first string of a request that has at least one. */
static bool has_text(const struct frame *frame)
{
	return frame->length > 0 && frame->payload[frame->length - 1] == '\0';
}

/* NULL when there is none. */
static const char *second_text(const struct frame *frame)
{
	size_t first = strlen(frame->payload) + 1;
	return first < frame->length ? frame->payload + first : NULL;
}

static void handle(struct frame *frame)
{
	struct message none = { 0 };
	struct failure fail;
	bool usable = frame->type == FRAME_STATE || frame->type == FRAME_SUBSCRIBE ||
		      frame->type == FRAME_FREE || has_text(frame);
	if (!usable || frame->type > FRAME_DIAL) {
		fail_with(&fail, EPROTO, "request", NULL);
		wire_answer_failure(frame->from, &fail);
	} else if (frame->type == FRAME_START)
		unit_start(frame->from, frame->payload, frame->length);
	else if (frame->type == FRAME_STOP)
		unit_stop(frame->from, frame->payload, second_text(frame));
	else if (frame->type == FRAME_STATE)
		answer_state(frame->from);
	else if (frame->type == FRAME_SUBSCRIBE) {
		wire_subscribe(frame->from.connection);
		wire_answer(frame->from, FRAME_OK, &none);
	} else if (frame->type == FRAME_FREE)
		free_cell(frame->from);
	else
		handler_start(frame);
	free(frame->payload);
}

int serve_open(const char *directory, struct failure *fail)
{
	char path[256];
	sigset_t child;
	if (format_text(path, sizeof(path), "%s/warden.sock", directory) >= (int)sizeof(path))
		return fail_with(fail, ENAMETOOLONG, "bind", directory);
	/* Before the first child: its end waits in the descriptor until the loop runs. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	children.ready = on_children;
	int err = watch_add(&children, signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK), EPOLLIN);
	return err < 0 ? fail_with(fail, err, "signalfd", NULL) : wire_open(path, handle, fail);
}

_Noreturn void serve_run(void)
{
	loop_run();
}
