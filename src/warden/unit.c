/* The units of the cell: see unit.h. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell.h"
#include "cgroup.h"
#include "exits.h"
#include "kernel.h"

#define UNITS_MAX 128

static struct unit *units;

static struct unit *find(const char *name)
{
	struct unit *unit = units;
	while (unit != NULL && strcmp(unit->name, name) != 0)
		unit = unit->next;
	return unit;
}

static struct unit *find_or_make(const char *name, struct failure *fail)
{
	struct unit *unit = find(name);
	size_t count = 0;
	if (unit != NULL)
		return unit;
	for (unit = units; unit != NULL; unit = unit->next)
		count++;
	unit = count == UNITS_MAX ? NULL : calloc(1, sizeof(*unit));
	if (unit == NULL) {
		fail_with(fail, count == UNITS_MAX ? E2BIG : ENOMEM, "start", name);
		return NULL;
	}
	strcpy(unit->name, name); /* launch_parse has checked its length. */
	unit->leaf = unit->report.fd = unit->events.fd = unit->notify.fd = unit->log.fd = -1;
	unit->next = units;
	units = unit;
	return unit;
}

static void remove_leaf(struct unit *unit)
{
	if (unit->leaf < 0)
		return;
	close(unit->leaf);
	unit->leaf = -1;
	unlinkat(cell.cgroup, unit->name, AT_REMOVEDIR);
}

/* Lets go of what a run holds. */
static void end_run(struct unit *unit)
{
	timer_cancel(&unit->timer);
	watch_close(&unit->report);
	watch_close(&unit->events);
	notify_close(unit);
	log_close(&unit->log);
	remove_leaf(unit);
	unit->phase = UNIT_IDLE;
	unit->stopping = unit->notified = false;
}

static void tell_exit(const struct unit *unit, uint64_t seq)
{
	struct message message = { 0 };
	message_add(&message, "exit");
	message_add(&message, unit->name);
	message_add_number(&message, unit->pid);
	message_add_number(&message, unit->status);
	message_add_number(&message, (long long)unit->exit_ms);
	message_add_number(&message, (long long)seq);
	wire_tell(&message);
	message_free(&message);
}

/* The leaf is empty: the run is over, on disk first and then for everyone. */
static void finish(struct unit *unit)
{
	bool started = unit->failure.err == 0;
	end_run(unit);
	if (started) {
		uint64_t seq;
		unit->exit_ms = realtime_ms();
		/* A full disk costs the record, not the cell: the exit is told all the same. */
		exits_record(unit->name, unit->pid, unit->status, unit->exit_ms, &seq);
		tell_exit(unit, seq);
	} else {
		wire_answer_failure(unit->starter, &unit->failure);
	}
	unit->pid = 0;
}

static void on_leaf_changed(struct watch *watch, uint32_t events)
{
	struct unit *unit = container_of(watch, struct unit, events);
	(void)events;
	if (!cgroup_is_populated(watch->fd))
		finish(unit);
}

static void drain(struct unit *unit)
{
	int fd = cgroup_open_events(unit->leaf);
	timer_cancel(&unit->timer);
	unit->phase = UNIT_DRAINING;
	if (fd < 0 || !cgroup_is_populated(fd)) {
		if (fd >= 0)
			close(fd);
		finish(unit);
		return;
	}
	unit->events.ready = on_leaf_changed;
	/* Watched first: the change must not be missed. */
	if (watch_add(&unit->events, fd, EPOLLPRI) == 0)
		cgroup_kill(unit->leaf);
}

static void take_report(struct unit *unit)
{
	struct message message = { 0 };
	struct failure failure;
	ssize_t length = read(unit->report.fd, &failure, sizeof(failure));
	if (length < 0)
		return;
	watch_close(&unit->report);
	if (length == sizeof(failure)) {
		unit->failure = failure; /* Answered when its leaf is empty. */
		return;
	}
	unit->phase = UNIT_RUNNING;
	unit->starts++;
	message_add_number(&message, unit->pid);
	message_add_number(&message, (long long)unit->started_ms);
	wire_answer(unit->starter, FRAME_OK, &message);
	message_free(&message);
}

