/* What the warden does once the cell stands: answers requests, reaps, frees. */
#ifndef HENGE_SERVE_H
#define HENGE_SERVE_H

#include "lib/failure.h"

/* Listens at DIRECTORY/warden.sock; nothing is answered before serve_run. */
int serve_open(const char *directory, struct failure *fail);
_Noreturn void serve_run(void);

#endif
