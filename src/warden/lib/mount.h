/* Mounts by descriptor. Paths inside a cell are resolved beneath its root, through no symbolic
 * link: whoever writes to a volume can put one there. */
#ifndef HENGE_MOUNT_H
#define HENGE_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "failure.h"

/* options: key, value, key, value … NULL; an empty value is a flag. Returns a detached mount or
 * -errno. */
int mount_new(const char *type, const char *const *options, uint64_t attributes,
	      struct failure *fail);
/* A detached clone of what fd is. */
int mount_clone(int fd, struct failure *fail);
/* user_ns < 0: not id-mapped. */
int mount_restrict(int fd, uint64_t attributes, int user_ns, bool recursive, const char *path,
		   struct failure *fail);
/* Opens path beneath root, O_PATH; a directory, or else a regular file or device. */
int mount_target(int root, const char *path, bool directory);
/* Attaches the detached mount fd at path beneath root and closes nothing. */
int mount_attach(int fd, int root, const char *path, bool directory, struct failure *fail);
/* Shows an existing path read-only with all that is mounted below it; a missing one is no failure.
 */
int mount_freeze(int root, const char *path, struct failure *fail);

#endif
