/* What the host gives to the cell: image roots, volumes and single files, as detached mounts. */
#ifndef HENGE_SOURCES_H
#define HENGE_SOURCES_H

#include "cell/cell.h"

/* Returns a detached id-mapped mount whose identity was checked on this very descriptor; ESTALE: it
 * is another. */
int source_open(const struct source *source, bool read_only, int user_ns, struct failure *fail);
/* One regular file of the host, no symbolic link. It is id-mapped so that its owner and group mean the same in the cell;
 * where its filesystem cannot be (EINVAL), only what others may read is read. */
int source_open_file(const char *path, int user_ns, struct failure *fail);
/* Opens the sources of all entries. */
int sources_open(struct request *request, int user_ns, struct failure *fail);

#endif
