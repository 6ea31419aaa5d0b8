/* What the kernel tells of the cell's cgroup without being asked: memory that ran out, and pressure. */
#ifndef HENGE_PRESSURE_H
#define HENGE_PRESSURE_H

#include "wire/frame.h"

/* Begins to watch. What the host does not offer (PSI, the memory controller) is not watched. */
void pressure_open(void);
/* Adds the processes killed for want of memory so far, where they are counted. */
void pressure_add_state(struct message *message);

#endif
