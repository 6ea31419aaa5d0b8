/* How the warden lets go of what started it: of its file on disk, of the daemon, of the daemon's cgroup. */
#ifndef HENGE_DETACH_H
#define HENGE_DETACH_H

#include "lib/failure.h"

/* Executes this program again from a sealed copy in memory; returns 0 in the copy. */
int detach_from_file(char **argv, struct failure *fail);
/* Forks into the cgroup at path, out of reach of the cell's limits. Returns in the warden alone: the process the daemon
 * started ends. */
int detach(const char *path, struct failure *fail);

#endif
