/* Starts wardens for a daemon whose children they must not be: what sandboxes the daemon would be theirs for ever.
 * A client connects and sends `u32 length` (little-endian), then that many bytes of strings that each end in NUL:
 * `warden`, the cell, `PID START` of the process whose network the cell joins or nothing, and the directives. The
 * connection is from then on the warden's, on which it answers. Or `probe` and arguments of `henge-helper --probe`, which
 * prints to the connection. */
#ifndef HENGE_SPAWNER_H
#define HENGE_SPAWNER_H

/* Serves the socket that systemd has passed on descriptor 3 (sd_listen_fds(3)), for ever; returns an exit code when there
 * is none. With a path: a socket of its own there, until its standard input ends; it says `ready` when it listens, and may
 * be asked for more: see tool.h. */
int spawner_run(const char *path);

#endif
