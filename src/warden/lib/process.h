/* What tells a process from a later one with the same pid. */
#ifndef HENGE_PROCESS_H
#define HENGE_PROCESS_H

#include <sys/types.h>

/* Field 22 of /proc/PID/stat, in clock ticks since boot; 0 when it cannot be read. */
unsigned long long start_time_of(pid_t pid);

#endif
