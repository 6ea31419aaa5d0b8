/* One run of a unit, from what it needs to the record of its exit: see unit.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell/cell.h"
#include "exits.h"
#include "lib/cgroup.h"
#include "lib/format.h"
#include "lib/kernel.h"
#include "unit.h"

/* The second of two runs has another leaf and socket than the first, which may have either. */
static void choose_name(struct run *run, const struct unit *unit)
{
	bool taken = unit->runs != NULL && strcmp(unit->runs->name, unit->name) == 0;
	format_text(run->name, sizeof(run->name), "%s%s", unit->name, taken ? ".2" : "");
}

static struct run *make(struct unit *unit, const struct launch *launch, struct asker starter)
{
	struct run *run = calloc(1, sizeof(*run));
	char *spec = strdup(launch->spec);
	if (run == NULL || spec == NULL) {
		free(run);
		free(spec);
		return NULL;
	}
	choose_name(run, unit);
	run->unit = unit;
	run->spec = spec;
	run->starter = starter;
	run->leaf = run->report.fd = run->events.fd = run->notify.fd = -1;
	memcpy(run->steps, launch->steps, sizeof(run->steps));
	run->step_count = launch->step_count;
	struct run **last = &unit->runs;
	while (*last != NULL)
		last = &(*last)->next;
	return *last = run;
}

static void remove_leaf(struct run *run)
{
	if (run->leaf < 0)
		return;
	close(run->leaf);
	unlinkat(cell.cgroup, run->name, AT_REMOVEDIR);
}

/* Lets go of what it holds, and takes it from its unit. */
static void let_go(struct run *run)
{
	struct unit *unit = run->unit;
	struct run **at = &unit->runs;
	timer_cancel(&run->timer);
	watch_close(&run->report);
	watch_close(&run->events);
	notify_close(run);
	log_close(&run->outputs);
	remove_leaf(run);
	while (*at != run)
		at = &(*at)->next;
	*at = run->next;
	if (unit->runs == NULL) {
		free(unit->spec);
		unit->spec = run->spec;
		unit->started_ms = run->started_ms;
	} else
		free(run->spec);
	free(run->status_text);
}

/* The leaf is empty: the run is over, on disk first and then for everyone. */
static void finish(struct run *run)
{
	struct unit *unit = run->unit;
	let_go(run);
	if (run->failure.err == 0) {
		uint64_t seq;
		unit->status = run->status;
		unit->exit_ms = realtime_ms();
		/* A full disk costs the record, not the cell: the exit is told all the same. */
		exits_record(unit->name, run->pid, run->status, unit->exit_ms, &seq);
		run_tell_exit(run, seq);
	} else {
		wire_answer_failure(run->starter, &run->failure);
	}
	free(run);
}

static void on_leaf_changed(struct watch *watch, uint32_t events)
{
	struct run *run = container_of(watch, struct run, events);
	(void)events;
	if (!cgroup_is_populated(watch->fd))
		finish(run);
}

static void drain(struct run *run)
{
	int fd = cgroup_open_events(run->leaf);
	timer_cancel(&run->timer);
	run->phase = RUN_DRAINING;
	if (fd < 0 || !cgroup_is_populated(fd)) {
		if (fd >= 0)
			close(fd);
		finish(run);
		return;
	}
	run->events.ready = on_leaf_changed;
	/* Watched first: the change must not be missed. */
	if (watch_add(&run->events, fd, EPOLLPRI) == 0)
		cgroup_kill(run->leaf);
}

static void take_report(struct run *run)
{
	struct message message = { 0 };
	struct failure failure;
	ssize_t length = read(run->report.fd, &failure, sizeof(failure));
	if (length < 0)
		return;
	watch_close(&run->report);
	if (length == sizeof(failure)) {
		run->failure = failure; /* Answered when its leaf is empty. */
		return;
	}
	run->phase = RUN_RUNNING;
	run->unit->starts++;
	message_add_number(&message, run->pid);
	message_add_number(&message, (long long)run->started_ms);
	wire_answer(run->starter, FRAME_OK, &message);
	message_free(&message);
}

