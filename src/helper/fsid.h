/* Tells what a cell's warden will find on a descriptor of a ZFS dataset, for the daemon to give it along. */
#ifndef HENGE_FSID_H
#define HENGE_FSID_H

#include <stdbool.h>

/* Prints the f_fsid of a ZFS dataset, 16 hex digits, and mounts it nowhere; sealed: as read-only as
 * the dataset is. Returns an exit code. */
int fsid_print(const char *dataset, bool sealed);

#endif