static void on_report(struct watch *watch, uint32_t events)
{
	(void)events;
	take_report(container_of(watch, struct unit, report));
}

static bool has_main(const struct unit *unit)
{
	return unit->phase == UNIT_STARTING || unit->phase == UNIT_RUNNING;
}

bool unit_reaped(pid_t pid, int status)
{
	struct unit *unit = units;
	/* A draining unit's main process is reaped already: its number may be another's by now. */
	while (unit != NULL && (unit->pid != pid || !has_main(unit)))
		unit = unit->next;
	if (unit == NULL)
		return false;
	if (unit->report.fd >= 0)
		take_report(unit);
	/* The leaf is new for every run: who was killed in it belongs to this one. */
	if (WTERMSIG(status) == SIGKILL && !unit->stopping && cgroup_oom_kills_in(unit->leaf) > 0)
		status |= EXIT_OUT_OF_MEMORY;
	unit->status = status;
	drain(unit);
	return true;
}

/* Three pipes: what the child writes to, and what the warden reads from. */
struct pipes {
	int out[2], err[2], report[2];
};

static void close_pair(int *pair)
{
	if (pair[0] >= 0)
		close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	pair[0] = pair[1] = -1;
}

static int open_pipes(struct pipes *pipes, struct failure *fail)
{
	memset(pipes, -1, sizeof(*pipes));
	if (pipe2(pipes->out, O_CLOEXEC) < 0 || pipe2(pipes->err, O_CLOEXEC) < 0 ||
	    pipe2(pipes->report, O_CLOEXEC) < 0)
		return fail_with(fail, errno, "pipe", NULL);
	fcntl(pipes->out[0], F_SETFL, O_NONBLOCK);
	fcntl(pipes->err[0], F_SETFL, O_NONBLOCK);
	fcntl(pipes->report[0], F_SETFL, O_NONBLOCK);
	/* To root of the cell, which hands them to the unit's user. */
	if (fchown(pipes->out[1], cell.uid_base, cell.uid_base) < 0 ||
	    fchown(pipes->err[1], cell.uid_base, cell.uid_base) < 0)
		return fail_with(fail, errno, "chown", "pipe");
	return 0;
}

static void remember(struct unit *unit, const struct launch *launch)
{
	memcpy(unit->steps, launch->steps, sizeof(unit->steps));
	unit->step_count = launch->step_count;
	unit->step = 0;
	unit->failure.err = 0;
	unit->stopping = unit->notified = false;
	free(unit->status_text);
	unit->status_text = NULL;
}

static int spawn(struct unit *unit, struct launch *launch, struct pipes *pipes,
		 struct failure *fail)
{
	launch->stdin_fd = -1;
	launch->stdout_fd = pipes->out[1];
	launch->stderr_fd = pipes->err[1];
	launch->report_fd = pipes->report[1];
	unit->started_ms = realtime_ms();
	pid_t pid = kernel_clone(0, unit->leaf, NULL);
	if (pid == 0)
		launch_child(launch);
	if (pid < 0)
		return fail_with(fail, pid, "clone3", unit->name);
	unit->pid = pid;
	unit->phase = UNIT_STARTING;
	return 0;
}

/* Everything a run needs, then the clone. On failure end_run() undoes what was done. */
static int begin_run(struct unit *unit, struct launch *launch, struct pipes *pipes,
		     struct failure *fail)
{
	int err = listening_ensure(unit, launch, fail);
	if (err == 0)
		err = open_pipes(pipes, fail);
	if (err < 0)
		return err;
	unit->leaf = cgroup_open_leaf(cell.cgroup, unit->name);
	if (unit->leaf < 0)
		return fail_with(fail, unit->leaf, "mkdir", unit->name);
	if (launch->notify && (err = notify_open(unit, fail)) < 0)
		return err;
	err = log_open(&unit->log, unit->name, launch->log_max, launch->log_keep, pipes->out[0],
		       pipes->err[0]);
	pipes->out[0] = pipes->err[0] = -1; /* The log's now. */
	if (err < 0)
		return fail_with(fail, err, "open", "log");
	unit->report.ready = on_report;
	err = watch_add(&unit->report, pipes->report[0], EPOLLIN);
	pipes->report[0] = -1;
	if (err < 0)
		return fail_with(fail, err, "epoll_ctl", NULL);
	remember(unit, launch);
	return spawn(unit, launch, pipes, fail);
}

