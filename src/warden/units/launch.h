/* What is run in the cell, a unit or an exec, as the daemon asked for it; and the child that
 * becomes it. */
#ifndef HENGE_LAUNCH_H
#define HENGE_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/failure.h"

#define LISTEN_MAX 16
#define STEPS_MAX 32

struct step {
	/* 0: wait. */
	int signal;
	uint64_t wait_ms;
};

/* Strings point into the message it was parsed from; argv and the like into table. */
struct launch {
	char **table;
	char *unit, *spec, *cwd, *user;
	char **argv, **env, **env_files, **stale_sockets;
	size_t env_count, env_file_count, stale_socket_count;
	/* ADDRESS PORT NAME */
	char *listens[LISTEN_MAX];
	size_t listen_count;
	struct step steps[STEPS_MAX];
	size_t step_count;
	/* 0: as much of the default as is allowed. */
	uint64_t nofile;
	uint64_t log_max;
	unsigned int log_keep;
	bool notify;
	/* Beside a run of the unit that is there already. */
	bool beside;
	bool tty;
	unsigned short rows, columns;

	/* Name of the run; its notification socket bears it. */
	const char *run;
	/* Descriptors of the child; stdin_fd < 0: /dev/null. */
	int stdin_fd, stdout_fd, stderr_fd;
	int listen_fds[LISTEN_MAX];
	/* Close-on-exec: a struct failure, or the end, which means that exec happened. */
	int report_fd;
};

int launch_parse(char *message, size_t length, struct launch *launch, struct failure *fail);
void launch_free(struct launch *launch);
/* In a child already in its cgroup and the cell's pid namespace: enters the cell and becomes argv.
 */
_Noreturn void launch_child(const struct launch *launch);

/* stale.c, in that child once it is the unit's user: removes the sockets an earlier run has left. */
int stale_remove(const struct launch *launch, struct failure *fail);

#endif
