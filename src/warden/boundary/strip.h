/* Takes out of this mount namespace what a cell on the host's root may not see. */
#ifndef HENGE_STRIP_H
#define HENGE_STRIP_H

#include "cell/cell.h"

int strip_host(const struct request *request, struct failure *fail);

#endif
