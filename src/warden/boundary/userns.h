/* The cell's user namespace (host ids base .. base + 65535) and the cgroup namespace rooted at the
 * cell's cgroup. */
#ifndef HENGE_USERNS_H
#define HENGE_USERNS_H

#include <sys/types.h>

#include "lib/failure.h"

struct userns {
	int user, cgroup;
	/* Waits in the cell's cgroup until it is released. */
	pid_t helper;
	int hold;
};

/* Limits and controllers may be set meanwhile; release lets go of the helper, not of the namespaces. */
int userns_make(int cgroup_fd, unsigned int base, struct userns *made, struct failure *fail);
void userns_release(struct userns *made);
/* As root of the user namespace: sets its limits on further namespaces to none. sysctls: /proc/sys. */
int userns_forbid_namespaces(int sysctls, struct failure *fail);
/* Runs act in a child that is root of the cell's user namespace and of nothing else. Returns its
 * failure. */
int userns_run(int user_ns, int (*act)(void *, struct failure *), void *argument,
	       struct failure *fail);

#endif
