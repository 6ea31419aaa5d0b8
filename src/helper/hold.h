/* Holds still all that runs in a cgroup while the daemon looks at what it has written. */
#ifndef HENGE_HOLD_H
#define HENGE_HOLD_H

/*
 * Freezes the cgroup of that path with all below it, prints `held`, and thaws it when standard input ends, so also when
 * the daemon is killed; but never later than max_ms after the beginning. One that is frozen already is left so.
 * Returns 0 when nothing in it ran from `held` to the end of standard input, else 1 with the reason on standard error.
 */
int hold_run(const char *cgroup, const char *max_ms);

#endif
