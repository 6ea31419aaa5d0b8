/* Single files of the host, shown in the cell as they are when something starts there. */
#ifndef HENGE_FILES_H
#define HENGE_FILES_H

#include "cell/cell.h"

/* Remembers which files the cell has. */
int files_keep(const struct request *request, struct failure *fail);
/*
 * In a child that is to enter the cell. Opens each file as it is on the host now; afterwards, in the cell's mount
 * namespace and with the rights to mount, replaces those that are other files than the cell shows: most editors replace
 * a file, and a mount shows the one it was made of for ever. One that is gone from the host stays as it was. The working
 * directory is the cell's root then.
 */
int files_open(struct failure *fail);
int files_renew(struct failure *fail);

#endif
