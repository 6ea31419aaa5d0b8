/* What is told of a unit and its runs: as state, which whoever comes later asks for, and as events. */

#include "lib/format.h"
#include "unit.h"

static void add_flag(struct message *message, const char *key, bool is_set)
{
	if (!is_set)
		return;
	message_add(message, key);
	message_add(message, "");
}

static void add_text(struct message *message, const char *key, const char *text)
{
	message_add(message, key);
	message_add(message, text);
}

static void add_number(struct message *message, const char *key, long long number)
{
	message_add(message, key);
	message_add_number(message, number);
}

static void open_unit(struct message *message, const struct unit *unit, const char *spec)
{
	add_text(message, "unit", unit->name);
	add_text(message, "spec", spec);
	add_number(message, "starts", unit->starts);
	if (unit->exit_ms > 0) {
		char text[48];
		format_text(text, sizeof(text), "%d %llu", unit->status,
			    (unsigned long long)unit->exit_ms);
		add_text(message, "exit", text);
	}
}

static void add_run(struct message *message, const struct run *run)
{
	open_unit(message, run->unit, run->spec);
	add_flag(message, "running", true);
	add_flag(message, "stopping", run->stopping);
	add_flag(message, "notified", run->notified);
	add_number(message, "pid", run->pid);
	add_number(message, "started-at", (long long)run->started_ms);
	if (run->status_text != NULL)
		add_text(message, "status", run->status_text);
}

/* Once for each run, the oldest first; once for a unit without any. */
void unit_add_state(struct message *message, const struct unit *unit)
{
	for (const struct run *run = unit->runs; run != NULL; run = run->next)
		add_run(message, run);
	if (unit->runs != NULL || unit->spec == NULL)
		return;
	open_unit(message, unit, unit->spec);
	if (unit->started_ms > 0)
		add_number(message, "started-at", (long long)unit->started_ms);
}

void run_tell_exit(const struct run *run, uint64_t seq)
{
	struct message message = { 0 };
	message_add(&message, "exit");
	message_add(&message, run->unit->name);
	message_add_number(&message, run->pid);
	message_add_number(&message, run->status);
	message_add_number(&message, (long long)run->unit->exit_ms);
	message_add_number(&message, (long long)seq);
	wire_tell(&message);
	message_free(&message);
}

void run_tell(const struct run *run, const char *kind, const char *text)
{
	struct message message = { 0 };
	message_add(&message, kind);
	message_add(&message, run->unit->name);
	if (text != NULL)
		message_add(&message, text);
	message_add_number(&message, run->pid);
	wire_tell(&message);
	message_free(&message);
}
