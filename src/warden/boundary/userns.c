/* The cell's user namespace and its view of cgroups: made by a helper that is gone once descriptors
 * hold them. */
#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cgroup.h"
#include "lib/format.h"
#include "lib/kernel.h"
#include "lib/scoped.h"

#define ID_COUNT 65536

/* No process of the cell can make a namespace: most ways into the kernel start with one.
 * namespaces(7). */
static const char *const namespace_limits[] = {
	"user/max_user_namespaces",   "user/max_mnt_namespaces",  "user/max_pid_namespaces",
	"user/max_net_namespaces",    "user/max_ipc_namespaces",  "user/max_uts_namespaces",
	"user/max_cgroup_namespaces", "user/max_time_namespaces",
};

static int write_file(int directory, const char *path, const char *text)
{
	SCOPED_FD int fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int userns_forbid_namespaces(int sysctls, struct failure *fail)
{
	for (size_t index = 0; index < sizeof(namespace_limits) / sizeof(char *); index++) {
		int err = write_file(sysctls, namespace_limits[index], "0");
		if (err < 0)
			return fail_with(fail, err, "write", namespace_limits[index]);
	}
	return 0;
}

/* The helper is born in the cell's cgroup: that makes it the root of the cgroup namespace. The user
 * namespace comes second, so that the first belongs to the host's. */
static int helper(int join_fd, int told, int tell)
{
	struct failure fail = { 0 };
	char byte;
	int err = join_fd < 0 ? 0 : cgroup_write(join_fd, "cgroup.procs", "0");
	if (err < 0)
		fail_with(&fail, err, "write", "cgroup.procs");
	else if (unshare(CLONE_NEWCGROUP) < 0)
		fail_with(&fail, errno, "unshare", "cgroup namespace");
	else if (unshare(CLONE_NEWUSER) < 0)
		fail_with(&fail, errno, "unshare", "user namespace");
	if (write(tell, &fail, sizeof(fail)) < 0 || fail.err != 0)
		return 1;
	return read(told, &byte, 1) < 0; /* Killed, or at the end of the warden. */
}

static int write_map(pid_t pid, const char *file, unsigned int base, struct failure *fail)
{
	char path[64], map[64];
	format_text(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	format_text(map, sizeof(map), "0 %u %d\n", base, ID_COUNT);
	int err = write_file(AT_FDCWD, path, map);
	return err < 0 ? fail_with(fail, err, "write", path) : 0;
}

static int open_namespace(pid_t pid, const char *name, int *fd, struct failure *fail)
{
	char path[64];
	format_text(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? fail_with(fail, errno, "open", path) : 0;
}

/* While the helper waits: maps, then descriptors. */
static int furnish(int told, unsigned int base, struct userns *made, struct failure *fail)
{
	int err;
	if ((err = failure_hear(told, "user namespace", fail)) < 0 ||
	    (err = write_map(made->helper, "uid_map", base, fail)) < 0 ||
	    (err = write_map(made->helper, "gid_map", base, fail)) < 0 ||
	    (err = open_namespace(made->helper, "user", &made->user, fail)) < 0)
		return err;
	return open_namespace(made->helper, "cgroup", &made->cgroup, fail);
}

void userns_release(struct userns *made)
{
	if (made->helper <= 0)
		return;
	kill(made->helper, SIGKILL);
	waitpid(made->helper, NULL, 0);
	made->helper = 0;
	close(made->hold);
}

static int make(int cgroup_fd, bool is_born_in_it, unsigned int base, struct userns *made,
		struct failure *fail)
{
	int up[2], down[2];
	if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0)
		return fail_with(fail, errno, "pipe", NULL);
	pid_t pid = kernel_clone(0, is_born_in_it ? cgroup_fd : -1, NULL);
	if (pid < 0)
		return fail_with(fail, pid, "clone3", NULL);
	if (pid == 0) {
		close(down[1]); /* So that it sees the end when the warden dies. */
		_exit(helper(is_born_in_it ? -1 : cgroup_fd, down[0], up[1]));
	}
	close(up[1]);
	close(down[0]);
	made->helper = pid;
	made->hold = down[1];
	int err = furnish(up[0], base, made, fail);
	close(up[0]);
	if (err < 0)
		userns_release(made);
	return err;
}

int userns_make(int cgroup_fd, unsigned int base, struct userns *made, struct failure *fail)
{
	int err = make(cgroup_fd, true, base, made, fail);
	/* KILLED_CGROUP: moved in instead, which is slower. */
	return err == -ECHILD ? make(cgroup_fd, false, base, made, fail) : err;
}

int userns_run(int user_ns, int (*act)(void *, struct failure *), void *argument,
	       struct failure *fail)
{
	int up[2];
	if (pipe2(up, O_CLOEXEC) < 0)
		return fail_with(fail, errno, "pipe", NULL);
	pid_t pid = kernel_clone(0, -1, NULL);
	if (pid < 0)
		return fail_with(fail, pid, "clone3", NULL);
	if (pid == 0) {
		struct failure result = { 0 };
		if (setns(user_ns, CLONE_NEWUSER) < 0)
			fail_with(&result, errno, "setns", "user namespace");
		else if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
			fail_with(&result, errno, "setresuid", NULL);
		else
			act(argument, &result);
		_exit(write(up[1], &result, sizeof(result)) < 0);
	}
	close(up[1]);
	int err = failure_hear(up[0], "user namespace", fail);
	close(up[0]);
	waitpid(pid, NULL, 0);
	return err;
}