static int start(struct asker from, struct launch *launch, struct failure *fail)
{
	struct pipes pipes;
	if (launch->unit == NULL)
		return fail_with(fail, EINVAL, "request", "unit");
	struct unit *unit = find_or_make(launch->unit, fail);
	if (unit == NULL)
		return -fail->err;
	if (unit->phase != UNIT_IDLE)
		return fail_with(fail, EEXIST, "start", unit->name);
	char *spec = strdup(launch->spec);
	if (spec == NULL)
		return fail_with(fail, ENOMEM, "start", unit->name);
	free(unit->spec);
	unit->spec = spec;
	unit->starter = from;
	memset(&pipes, -1, sizeof(pipes));
	int err = begin_run(unit, launch, &pipes, fail);
	close_pair(pipes.out);
	close_pair(pipes.err);
	close_pair(pipes.report);
	if (err < 0)
		end_run(unit);
	return err;
}

void unit_start(struct asker from, char *message, size_t length)
{
	struct launch launch;
	struct failure fail;
	int err = launch_parse(message, length, &launch, &fail);
	if (err == 0)
		err = start(from, &launch, &fail);
	launch_free(&launch);
	if (err < 0)
		wire_answer_failure(from, &fail);
}

/* Goes on with the stop steps until one waits. After the last the kernel kills what is left. */
static void run_steps(struct unit *unit)
{
	while (unit->step < unit->step_count) {
		const struct step *step = &unit->steps[unit->step++];
		if (step->signal == 0) {
			timer_set(&unit->timer, step->wait_ms);
			return;
		}
		/* Not reaped yet, so the number is still its own. */
		kill(unit->pid, step->signal);
	}
	cgroup_kill(unit->leaf);
}

static void on_timer(struct timer *timer)
{
	run_steps(container_of(timer, struct unit, timer));
}

void unit_stop(struct asker from, const char *name)
{
	struct unit *unit = find(name);
	struct message none = { 0 };
	struct failure fail;
	if (unit == NULL || unit->phase == UNIT_IDLE) {
		fail_with(&fail, ESRCH, "stop", name);
		wire_answer_failure(from, &fail);
		return;
	}
	if (!unit->stopping && unit->phase != UNIT_DRAINING) {
		unit->stopping = true;
		unit->timer.fire = on_timer;
		run_steps(unit);
	}
	wire_answer(from, FRAME_OK, &none);
}

bool units_idle(void)
{
	for (struct unit *unit = units; unit != NULL; unit = unit->next) {
		if (unit->phase != UNIT_IDLE)
			return false;
	}
	return true;
}

static void add_flag(struct message *message, const char *key, bool is_set)
{
	if (!is_set)
		return;
	message_add(message, key);
	message_add(message, "");
}

static void add_number(struct message *message, const char *key, long long number)
{
	message_add(message, key);
	message_add_number(message, number);
}

static void add_unit(struct message *message, const struct unit *unit)
{
	bool running = unit->phase != UNIT_IDLE;
	message_add(message, "unit");
	message_add(message, unit->name);
	message_add(message, "spec");
	message_add(message, unit->spec);
	add_flag(message, "running", running);
	add_flag(message, "stopping", unit->stopping);
	add_flag(message, "notified", unit->notified);
	add_number(message, "starts", unit->starts);
	if (running)
		add_number(message, "pid", unit->pid);
	if (unit->started_ms > 0)
		add_number(message, "started-at", (long long)unit->started_ms);
	if (unit->exit_ms > 0) {
		char text[48];
		snprintf(text, sizeof(text), "%d %llu", unit->status,
			 (unsigned long long)unit->exit_ms);
		message_add(message, "exit");
		message_add(message, text);
	}
	if (unit->status_text != NULL) {
		message_add(message, "status");
		message_add(message, unit->status_text);
	}
}

void units_add_state(struct message *message)
{
	for (const struct unit *unit = units; unit != NULL; unit = unit->next) {
		if (unit->spec != NULL)
			add_unit(message, unit);
	}
}
