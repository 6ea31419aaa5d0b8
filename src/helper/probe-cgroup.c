/* Probes of what a cgroup can do, in a leaf of Henge's own subtree: see probe.h. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cgroup.h"
#include "lib/kernel.h"

/* As the warden's: see pressure.c. */
#define TRIGGER "some 300000 2000000"

/* A child that was killed at its start was started all the same: see KILLED_CGROUP in cgroup.h. */
int probe_clone3(const struct probe_place *place, char *detail)
{
	int pidfd = -1, status = 0;
	if (place->leaf < 0)
		return place->leaf;
	pid_t pid = kernel_clone(0, place->leaf, &pidfd);
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return pid;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	if (WIFSIGNALED(status))
		snprintf(detail, PROBE_DETAIL_SIZE, "killed at its start");
	return pidfd < 0 ? -EOPNOTSUPP : 0;
}

int probe_cgroup_kill(const struct probe_place *place, char *detail)
{
	char text[16];
	int status = 0;
	(void)detail;
	if (place->leaf < 0)
		return place->leaf;
	pid_t pid = probe_fork_idle();
	if (pid < 0)
		return pid;
	snprintf(text, sizeof(text), "%d", (int)pid);
	int err = cgroup_write(place->leaf, "cgroup.procs", text);
	if (err == 0)
		err = cgroup_kill(place->leaf);
	if (err < 0)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) < 0 && err == 0)
		err = -errno;
	return err;
}

/* A trigger is armed and looked at once; it goes with its descriptor. */
int probe_psi(const struct probe_place *place, char *detail)
{
	(void)detail;
	if (place->leaf < 0)
		return place->leaf;
	int fd = openat(place->leaf, "cpu.pressure", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || write(fd, TRIGGER, strlen(TRIGGER)) < 0)
		return -errno;
	struct pollfd change = { .fd = fd, .events = POLLPRI };
	if (poll(&change, 1, 0) < 0)
		return -errno;
	return (change.revents & (POLLERR | POLLNVAL)) != 0 ? -EIO : 0;
}

static int open_file(const struct probe_place *place, const char *name, int flags)
{
	if (place->leaf < 0)
		return place->leaf;
	int fd = openat(place->leaf, name, flags | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

int probe_oom_group(const struct probe_place *place, char *detail)
{
	(void)detail;
	return open_file(place, "memory.oom.group", O_RDWR);
}

int probe_peak(const struct probe_place *place, char *detail)
{
	(void)detail;
	return open_file(place, "memory.peak", O_RDONLY);
}
