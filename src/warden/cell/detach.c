/* How the warden lets go of what started it: see detach.h. */
#include "detach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell.h"
#include "lib/cgroup.h"
#include "lib/kernel.h"

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Nothing that shows this program through /proc/PID/exe can reach the file on disk: CVE-2019-5736.
 */
int detach_from_file(char **argv, struct failure *fail)
{
	char *environment[] = { NULL };
	struct stat status;
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0 || fstat(self, &status) < 0)
		return fail_with(fail, errno, "open", "/proc/self/exe");
	int seals = fcntl(self, F_GET_SEALS); /* -1 for what cannot be sealed. */
	if (seals >= 0 && (seals & ALL_SEALS) == ALL_SEALS) {
		close(self);
		return 0;
	}
	int copy = memfd_create("henge-warden", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC_FLAG);
	if (copy < 0) /* MFD_EXEC: Linux 6.3. */
		copy = memfd_create("henge-warden", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (copy < 0)
		return fail_with(fail, errno, "memfd_create", NULL);
	for (off_t at = 0; at < status.st_size;) {
		if (sendfile(copy, self, &at, (size_t)(status.st_size - at)) <= 0)
			return fail_with(fail, errno, "sendfile", NULL);
	}
	if (fchmod(copy, 0500) < 0 || fcntl(copy, F_ADD_SEALS, ALL_SEALS) < 0)
		return fail_with(fail, errno, "seal", NULL);
	fexecve(copy, argv, environment);
	return fail_with(fail, errno, "fexecve", NULL);
}

/* Waits until the child says that it lives; false when it was killed at its start. */
static bool lives(pid_t pid, int *ends)
{
	char byte;
	close(ends[1]);
	bool alive = read(ends[0], &byte, 1) == 1;
	close(ends[0]);
	if (!alive)
		waitpid(pid, NULL, 0);
	return alive;
}

/* Forks into the leaf. Returns in the child; the parent ends once the child lives. */
static int fork_into(const char *path, bool is_born_in_it, struct failure *fail)
{
	int ends[2];
	int leaf = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (leaf < 0)
		return fail_with(fail, errno, "open", path);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_with(fail, errno, "pipe", NULL);
	pid_t pid = kernel_clone(0, is_born_in_it ? leaf : -1, NULL);
	if (pid < 0)
		return fail_with(fail, pid, "clone3", path);
	if (pid > 0) {
		if (lives(pid, ends))
			_exit(0);
		close(leaf);
		return fail_with(fail, ECHILD, "clone3", path);
	}
	if (!is_born_in_it && cgroup_write(leaf, "cgroup.procs", "0") < 0)
		_exit(1);
	if (write(ends[1], "", 1) != 1)
		_exit(1);
	close(ends[0]);
	close(ends[1]);
	close(leaf);
	return 0;
}

/* Best effort: it needs CAP_SYS_RESOURCE. What the daemon has is inherited otherwise. */
static void resist_oom(void)
{
	char text[16] = "";
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "-900", 4) < 0)
		errno = 0;
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	cell.spared_by_oom = length > 0 && strcmp(text, "0\n") != 0;
	close(fd);
}

int detach(const char *path, struct failure *fail)
{
	int err = fork_into(path, true, fail);
	if (err == -ECHILD) { /* KILLED_CGROUP: this leaf, or the daemon's. */
		rmdir(path);
		mkdir(path, 0755);
		err = fork_into(path, false, fail);
	}
	if (err < 0)
		return err;
	setsid();
	/* A daemon that is gone, a terminal: none of the warden's business. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail_with(fail, errno, "prctl", NULL);
	prctl(PR_SET_NAME, "henge-warden", 0, 0, 0);
	resist_oom();
	return 0;
}
