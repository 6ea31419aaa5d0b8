/* The units of the cell: see unit.h. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cell/cell.h"
#include "lib/number.h"

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
	unit->log.unit = unit->name;
	unit->log.fd = -1;
	unit->next = units;
	units = unit;
	return unit;
}

/* One run at a time; a second only where the launch says so, and with the sockets of the first. */
static int check_room(const struct unit *unit, const struct launch *launch, struct failure *fail)
{
	const struct run *first = unit->runs;
	if (first == NULL)
		return 0;
	if (!launch->beside || first->next != NULL)
		return fail_with(fail, EEXIST, "start", unit->name);
	if (!listening_is_held(unit, launch))
		return fail_with(fail, EINVAL, "listen", unit->name);
	return 0;
}

static int start(struct asker from, struct launch *launch, struct failure *fail)
{
	if (launch->unit == NULL)
		return fail_with(fail, EINVAL, "request", "unit");
	struct unit *unit = find_or_make(launch->unit, fail);
	if (unit == NULL)
		return -fail->err;
	int err = check_room(unit, launch, fail);
	return err < 0 ? err : run_begin(unit, launch, from, fail);
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

void unit_stop(struct asker from, const char *name, const char *pid)
{
	struct unit *unit = find(name);
	struct message none = { 0 };
	struct failure fail;
	unsigned long number = 0;
	bool found = false;
	if (pid != NULL && !parse_number(pid, INT_MAX, &number))
		unit = NULL;
	for (struct run *run = unit == NULL ? NULL : unit->runs; run != NULL; run = run->next) {
		if (pid != NULL && run->pid != (pid_t)number)
			continue;
		found = true;
		run_stop(run);
	}
	if (found) {
		wire_answer(from, FRAME_OK, &none);
		return;
	}
	fail_with(&fail, ESRCH, "stop", name);
	wire_answer_failure(from, &fail);
}

bool unit_reaped(pid_t pid, int status)
{
	for (struct unit *unit = units; unit != NULL; unit = unit->next) {
		for (struct run *run = unit->runs; run != NULL; run = run->next) {
			/* A draining run's process is reaped already: its number may be another's
			 * by now. */
			if (run->pid != pid || !run_has_main(run))
				continue;
			run_reaped(run, status);
			return true;
		}
	}
	return false;
}

bool units_idle(void)
{
	for (struct unit *unit = units; unit != NULL; unit = unit->next) {
		if (unit->runs != NULL)
			return false;
	}
	return true;
}

void units_add_state(struct message *message)
{
	for (const struct unit *unit = units; unit != NULL; unit = unit->next)
		unit_add_state(message, unit);
}
