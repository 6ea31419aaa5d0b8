/* The exit records of the cell: on disk before anyone is told. */
#ifndef HENGE_EXITS_H
#define HENGE_EXITS_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/failure.h"

/* Set in a wait status: the kernel killed it for want of memory. wait(2) uses the lower 16 bits. */
#define EXIT_OUT_OF_MEMORY 0x10000

/* Opens the record in the directory and goes on after its last number. */
int exits_open(const char *directory, struct failure *fail);
/* Appends and syncs one record; its number goes to *seq. Returns 0 or -errno. */
int exits_record(const char *unit, pid_t pid, int status, uint64_t at_ms, uint64_t *seq);

#endif
