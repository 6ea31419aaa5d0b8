/* The cell's cgroup directory and its leaves, all by descriptor. Limits are the daemon's business.
 */
#ifndef HENGE_CGROUP_H
#define HENGE_CGROUP_H

#include <stdbool.h>

/*
 * KILLED_CGROUP. Since the kernel counts kills (6.14, and stable ones), a cgroup whose cgroup.kill
 * was ever written kills every child that CLONE_INTO_CGROUP bears in it from outside: the child's
 * count is taken from its parent's cgroup. Observed on 6.18. So a leaf is always new, and who must
 * be born in an older cgroup has a second way in.
 */

/* Makes the leaf, anew when an empty one was left over, and opens it. Returns a descriptor or
 * -errno. */
int cgroup_open_leaf(int cell_fd, const char *name);
/* Writes one of the cgroup's files. Returns 0 or -errno. */
int cgroup_write(int dirfd, const char *file, const char *text);
int cgroup_kill(int dirfd);
/* Opens cgroup.events: EPOLLPRI tells that it changed. Returns a descriptor or -errno. */
int cgroup_open_events(int dirfd);
/* Reads what cgroup_open_events opened; unreadable counts as not populated, for then it is removed.
 */
bool cgroup_is_populated(int events_fd);
/* Opens memory.events, which changes as cgroup.events does. Returns a descriptor or -errno. */
int cgroup_open_memory_events(int dirfd);
/* Processes in it and below it that the kernel has killed for want of memory; -1 when unreadable. */
long cgroup_oom_kills(int memory_events_fd);
long cgroup_oom_kills_in(int dirfd);
/* Kills what is in it and waits at most timeout_ms until it is empty. */
int cgroup_empty(int dirfd, int timeout_ms);
/* Removes every empty child whose name starts with prefix. */
void cgroup_sweep(int cell_fd, const char *prefix);

#endif
