/* Tries what Henge needs of the kernel, each facility in a child of its own, and prints one line for each:
 * NAME, a tab, `ok` or the errno's name, a tab, a detail. Nothing of it is left on the host. */
#ifndef HENGE_PROBE_H
#define HENGE_PROBE_H

#include <stddef.h>

#define PROBE_DETAIL_SIZE 96

/* What the probes may use. A child sees a copy. */
struct probe_place {
	/* A fresh leaf of Henge's own cgroup subtree, or -errno. */
	int leaf;
	/* A directory, or a dataset of ZFS when it does not begin with a slash. */
	const char *source;
};

/* Each returns 0 or -errno, and may write a detail. */
typedef int probe_act(const struct probe_place *place, char *detail);

probe_act probe_openat2, probe_close_range, probe_memfd, probe_pidfd, probe_subreaper;
probe_act probe_seccomp, probe_landlock, probe_clock;
probe_act probe_fsopen, probe_open_tree, probe_move_mount, probe_mount_setattr, probe_idmap;
probe_act probe_clone3, probe_cgroup_kill, probe_psi, probe_oom_group, probe_peak;

/* Waits for the child; -ECHILD when it did not end by itself. */
int probe_await(int pid, char *detail);
/* A child that does nothing until it is killed, at the latest when its parent ends. Returns its pid or -errno. */
int probe_fork_idle(void);

/* what: `facilities`, where: the absolute directory of Henge's cgroup subtree, or what is no directory: then
 * what needs it says so. Or what: `idmap`, where: a directory of the pool, or a dataset of ZFS. Returns the exit
 * status of the program. */
int probe_run(const char *what, const char *where);

#endif
