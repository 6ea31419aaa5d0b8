/* What tells a volume from every other, read from a descriptor of its mount. */
#ifndef HENGE_IDENTITY_H
#define HENGE_IDENTITY_H

#include <stdbool.h>
#include <sys/vfs.h>

#include "failure.h"

#define IDENTITY_SIZE 40

/* Writes IDENTITY_SIZE characters at most: a subvolume's UUID, or the f_fsid of a ZFS dataset in 16 hex digits. Returns 0 or
 * -errno; EOPNOTSUPP: of another filesystem. */
int identity_read(int fd, const struct statfs *status, char *identity);
/* A mount of a ZFS dataset that is attached nowhere; sealed: as read-only as the dataset is. Returns its descriptor or
 * -errno. */
int dataset_mount(const char *name, bool sealed, struct failure *fail);

#endif