static void on_report(struct watch *watch, uint32_t events)
{
	(void)events;
	take_report(container_of(watch, struct run, report));
}

bool run_has_main(const struct run *run)
{
	return run->phase != RUN_DRAINING;
}

void run_reaped(struct run *run, int status)
{
	if (run->report.fd >= 0)
		take_report(run);
	/* The leaf is new for every run: who was killed in it belongs to this one. */
	if (WTERMSIG(status) == SIGKILL && !run->stopping && cgroup_oom_kills_in(run->leaf) > 0)
		status |= EXIT_OUT_OF_MEMORY;
	run->status = status;
	drain(run);
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

static int spawn(struct run *run, struct launch *launch, struct pipes *pipes, struct failure *fail)
{
	launch->run = run->name;
	launch->stdin_fd = -1;
	launch->stdout_fd = pipes->out[1];
	launch->stderr_fd = pipes->err[1];
	launch->report_fd = pipes->report[1];
	run->started_ms = realtime_ms();
	pid_t pid = kernel_clone(0, run->leaf, NULL);
	if (pid == 0)
		launch_child(launch);
	if (pid < 0)
		return fail_with(fail, pid, "clone3", run->unit->name);
	run->pid = pid;
	return 0;
}

/* Everything a run needs, then the clone. On failure let_go() undoes what was done. */
static int prepare(struct run *run, struct launch *launch, struct pipes *pipes,
		   struct failure *fail)
{
	int err = listening_ensure(run->unit, launch, fail);
	if (err == 0)
		err = open_pipes(pipes, fail);
	if (err < 0)
		return err;
	run->leaf = cgroup_open_leaf(cell.cgroup, run->name);
	if (run->leaf < 0)
		return fail_with(fail, run->leaf, "mkdir", run->name);
	if (launch->notify && (err = notify_open(run, fail)) < 0)
		return err;
	err = log_open(&run->unit->log, &run->outputs, launch->log_max, launch->log_keep,
		       pipes->out[0], pipes->err[0]);
	pipes->out[0] = pipes->err[0] = -1; /* The log's now. */
	if (err < 0)
		return fail_with(fail, err, "open", "log");
	run->report.ready = on_report;
	err = watch_add(&run->report, pipes->report[0], EPOLLIN);
	pipes->report[0] = -1;
	if (err < 0)
		return fail_with(fail, err, "epoll_ctl", NULL);
	return spawn(run, launch, pipes, fail);
}

int run_begin(struct unit *unit, struct launch *launch, struct asker starter, struct failure *fail)
{
	struct pipes pipes;
	struct run *run = make(unit, launch, starter);
	if (run == NULL)
		return fail_with(fail, ENOMEM, "start", unit->name);
	memset(&pipes, -1, sizeof(pipes));
	int err = prepare(run, launch, &pipes, fail);
	close_pair(pipes.out);
	close_pair(pipes.err);
	close_pair(pipes.report);
	if (err < 0) {
		let_go(run);
		free(run);
	}
	return err;
}

/* Goes on with the stop steps until one waits. After the last the kernel kills what is left. */
static void run_steps(struct run *run)
{
	while (run->step < run->step_count) {
		const struct step *step = &run->steps[run->step++];
		if (step->signal == 0) {
			timer_set(&run->timer, step->wait_ms);
			return;
		}
		/* Not reaped yet, so the number is still its own. */
		kill(run->pid, step->signal);
	}
	cgroup_kill(run->leaf);
}

static void on_timer(struct timer *timer)
{
	run_steps(container_of(timer, struct run, timer));
}

void run_stop(struct run *run)
{
	if (run->stopping || !run_has_main(run))
		return;
	run->stopping = true;
	run->timer.fire = on_timer;
	run_steps(run);
}
