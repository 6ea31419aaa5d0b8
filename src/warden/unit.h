/* The units of the cell, from start to the record of their exit. The warden is the parent of every
 * main process. */
#ifndef HENGE_UNIT_H
#define HENGE_UNIT_H

#include <sys/types.h>

#include "launch.h"
#include "log.h"
#include "loop.h"
#include "wire.h"

enum phase {
	UNIT_IDLE,
	/* Cloned; not yet known whether exec happened. */
	UNIT_STARTING,
	UNIT_RUNNING,
	/* The main process has ended; what it left behind is being killed. */
	UNIT_DRAINING,
};

struct listening {
	char *text;
	int fd;
};

struct unit {
	struct unit *next;
	char name[32];
	char *spec;
	enum phase phase;
	bool stopping, notified;
	pid_t pid;
	uint64_t started_ms;
	unsigned int starts;
	/* Of the last run, with EXIT_OUT_OF_MEMORY; exit_ms 0 before the first. */
	int status;
	uint64_t exit_ms;
	char *status_text;
	int leaf;
	struct watch report, events, notify;
	struct failure failure;
	struct asker starter;
	struct log log;
	struct step steps[STEPS_MAX];
	size_t step_count, step;
	struct timer timer;
	struct listening listening[LISTEN_MAX];
	size_t listening_count;
};

/* The answer is sent when exec has happened or failed; message is freed before. */
void unit_start(struct asker from, char *message, size_t length);
void unit_stop(struct asker from, const char *name);
/* A child of the warden has ended; returns false when it was no unit's. */
bool unit_reaped(pid_t pid, int status);
/* Whether no unit has a process. */
bool units_idle(void);
void units_add_state(struct message *message);

/* notify.c: the unit's NOTIFY_SOCKET; the receiving end becomes unit->notify. */
int notify_open(struct unit *unit, struct failure *fail);
void notify_close(struct unit *unit);
/* listening.c: makes unit->listening what the launch asks for; sockets it has already stay. */
int listening_ensure(struct unit *unit, struct launch *launch, struct failure *fail);

#endif
