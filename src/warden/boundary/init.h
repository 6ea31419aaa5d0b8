/* PID 1 of the cell: builds the boundary from inside, then only reaps. */
#ifndef HENGE_INIT_H
#define HENGE_INIT_H

#include "cell/cell.h"
#include "userns.h"

/* Fills cell.init_pid and cell.init_pidfd; what init has to say comes on *told. */
int init_begin(struct request *request, const struct userns *userns, int *told,
	       struct failure *fail);
/* Returns when the boundary stands. */
int init_await(int told, struct failure *fail);

#endif
