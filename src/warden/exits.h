/* The exit records of the cell: on disk before anyone is told. */
#ifndef HENGE_EXITS_H
#define HENGE_EXITS_H

#include <stdint.h>
#include <sys/types.h>

#include "failure.h"

/* Opens the record in the directory and goes on after its last number. */
int exits_open(const char *directory, struct failure *fail);
/* Appends and syncs one record; its number goes to *seq. Returns 0 or -errno. */
int exits_record(const char *unit, pid_t pid, int status, uint64_t at_ms, uint64_t *seq);

#endif
