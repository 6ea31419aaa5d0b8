/* The child between clone and exec: enters the cell, becomes its user, and executes. It gives up
 * rights in the order in which it stops to need them, and takes its memory from the arena alone. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "boundary/files.h"
#include "cell/cell.h"
#include "environment.h"
#include "launch.h"
#include "lib/arena.h"
#include "lib/format.h"
#include "lib/kernel.h"
#include "lib/scoped.h"

#define NOFILE_DEFAULT 65536
#define MEMLOCK_BYTES 65536
#define FIRST_LISTEN_FD 3
#define OOM_SCORE "/proc/self/oom_score_adj"

/* CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID, capabilities(7): what root of a cell keeps.
 */
#define ROOT_CAPABILITIES 0xfbUL
#define LAST_CAPABILITY_MAX 63

static int set_limit(int resource, rlim_t value, const char *name, struct failure *fail)
{
	struct rlimit limit = { .rlim_cur = value, .rlim_max = value };
	return setrlimit(resource, &limit) < 0 ? fail_with(fail, errno, "setrlimit", name) : 0;
}

/* While still root of the host: only it may raise a hard limit. */
static int set_limits(const struct launch *launch, struct failure *fail)
{
	struct rlimit nofile;
	rlim_t wanted = launch->nofile;
	if (getrlimit(RLIMIT_NOFILE, &nofile) < 0)
		return fail_with(fail, errno, "getrlimit", "nofile");
	if (wanted == 0)
		wanted = nofile.rlim_max < NOFILE_DEFAULT ? nofile.rlim_max : NOFILE_DEFAULT;
	int err;
	/* 1 is the one value that stops a pipe handler too, where 0 is ignored: core(5). */
	if ((err = set_limit(RLIMIT_NOFILE, wanted, "nofile", fail)) < 0 ||
	    (err = set_limit(RLIMIT_CORE, 1, "core", fail)) < 0)
		return err;
	return set_limit(RLIMIT_MEMLOCK, MEMLOCK_BYTES, "memlock", fail);
}

