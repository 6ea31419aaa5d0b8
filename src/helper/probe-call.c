/* Probes of single system calls: see probe.h. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/kernel.h"

#define SECCOMP_GET_ACTION_AVAIL 2
#define SECCOMP_RET_ERRNO 0x00050000U
#define LANDLOCK_CREATE_RULESET_VERSION 1U
#define WAITID_PIDFD ((idtype_t)3)

/* That it opens what lies beneath, and nothing else: a kernel that ignored the flag would be worse than none. */
int probe_openat2(const struct probe_place *place, char *detail)
{
	(void)place;
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int below = root < 0 ? -errno
			     : kernel_openat2(root, "proc", O_PATH | O_DIRECTORY, RESOLVE_BENEATH);
	if (below < 0)
		return below;
	int above = kernel_openat2(below, "..", O_PATH | O_DIRECTORY, RESOLVE_BENEATH);
	if (above == -EXDEV)
		return 0;
	snprintf(detail, PROBE_DETAIL_SIZE, "RESOLVE_BENEATH did not hold");
	return above < 0 ? above : -EOPNOTSUPP;
}

int probe_close_range(const struct probe_place *place, char *detail)
{
	(void)place;
	int fd = open("/", O_PATH);
	int err = fd < 0 ? -errno
			 : kernel_close_range((unsigned int)fd, (unsigned int)fd,
					      CLOSE_RANGE_CLOEXEC_FLAG);
	if (err < 0)
		return err;
	if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0)
		return 0;
	snprintf(detail, PROBE_DETAIL_SIZE, "CLOSE_RANGE_CLOEXEC did nothing");
	return -EOPNOTSUPP;
}

/* As the warden seals its own copy: one that is executable, and cannot be written any more. */
int probe_memfd(const struct probe_place *place, char *detail)
{
	(void)place;
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("henge-probe", flags | MFD_EXEC_FLAG);
	if (fd < 0 && errno == EINVAL) /* MFD_EXEC: Linux 6.3. */
		fd = memfd_create("henge-probe", flags);
	if (fd < 0 || fchmod(fd, 0500) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_WRITE) < 0)
		return -errno;
	if (write(fd, "x", 1) < 0 && errno == EPERM)
		return 0;
	snprintf(detail, PROBE_DETAIL_SIZE, "F_SEAL_WRITE did not hold");
	return -EOPNOTSUPP;
}

int probe_pidfd(const struct probe_place *place, char *detail)
{
	siginfo_t ended = { 0 };
	(void)place;
	(void)detail;
	pid_t pid = probe_fork_idle();
	if (pid < 0)
		return pid;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int err = fd < 0 ? -errno : 0;
	if (err == 0 && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		err = -errno;
	if (err == 0 && waitid(WAITID_PIDFD, (id_t)fd, &ended, WEXITED) < 0)
		err = -errno;
	return err; /* What still idles ends with this process. */
}

int probe_subreaper(const struct probe_place *place, char *detail)
{
	(void)place;
	(void)detail;
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int probe_seccomp(const struct probe_place *place, char *detail)
{
	uint32_t action = SECCOMP_RET_ERRNO;
	(void)place;
	(void)detail;
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0 ? -errno : 0;
}

int probe_landlock(const struct probe_place *place, char *detail)
{
	(void)place;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 0)
		return -errno;
	snprintf(detail, PROBE_DETAIL_SIZE, "ABI %ld", abi);
	return 0;
}

/* Reads only. The offset is in nanoseconds or microseconds: it is told in the latter. */
int probe_clock(const struct probe_place *place, char *detail)
{
	struct timex time = { .modes = 0 };
	(void)place;
	int state = adjtimex(&time);
	if (state < 0)
		return -errno;
	long offset = (time.status & STA_NANO) != 0 ? time.offset / 1000 : time.offset;
	snprintf(detail, PROBE_DETAIL_SIZE, "unsync=%d offset_us=%ld maxerror_us=%ld",
		 (time.status & STA_UNSYNC) != 0 || state == TIME_ERROR, offset,
		 (long)time.maxerror);
	return 0;
}
