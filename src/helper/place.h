/* Keeps the memory of what runs in a cgroup where the cgroup's cpuset has it. */
#ifndef HENGE_PLACE_H
#define HENGE_PLACE_H

/*
 * Moves the memory of every process in the cgroup of that path, and below it, to the nodes of its cpuset.mems.effective.
 *
 * The kernel does so itself when cpuset.mems is written, but only from the nodes it has on record for a cgroup, and
 * CLONE_INTO_CGROUP, the way units come into theirs, leaves it without a record: the first change moved nothing
 * (observed on 6.12; cpuset_fork() does not set old_mems_allowed). Returns 0, or 1 with the reason on standard error.
 */
int place_memory(const char *cgroup);

#endif
