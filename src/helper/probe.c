/* Runs the probes one after another and prints what they found: see probe.h. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cgroup.h"

#define LEAF "henge.probe"
/* Most it may take, also on a slow host: what hangs is told as killed. */
#define PROBE_SECONDS 5

struct verdict {
	int err;
	char detail[PROBE_DETAIL_SIZE];
};

#define NAMESPACE_PROBE(name, flag)                                                                \
	static int probe_##name##_namespace(const struct probe_place *place, char *detail)         \
	{                                                                                          \
		(void)place;                                                                       \
		(void)detail;                                                                      \
		return unshare(flag) < 0 ? -errno : 0;                                             \
	}

NAMESPACE_PROBE(user, CLONE_NEWUSER)
NAMESPACE_PROBE(mnt, CLONE_NEWNS)
NAMESPACE_PROBE(pid, CLONE_NEWPID)
NAMESPACE_PROBE(net, CLONE_NEWNET)
NAMESPACE_PROBE(ipc, CLONE_NEWIPC)
NAMESPACE_PROBE(uts, CLONE_NEWUTS)
NAMESPACE_PROBE(cgroup, CLONE_NEWCGROUP)

static const struct {
	const char *name;
	probe_act *act;
} probes[] = {
	{ "openat2", probe_openat2 },
	{ "fsopen", probe_fsopen },
	{ "open_tree", probe_open_tree },
	{ "move_mount", probe_move_mount },
	{ "mount_setattr", probe_mount_setattr },
	{ "clone3", probe_clone3 },
	{ "pidfd", probe_pidfd },
	{ "cgroup.kill", probe_cgroup_kill },
	{ "close_range", probe_close_range },
	{ "memfd", probe_memfd },
	{ "subreaper", probe_subreaper },
	{ "psi", probe_psi },
	{ "memory.oom.group", probe_oom_group },
	{ "memory.peak", probe_peak },
	{ "seccomp", probe_seccomp },
	{ "landlock", probe_landlock },
	{ "user namespace", probe_user_namespace },
	{ "mnt namespace", probe_mnt_namespace },
	{ "pid namespace", probe_pid_namespace },
	{ "net namespace", probe_net_namespace },
	{ "ipc namespace", probe_ipc_namespace },
	{ "uts namespace", probe_uts_namespace },
	{ "cgroup namespace", probe_cgroup_namespace },
	{ "clock", probe_clock },
};

static const struct {
	int err;
	const char *name;
} names[] = {
	{ EPERM, "EPERM" },	      { ENOENT, "ENOENT" },
	{ ESRCH, "ESRCH" },	      { EIO, "EIO" },
	{ EBADF, "EBADF" },	      { ECHILD, "ECHILD" },
	{ EAGAIN, "EAGAIN" },	      { ENOMEM, "ENOMEM" },
	{ EACCES, "EACCES" },	      { EBUSY, "EBUSY" },
	{ EEXIST, "EEXIST" },	      { EXDEV, "EXDEV" },
	{ ENODEV, "ENODEV" },	      { ENOTDIR, "ENOTDIR" },
	{ EINVAL, "EINVAL" },	      { EMFILE, "EMFILE" },
	{ ENFILE, "ENFILE" },	      { ENOSPC, "ENOSPC" },
	{ EROFS, "EROFS" },	      { ENOSYS, "ENOSYS" },
	{ EUSERS, "EUSERS" },	      { ETIMEDOUT, "ETIMEDOUT" },
	{ EOPNOTSUPP, "EOPNOTSUPP" },
};

static const char *name_of(int err)
{
	for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++) {
		if (names[index].err == err)
			return names[index].name;
	}
	return "EUNKNOWN";
}

int probe_await(int pid, char *detail)
{
	int status = 0;
	pid_t ended;
	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (ended < 0)
		return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	snprintf(detail, PROBE_DETAIL_SIZE, "ended by signal %d",
		 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return -ECHILD;
}

int probe_fork_idle(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	for (;;)
		pause();
}

/* In a child: what a probe unshares, mounts or breaks goes with it. */
static void act_in_child(probe_act *act, const struct probe_place *place, int tell)
{
	struct verdict verdict = { 0 };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(PROBE_SECONDS);
	verdict.err = -act(place, verdict.detail);
	_exit(write(tell, &verdict, sizeof(verdict)) != sizeof(verdict));
}

static void probe(probe_act *act, const struct probe_place *place, struct verdict *verdict)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		verdict->err = errno;
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		act_in_child(act, place, ends[1]);
	verdict->err = pid < 0 ? errno : 0;
	close(ends[1]);
	if (pid > 0 && read(ends[0], verdict, sizeof(*verdict)) != sizeof(*verdict))
		verdict->err = ECHILD;
	close(ends[0]);
	if (pid > 0 && probe_await(pid, verdict->detail) < 0)
		verdict->err = ECHILD;
}

static int open_leaf(const char *cgroup)
{
	int subtree = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (subtree < 0)
		return -errno;
	int leaf = cgroup_open_leaf(subtree, LEAF);
	close(subtree);
	return leaf;
}

static void remove_leaf(const char *cgroup, int leaf)
{
	if (leaf < 0)
		return;
	cgroup_empty(leaf, PROBE_SECONDS * 1000);
	close(leaf);
	int subtree = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (subtree >= 0) {
		unlinkat(subtree, LEAF, AT_REMOVEDIR);
		close(subtree);
	}
}

static void try(const char *name, probe_act *act, const struct probe_place *place)
{
	struct verdict verdict = { 0 };
	probe(act, place, &verdict);
	printf("%s\t%s\t%s\n", name, verdict.err == 0 ? "ok" : name_of(verdict.err),
	       verdict.detail);
}

static void try_facilities(const char *cgroup)
{
	struct probe_place place = { .leaf = open_leaf(cgroup) };
	for (size_t index = 0; index < sizeof(probes) / sizeof(probes[0]); index++)
		try(probes[index].name, probes[index].act, &place);
	remove_leaf(cgroup, place.leaf);
}

int probe_run(const char *what, const char *where)
{
	struct probe_place place = { .leaf = -ENOENT, .source = where };
	if (strcmp(what, "facilities") == 0)
		try_facilities(where);
	else if (strcmp(what, "idmap") == 0)
		try("idmap", probe_idmap, &place);
	else
		return 1;
	return fflush(stdout) == 0 ? 0 : 1;
}
