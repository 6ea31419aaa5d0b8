/* PID 1 of the cell: see init.h. It belongs to the cell's cgroup from its start and gives up every
 * right at the end. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cgroup.h"
#include "lib/kernel.h"
#include "rootfs.h"

#define PORT_START "/proc/sys/net/ipv4/ip_unprivileged_port_start"

static int raise_loopback(struct failure *fail)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_with(fail, errno, "socket", NULL);
	int err = ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? fail_with(fail, errno, "raise", "lo") : 0;
	close(fd);
	return err;
}

/* In a network namespace of its own a port is no privilege. */
static int open_low_ports(struct failure *fail)
{
	int fd = open(PORT_START, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_with(fail, errno, "open", PORT_START);
	int err = write(fd, "0", 1) < 0 ? fail_with(fail, errno, "write", PORT_START) : 0;
	close(fd);
	return err;
}

static int enter_network(const struct request *request, struct failure *fail)
{
	if (request->network_fd >= 0) {
		if (setns(request->network_fd, CLONE_NEWNET) < 0)
			return fail_with(fail, errno, "setns", "network namespace");
		return 0;
	}
	if (strcmp(request->network, "own") != 0)
		return 0;
	int err = raise_loopback(fail);
	return err < 0 ? err : open_low_ports(fail);
}

/* Where it is allowed the cell's out-of-memory kill spares PID 1: the cell stays, its units are
 * started again. */
static void resist_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "-1000", 5) < 0 && write(fd, "0", 1) < 0)
		errno = 0; /* Best effort: an inherited value stays. */
	close(fd);
}

static int drop_rights(const struct userns *userns, int sysctls, struct failure *fail)
{
	if (setns(userns->user, CLONE_NEWUSER) < 0)
		return fail_with(fail, errno, "setns", "user namespace");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return fail_with(fail, errno, "setresuid", NULL);
	int err = userns_forbid_namespaces(sysctls, fail);
	if (err < 0)
		return err;
	err = kernel_capset(0);
	if (err < 0)
		return fail_with(fail, err, "capset", NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail_with(fail, errno, "prctl", NULL);
	return 0;
}

static int build(struct request *request, const struct userns *userns, struct failure *fail)
{
	umask(0);
	resist_oom();
	/* The host's, opened while it can be reached: the cell's own will be read-only. */
	int sysctls = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (sysctls < 0)
		return fail_with(fail, errno, "open", "/proc/sys");
	if (setns(userns->cgroup, CLONE_NEWCGROUP) < 0)
		return fail_with(fail, errno, "setns", "cgroup namespace");
	int err = enter_network(request, fail);
	if (err < 0)
		return err;
	if (sethostname(request->hostname, strlen(request->hostname)) < 0)
		return fail_with(fail, errno, "sethostname", request->hostname);
	err = rootfs_build(request, userns->user, fail);
	return err < 0 ? err : drop_rights(userns, sysctls, fail);
}

static _Noreturn void reap_for_ever(void)
{
	sigset_t none;
	prctl(PR_SET_NAME, "henge-init", 0, 0, 0);
	kernel_close_range(0, ~0U, 0);
	/* Ignored, not handled: the kernel reaps by itself then, and a PID 1 gets no signal it does
	 * not handle. */
	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (;;)
		pause();
}

static _Noreturn void init_main(struct request *request, const struct userns *userns, int tell)
{
	struct failure fail = { 0 };
	setsid();
	build(request, userns, &fail);
	if (write(tell, &fail, sizeof(fail)) != sizeof(fail) || fail.err != 0)
		_exit(1);
	reap_for_ever();
}

static uint64_t namespaces_of(const struct request *request)
{
	uint64_t flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
	return strcmp(request->network, "own") == 0 ? flags | CLONE_NEWNET : flags;
}

int init_begin(struct request *request, const struct userns *userns, int *told,
	       struct failure *fail)
{
	int ends[2];
	int leaf = cgroup_open_leaf(cell.cgroup, INIT_LEAF);
	if (leaf < 0)
		return fail_with(fail, leaf, "mkdir", INIT_LEAF);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_with(fail, errno, "pipe", NULL);
	pid_t pid = kernel_clone(namespaces_of(request), leaf, &cell.init_pidfd);
	close(leaf);
	if (pid == 0)
		init_main(request, userns, ends[1]);
	close(ends[1]);
	*told = ends[0];
	if (pid < 0)
		return fail_with(fail, pid, "clone3", NULL);
	cell.init_pid = pid;
	return 0;
}

int init_await(int told, struct failure *fail)
{
	int err = failure_hear(told, "init", fail);
	close(told);
	return err;
}
