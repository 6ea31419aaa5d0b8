/* How the process of an exec begins: see session.h. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cell/cell.h"
#include "lib/kernel.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* The cell's own devpts, by descriptor; the other end from the master itself: no path of the cell
 * is walked. */
static int open_terminal(struct launch *launch, struct session *session, struct failure *fail)
{
	struct winsize size = { .ws_row = launch->rows, .ws_col = launch->columns };
	int unlock = 0;
	/* The slave's owner must be an id of the cell's, or its user could not be given it. */
	setfsgid(cell.uid_base);
	setfsuid(cell.uid_base);
	int master = openat(cell.terminals, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int err = errno;
	setfsuid(0);
	setfsgid(0);
	if (master < 0)
		return fail_with(fail, err, "open", "/dev/pts/ptmx");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCSWINSZ, &size) < 0)
		return fail_with(fail, errno, "ioctl", "terminal");
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fail_with(fail, errno, "ioctl", "TIOCGPTPEER");
	launch->stdin_fd = launch->stdout_fd = launch->stderr_fd = slave;
	session->input = session->output = master;
	session->error = -1;
	session->tty = true;
	return 0;
}

static int open_pipes(struct launch *launch, struct session *session, struct failure *fail)
{
	int in[2], out[2], err[2];
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return fail_with(fail, errno, "pipe", NULL);
	if (fchown(out[1], cell.uid_base, cell.uid_base) < 0 ||
	    fchown(err[1], cell.uid_base, cell.uid_base) < 0)
		return fail_with(fail, errno, "chown", "pipe");
	launch->stdin_fd = in[0];
	launch->stdout_fd = out[1];
	launch->stderr_fd = err[1];
	session->input = in[1];
	session->output = out[0];
	session->error = err[0];
	return 0;
}

/* Waits for exec; a connection that ends first ends the wait. */
static int hear_report(int report, int connection, struct failure *fail)
{
	struct failure heard;
	struct pollfd ready[2] = { { .fd = report, .events = POLLIN }, { .fd = connection } };
	while (poll(ready, 2, -1) < 0 && errno == EINTR)
		;
	if (ready[0].revents == 0)
		return fail_with(fail, ECONNRESET, "exec", NULL);
	if (read(report, &heard, sizeof(heard)) != sizeof(heard))
		return 0;
	*fail = heard;
	return -heard.err;
}

static int spawn(struct launch *launch, struct session *session, struct failure *fail)
{
	int report[2];
	if (pipe2(report, O_CLOEXEC) < 0)
		return fail_with(fail, errno, "pipe", NULL);
	if (setns(cell.pid_ns, CLONE_NEWPID) < 0)
		return fail_with(fail, errno, "setns", "pid namespace");
	launch->report_fd = report[1];
	session->pid = kernel_clone(0, session->leaf, &session->pidfd);
	if (session->pid == 0)
		launch_child(launch);
	close(report[1]);
	close(launch->stdin_fd);
	if (!session->tty) {
		close(launch->stdout_fd);
		close(launch->stderr_fd);
	}
	if (session->pid < 0)
		return fail_with(fail, session->pid, "clone3", NULL);
	int err = hear_report(report[0], session->connection, fail);
	close(report[0]);
	return err;
}

int session_start(struct launch *launch, struct session *session, struct failure *fail)
{
	int err = launch->tty ? open_terminal(launch, session, fail)
			      : open_pipes(launch, session, fail);
	return err < 0 ? err : spawn(launch, session, fail);
}
