/* Builds the cell's file system view in the caller's mount namespace and makes it the root. */
#ifndef HENGE_ROOTFS_H
#define HENGE_ROOTFS_H

#include "cell/cell.h"

int rootfs_build(struct request *request, int user_ns, struct failure *fail);

#endif
