/* The units of the cell and their runs, from start to the record of the exit. The warden is the
 * parent of every main process. */
#ifndef HENGE_UNIT_H
#define HENGE_UNIT_H

#include <sys/types.h>

#include "launch.h"
#include "lib/loop.h"
#include "log.h"
#include "wire/wire.h"

enum phase {
	/* Cloned; not yet known whether exec happened. */
	RUN_STARTING,
	RUN_RUNNING,
	/* The main process has ended; what it left behind is being killed. */
	RUN_DRAINING,
};

struct unit;

/* Allocated while it lasts. */
struct run {
	struct run *next;
	struct unit *unit;
	/* Its leaf, and with `.notify` its notification socket. */
	char name[36];
	char *spec;
	enum phase phase;
	bool stopping, notified;
	pid_t pid;
	uint64_t started_ms;
	/* With EXIT_OUT_OF_MEMORY. */
	int status;
	char *status_text;
	int leaf;
	struct watch report, events, notify;
	struct failure failure;
	struct asker starter;
	struct outputs outputs;
	struct step steps[STEPS_MAX];
	size_t step_count, step;
	struct timer timer;
};

struct listening {
	char *text;
	int fd;
};

struct unit {
	struct unit *next;
	char name[32];
	/* Oldest first: one, or two while the first hands over to the second. */
	struct run *runs;
	unsigned int starts;
	/* Of the last run, once none is left. */
	char *spec;
	uint64_t started_ms;
	/* Of the run that ended last; exit_ms 0 before the first. */
	int status;
	uint64_t exit_ms;
	struct log log;
	struct listening listening[LISTEN_MAX];
	size_t listening_count;
};

/* unit.c */
/* The answer is sent when exec has happened or failed; message is freed before. */
void unit_start(struct asker from, char *message, size_t length);
/* Its run of this pid (decimal), or all of them when it is NULL. */
void unit_stop(struct asker from, const char *name, const char *pid);
/* A child of the warden has ended; returns false when it was no unit's. */
bool unit_reaped(pid_t pid, int status);
/* Whether no unit has a process. */
bool units_idle(void);
void units_add_state(struct message *message);

/* run.c */
int run_begin(struct unit *unit, struct launch *launch, struct asker starter, struct failure *fail);
/* Idempotent: the steps go on where they are. */
void run_stop(struct run *run);
bool run_has_main(const struct run *run);
/* Its main process has ended. */
void run_reaped(struct run *run, int status);

/* unit-state.c */
void unit_add_state(struct message *message, const struct unit *unit);
void run_tell_exit(const struct run *run, uint64_t seq);
/* text may be NULL. */
void run_tell(const struct run *run, const char *kind, const char *text);

/* notify.c: the run's NOTIFY_SOCKET; the receiving end becomes run->notify. */
int notify_open(struct run *run, struct failure *fail);
void notify_close(struct run *run);

/* listening.c */
/* Makes unit->listening what the launch asks for; sockets it has already stay. */
int listening_ensure(struct unit *unit, struct launch *launch, struct failure *fail);
/* Whether the launch asks for exactly the sockets the unit has. */
bool listening_is_held(const struct unit *unit, const struct launch *launch);

#endif
