/* The cell's /proc, /sys, /dev, /run and /tmp. */
#ifndef HENGE_KERNELFS_H
#define HENGE_KERNELFS_H

#include "lib/failure.h"

int kernelfs_build(int root, unsigned int uid_base, int *empty, struct failure *fail);
/* Covers a directory with the empty read-only tmpfs *empty, which is made when it is -1. */
int kernelfs_hide(int root, const char *path, int *empty, struct failure *fail);
/* owner: uid and gid of its top directory, as the host counts. */
int kernelfs_tmpfs(int root, const char *path, const char *mode, const char *size,
		   unsigned int owner, struct failure *fail);

#endif
