/* Speaks to the service manager for the daemon, which has no datagram sockets: sd_notify(3). */
#ifndef HENGE_MANAGER_H
#define HENGE_MANAGER_H

/* Sends each line of standard input to NOTIFY_SOCKET as a datagram of its own. Returns an exit code when the input has
 * ended: its writer is gone. */
int manager_run(void);

#endif
