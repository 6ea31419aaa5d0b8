/* Watches memory.events and the pressure files of the cell's cgroup: see pressure.h. Nothing is polled;
 * while nothing happens nothing runs. Nested cells count as well, for the kernel counts them. */
#include "pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cell.h"
#include "lib/cgroup.h"
#include "lib/loop.h"
#include "wire/wire.h"

/* 15% of 2 s stalled: without CAP_SYS_RESOURCE a window is a multiple of 2 s. */
#define TRIGGER "some 300000 2000000"
/* The kernel triggers once a window while it lasts; told is the first of each such time. */
#define TOLD_EVERY_MS 10000
/* Closing a trigger waits for a grace period of RCU (psi_trigger_destroy). */
#define TRIGGERS_AFTER_MS 1000
/* memory.high alone can change memory.events a hundred times a second. */
#define LOOK_EVERY_MS 1000

struct gauge {
	const char *resource, *file;
	struct watch watch;
	/* 0: never. */
	uint64_t told_ms;
};

static struct gauge gauges[PRESSURE_TRIGGERS_MAX] = {
	{ .resource = "cpu", .file = "cpu.pressure", .watch.fd = -1 },
	{ .resource = "memory", .file = "memory.pressure", .watch.fd = -1 },
	{ .resource = "io", .file = "io.pressure", .watch.fd = -1 },
};
static struct watch memory = { .fd = -1 };
static struct timer next_look, first_triggers;
static long last_kills;

static void tell_pressure(const struct gauge *gauge, const char *average)
{
	struct message message = { 0 };
	message_add(&message, "pressure");
	message_add(&message, gauge->resource);
	message_add(&message, average);
	wire_tell(&message);
	message_free(&message);
}

static void on_pressure(struct watch *watch, uint32_t events)
{
	static const char head[] = "some avg10=";
	struct gauge *gauge = container_of(watch, struct gauge, watch);
	char text[128];
	uint64_t now = monotonic_ms();
	if ((events & EPOLLERR) != 0) { /* The cgroup is gone. */
		watch_close(watch);
		return;
	}
	if (gauge->told_ms != 0 && now - gauge->told_ms < TOLD_EVERY_MS)
		return;
	ssize_t length = pread(watch->fd, text, sizeof(text) - 1, 0);
	if (length < (ssize_t)sizeof(head) || strncmp(text, head, sizeof(head) - 1) != 0)
		return;
	text[length] = '\0';
	text[strcspn(text + sizeof(head) - 1, " ") + sizeof(head) - 1] = '\0';
	gauge->told_ms = now;
	tell_pressure(gauge, text + sizeof(head) - 1);
}

static void watch_pressure(struct gauge *gauge)
{
	int fd = openat(cell.cgroup, gauge->file, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, TRIGGER, strlen(TRIGGER)) < 0) {
		close(fd);
		return;
	}
	gauge->watch.ready = on_pressure;
	watch_add(&gauge->watch, fd, EPOLLPRI);
}

/* Returns false when there is nothing to watch any more. */
static bool tell_new_kills(void)
{
	struct message message = { 0 };
	long kills = cgroup_oom_kills(memory.fd);
	if (kills > last_kills) {
		message_add(&message, "oom");
		message_add_number(&message, kills);
		wire_tell(&message);
		message_free(&message);
		last_kills = kills;
	}
	return kills >= 0;
}

static void on_next_look(struct timer *timer)
{
	(void)timer;
	watch_set(&memory, EPOLLPRI | EPOLLONESHOT);
}

static void on_memory(struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
	if (tell_new_kills())
		timer_set(&next_look, LOOK_EVERY_MS);
}

static void watch_memory(void)
{
	int fd = cgroup_open_memory_events(cell.cgroup);
	if (fd < 0)
		return;
	/* The first read: only what comes after it is told as a change. */
	last_kills = cgroup_oom_kills(fd);
	next_look.fire = on_next_look;
	memory.ready = on_memory;
	watch_add(&memory, fd, EPOLLPRI | EPOLLONESHOT);
}

static void open_triggers(struct timer *timer)
{
	(void)timer;
	for (size_t index = 0; index < PRESSURE_TRIGGERS_MAX; index++)
		watch_pressure(&gauges[index]);
}

void pressure_open(void)
{
	watch_memory();
	first_triggers.fire = open_triggers;
	timer_set(&first_triggers, TRIGGERS_AFTER_MS);
}

size_t pressure_triggers(int *descriptors)
{
	size_t count = 0;
	for (size_t index = 0; index < PRESSURE_TRIGGERS_MAX; index++) {
		if (gauges[index].watch.fd >= 0)
			descriptors[count++] = gauges[index].watch.fd;
	}
	return count;
}

void pressure_add_state(struct message *message)
{
	/* A read takes the change away from the loop: subscribers must hear it all the same. */
	if (memory.fd < 0 || !tell_new_kills())
		return;
	message_add(message, "oom");
	message_add_number(message, last_kills);
}