/* Raising it needs no right. */
static int stand_in_line_for_oom(struct failure *fail)
{
	if (!cell.spared_by_oom)
		return 0;
	SCOPED_FD int fd = open(OOM_SCORE, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_with(fail, errno, "open", OOM_SCORE);
	return write(fd, "0", 1) < 0 ? fail_with(fail, errno, "write", OOM_SCORE) : 0;
}

static int enter_cell(struct failure *fail)
{
	int namespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	int err = files_open(fail);
	if (err < 0)
		return err;
	if (setns(cell.init_pidfd, namespaces) < 0)
		return fail_with(fail, errno, "setns", "cell");
	err = files_renew(fail);
	if (err < 0)
		return err;
	if (setns(cell.user_ns, CLONE_NEWUSER) < 0)
		return fail_with(fail, errno, "setns", "user namespace");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return fail_with(fail, errno, "setresuid", "0");
	return 0;
}

static int reset_process(struct failure *fail)
{
	sigset_t none;
	for (int number = 1; number < _NSIG; number++)
		signal(number, SIG_DFL); /* KILL, STOP and libc's own two refuse: they are default
					    anyway. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	if (setsid() < 0)
		return fail_with(fail, errno, "setsid", NULL);
	int err = kernel_new_session_keyring();
	return err < 0 && err != -ENOSYS ? fail_with(fail, err, "keyctl", "session keyring") : 0;
}

/* Moves fd out of the way of the descriptors up to last. */
static int lift(int fd, int last)
{
	return fd < 0 || fd > last ? fd : fcntl(fd, F_DUPFD_CLOEXEC, last + 1);
}

/* 0, 1, 2, then the listening sockets, then the report; all else is closed. */
static int arrange_fds(const struct launch *launch, int *report, struct failure *fail)
{
	int last = FIRST_LISTEN_FD + (int)launch->listen_count;
	int wanted[FIRST_LISTEN_FD + LISTEN_MAX];
	int count = FIRST_LISTEN_FD + (int)launch->listen_count;
	int input = launch->stdin_fd;
	if (input < 0)
		input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (input < 0)
		return fail_with(fail, errno, "open", "/dev/null");
	wanted[0] = input;
	wanted[1] = launch->stdout_fd;
	wanted[2] = launch->stderr_fd;
	for (size_t index = 0; index < launch->listen_count; index++)
		wanted[FIRST_LISTEN_FD + index] = launch->listen_fds[index];
	for (int index = 0; index < count; index++) {
		wanted[index] = lift(wanted[index], last);
		if (wanted[index] < 0)
			return fail_with(fail, errno, "dup", NULL);
	}
	*report = lift(*report, last);
	for (int index = 0; index < count; index++) {
		if (dup2(wanted[index], index) < 0)
			return fail_with(fail, errno, "dup", NULL);
	}
	if (dup3(*report, last, O_CLOEXEC) < 0)
		return fail_with(fail, errno, "dup", NULL);
	*report = last;
	int err = kernel_close_range((unsigned int)last + 1, ~0U, 0);
	return err < 0 ? fail_with(fail, err, "close_range", NULL) : 0;
}

/* So that /dev/stdout can be opened anew by the user it belongs to. */
static int own_outputs(const struct launch *launch, const struct account *account,
		       struct failure *fail)
{
	if (fchown(1, account->uid, account->gid) < 0 || fchown(2, account->uid, account->gid) < 0)
		return fail_with(fail, errno, "chown", "standard output");
	if (launch->tty && ioctl(0, TIOCSCTTY, 0) < 0)
		return fail_with(fail, errno, "ioctl", "controlling terminal");
	return 0;
}

static int drop_capabilities(uint64_t keep, struct failure *fail)
{
	for (int number = 0; number <= LAST_CAPABILITY_MAX; number++) {
		if (number < 64 && (keep >> number & 1) != 0)
			continue;
		/* EINVAL: beyond the last one this kernel knows. */
		if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				break;
			return fail_with(fail, errno, "prctl", "bounding set");
		}
	}
	return 0;
}

static int become(const struct account *account, struct failure *fail)
{
	uint64_t keep = account->uid == 0 ? ROOT_CAPABILITIES : 0;
	int err = drop_capabilities(keep, fail);
	if (err < 0)
		return err;
	if (setgroups(account->group_count, account->groups) < 0)
		return fail_with(fail, errno, "setgroups", account->name);
	if (setresgid(account->gid, account->gid, account->gid) < 0)
		return fail_with(fail, errno, "setresgid", account->name);
	if (setresuid(account->uid, account->uid, account->uid) < 0)
		return fail_with(fail, errno, "setresuid", account->name);
	err = kernel_capset(keep);
	if (err < 0)
		return fail_with(fail, err, "capset", NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_with(fail, errno, "prctl", "no_new_privs");
	return 0;
}

/* A directory outside the root, reached through some descriptor, has no absolute path:
 * CVE-2024-21626. */
static int change_directory(const char *path, struct failure *fail)
{
	char seen[4096];
	if (path[0] != '/')
		return fail_with(fail, EINVAL, "chdir", path);
	if (chdir(path) < 0)
		return fail_with(fail, errno, "chdir", path);
	if (getcwd(seen, sizeof(seen)) == NULL)
		return fail_with(fail, errno, "chdir", path);
	return seen[0] == '/' ? 0 : fail_with(fail, ENOENT, "chdir", path);
}

/* execvpe(3) with the PATH of the environment given, not of this process. */
static int execute(char **argv, const struct environment *environment, struct failure *fail)
{
	char path[4096];
	int refused = ENOENT;
	const char *at = environment_get(environment, "PATH");
	if (strchr(argv[0], '/') != NULL || at == NULL) {
		execve(argv[0], argv, (char *const *)environment->texts);
		return fail_with(fail, errno, "exec", argv[0]);
	}
	while (*at != '\0') {
		int length = (int)strcspn(at, ":");
		int size = format_text(path, sizeof(path), "%.*s/%s", length, at, argv[0]);
		if (length > 0 && at[0] == '/' && size < (int)sizeof(path)) {
			execve(path, argv, (char *const *)environment->texts);
			if (errno != ENOENT && errno != ENOTDIR)
				refused = errno;
		}
		at += length + (at[length] == ':');
	}
	return fail_with(fail, refused, "exec", argv[0]);
}

static int prepare_and_execute(const struct launch *launch, int *report, struct failure *fail)
{
	struct account account;
	struct environment *environment = arena_take(sizeof(*environment));
	if (environment == NULL)
		return fail_with(fail, ENOMEM, "mmap", NULL);
	int err;
	if ((err = set_limits(launch, fail)) < 0 || (err = stand_in_line_for_oom(fail)) < 0 ||
	    (err = enter_cell(fail)) < 0 || (err = reset_process(fail)) < 0 ||
	    (err = arrange_fds(launch, report, fail)) < 0 ||
	    (err = account_find(AT_FDCWD, launch->user, &account, fail)) < 0 ||
	    (err = own_outputs(launch, &account, fail)) < 0 ||
	    (err = environment_build(launch, &account, environment, fail)) < 0 ||
	    (err = become(&account, fail)) < 0 || (err = stale_remove(launch, fail)) < 0 ||
	    (err = change_directory(launch->cwd, fail)) < 0)
		return err;
	return execute(launch->argv, environment, fail);
}

_Noreturn void launch_child(const struct launch *launch)
{
	struct failure fail = { 0 };
	int report = launch->report_fd;
	prepare_and_execute(launch, &report, &fail);
	if (write(report, &fail, sizeof(fail)) < 0)
		_exit(126);
	_exit(127);
}
