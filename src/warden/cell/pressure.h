/* What the kernel tells of the cell's cgroup without being asked: memory that ran out, and pressure. */
#ifndef HENGE_PRESSURE_H
#define HENGE_PRESSURE_H

#include <stddef.h>

#include "wire/frame.h"

#define PRESSURE_TRIGGERS_MAX 3

/* Begins to watch: memory at once, pressure when the cell has lived for a moment, for a trigger costs more than the whole life
 * of a short cell. What the host does not offer (PSI, the memory controller) is not watched. */
void pressure_open(void);
/* The descriptors of the triggers there are, at most PRESSURE_TRIGGERS_MAX. Returns how many. */
size_t pressure_triggers(int *descriptors);
/* Adds the processes killed for want of memory so far, where they are counted. */
void pressure_add_state(struct message *message);

#endif
