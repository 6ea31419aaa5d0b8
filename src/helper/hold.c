/* Holds a cgroup still: see hold.h. */
#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cgroup.h"
#include "lib/loop.h"
#include "lib/number.h"

static bool is_frozen(int events_fd)
{
	char text[128];
	ssize_t length = pread(events_fd, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return false;
	text[length] = '\0';
	return strstr(text, "frozen 1") != NULL;
}

static int ms_until(uint64_t end_ms)
{
	uint64_t now_ms = monotonic_ms();
	return now_ms < end_ms ? (int)(end_ms - now_ms) : 0;
}

/* Returns 0 when all of it stands still, 1 when the time is up or nobody waits any more. */
static int await_frozen(int events_fd, uint64_t end_ms)
{
	struct pollfd sources[] = { { .fd = STDIN_FILENO },
				    { .fd = events_fd, .events = POLLPRI } };
	while (!is_frozen(events_fd)) {
		if (poll(sources, 2, ms_until(end_ms)) == 0 || sources[0].revents != 0)
			return 1;
	}
	return 0;
}

/* Returns 0 at the end of standard input, 1 when the time is up. */
static int await_word(uint64_t end_ms)
{
	struct pollfd word = { .fd = STDIN_FILENO, .events = POLLIN };
	int ready;
	do
		ready = poll(&word, 1, ms_until(end_ms));
	while (ready < 0 && errno == EINTR);
	return ready > 0 ? 0 : 1;
}

static int hold(int events_fd, uint64_t end_ms)
{
	if (await_frozen(events_fd, end_ms) != 0) {
		fputs("it did not stand still in time\n", stderr);
		return 1;
	}
	puts("held");
	if (fflush(stdout) != 0)
		return 1;
	if (await_word(end_ms) == 0)
		return 0;
	fputs("it was held for as long as is allowed\n", stderr);
	return 1;
}

int hold_run(const char *cgroup, const char *max_text)
{
	unsigned long max_ms;
	int fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int events = fd < 0 ? -1 : cgroup_open_events(fd);
	if (events < 0 || !parse_number(max_text, 600000, &max_ms)) {
		fprintf(stderr, "cannot hold %s\n", cgroup);
		return 1;
	}
	uint64_t end_ms = monotonic_ms() + max_ms;
	bool was_frozen = is_frozen(events);
	int err = was_frozen ? 0 : cgroup_write(fd, "cgroup.freeze", "1");
	if (err < 0) {
		fprintf(stderr, "cannot freeze %s: %s\n", cgroup, strerror(-err));
		return 1;
	}
	int status = hold(events, end_ms);
	if (!was_frozen)
		cgroup_write(fd, "cgroup.freeze", "0");
	return status;
}
