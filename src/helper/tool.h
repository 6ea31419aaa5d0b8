/* Runs one of the host's tools for the daemon, which is large and dear to fork. */
#ifndef HENGE_TOOL_H
#define HENGE_TOOL_H

#include <stddef.h>

#include "lib/failure.h"

/* message: `run`, what the tool reads, and its argv, as strings that each end in NUL. It runs with the environment of this
 * process, in a session of its own. When the client goes, or says anything more, it is killed with its process group.
 * At its end the client gets four numbers of four bytes each (little-endian): how it ended (0 its status, 1 a signal, 2 an
 * errno of exec), that number, and how many bytes it wrote to its output and its errors, which follow.
 * Returns when nothing could be run, with *fail filled; -> exit code otherwise. */
int tool_run(int connection, char *message, size_t length, struct failure *fail);

#endif
