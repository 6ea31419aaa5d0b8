/* An exec or a dial: a process of its own with the connection, so that the warden never waits for
 * either. */
#ifndef HENGE_HANDLER_H
#define HENGE_HANDLER_H

#include <sys/types.h>

#include "wire/wire.h"

/* Forks the handler; message stays the caller's. */
void handler_start(struct frame *frame);
/* Kills every handler: what it runs ends with the cell. */
void handlers_kill(void);
bool handlers_idle(void);
/* A child of the warden has ended; its exec leaf is killed when it was a handler's. */
bool handler_reaped(pid_t pid);

/* Bodies of the handler process; they return its exit status. leaf: name of the exec's cgroup. */
int exec_serve(int connection, const char *leaf, char *message, size_t length);
int dial_serve(int connection, const char *port);
/* Sends one frame, waiting as long as it takes. Returns 0 or -errno. */
int handler_send(int connection, enum frame_type type, const void *payload, size_t length);
int handler_send_failure(int connection, const struct failure *fail);

#endif
