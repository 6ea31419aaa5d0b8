/* The run-time record of the cell, `warden` in its run directory, beside the socket and the lock.
 */
#ifndef HENGE_RECORD_H
#define HENGE_RECORD_H

#include "lib/failure.h"

/* One warden per cell. EBUSY: another has it. */
int record_lock(struct failure *fail);
int record_write(const char *boot, const char *cgroup, struct failure *fail);
/* Removes the record, the socket and the lock; nothing when they are another's. */
void record_remove(void);

#endif
