/* The process that stands between the daemon's sandbox and the cells: see spawner.h. The process that listens reads
 * nothing of what a client sends: its end would be that of the service the cells live in. */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/handover.h"
#include "lib/kernel.h"
#include "lib/number.h"
#include "lib/process.h"
#include "spawn-request.h"
#include "tool.h"

#define LISTEN_FD 3
/* Free of the descriptors a warden is given. */
#define FIRST_FREE_FD 6
/* More wait in the socket's backlog. */
#define CHILDREN_MAX 64
/* A request is sent at once or not at all. */
#define REQUEST_SECONDS 10
#define PROBE_ARGUMENTS_MAX 8
#define PROBE_SECONDS 30
/* A host that is out of descriptors is not asked for one in a tight loop. */
#define PAUSE_MS 100
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* This program and the warden's, which lies beside it. By their paths: those that are installed now, which need not be these
 * any more. */
static char helper[PATH_MAX], warden[PATH_MAX];

/* Whose socket it is: systemd's, which a daemon in a sandbox uses too, or the daemon's own. Only the latter may have any
 * tool run: that is inside whatever the daemon is in. */
static bool is_own;

/* Signals a warden must find as they are by default. systemd ignores SIGPIPE for its services. */
static const int changed[] = { SIGCHLD, SIGTERM, SIGINT, SIGALRM, SIGPIPE };

static bool is_peer_root(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	/* As the host counts: root of a cell is someone else. */
	return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

/* Returns the descriptor, -1 when no network is to be joined. text: PID START, or nothing. */
static int open_network(char *text, struct failure *fail)
{
	char path[64];
	unsigned long pid, start;
	if (text[0] == '\0')
		return -1;
	char *start_text = strchr(text, ' ');
	if (start_text != NULL)
		*start_text++ = '\0';
	if (start_text == NULL || !parse_number(text, INT_MAX, &pid) ||
	    !parse_number(start_text, ULONG_MAX, &start))
		return fail_with(fail, EBADMSG, "parse", "network");
	snprintf(path, sizeof(path), "/proc/%lu/ns/net", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_with(fail, errno, "open", path);
	/* Alive still, so it was this one that was opened: a pid may be used again. */
	if (start_time_of((pid_t)pid) == start)
		return fd;
	close(fd);
	return fail_with(fail, ESRCH, "open", path);
}

/* What the warden reads, which nobody can change any more. */
static int keep(const struct spawn_request *asked, struct failure *fail)
{
	int fd = memfd_create("henge-request", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return fail_with(fail, errno, "memfd_create", NULL);
	ssize_t written = write(fd, asked->rest, asked->rest_length);
	if (written == (ssize_t)asked->rest_length && lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return fd;
	fail_with(fail, written < 0 ? errno : EIO, "write", "request");
	close(fd);
	return -1;
}

/* 3, 4, 5 as a warden expects them; all above is closed. It puts /dev/null on 0, 1, 2 itself. */
static int arrange_fds(int request, int answer, int network, struct failure *fail)
{
	int wanted[] = { request, answer, network };
	for (int index = 0; index < 3; index++) {
		if (wanted[index] >= 0)
			wanted[index] = fcntl(wanted[index], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
		if (wanted[index] < 0 && index < 2)
			return fail_with(fail, errno, "dup", NULL);
	}
	for (int index = 0; index < 3; index++) {
		close(REQUEST_FD + index);
		if (wanted[index] >= 0 && dup2(wanted[index], REQUEST_FD + index) < 0)
			return fail_with(fail, errno, "dup", NULL);
	}
	int err = kernel_close_range(FIRST_FREE_FD, ~0U, 0);
	return err < 0 ? fail_with(fail, err, "close_range", NULL) : 0;
}

static void execute(const char *program, char **argv, struct failure *fail)
{
	char *environment[] = { NULL };
	execve(program, argv, environment);
	fail_with(fail, errno, "exec", program);
}

/* Returns when it failed; *connection is where that is told. */
static void become_warden(int *connection, char *message, size_t length, struct failure *fail)
{
	struct spawn_request asked = { 0 };
	if (spawn_request_parse(message, length, &asked, fail) < 0)
		return;
	int network = open_network(asked.network, fail);
	int request = fail->err != 0 ? -1 : keep(&asked, fail);
	if (request < 0 || arrange_fds(request, *connection, network, fail) < 0)
		return;
	*connection = ANSWER_FD;
	alarm(0);
	char *argv[] = { "henge-warden", asked.cell, NULL };
	execute(warden, argv, fail);
}

/* Returns when it failed. What it prints goes to the connection. */
static void become_probe(int connection, char *message, size_t length, struct failure *fail)
{
	char *argv[PROBE_ARGUMENTS_MAX + 3] = { "henge-helper", "--probe" };
	const char *end = message + length;
	size_t count = 0;
	spawn_request_next(&message, end);
	for (char *text; (text = spawn_request_next(&message, end)) != NULL; count++) {
		if (count == PROBE_ARGUMENTS_MAX) {
			fail_with(fail, E2BIG, "parse", "request");
			return;
		}
		argv[count + 2] = text;
	}
	if (dup2(connection, STDOUT_FILENO) < 0 ||
	    kernel_close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC_FLAG) < 0) {
		fail_with(fail, errno, "dup", NULL);
		return;
	}
	alarm(PROBE_SECONDS);
	execute(helper, argv, fail);
}

static void become(int *connection, struct failure *fail)
{
	size_t length;
	char *message = spawn_request_read(*connection, &length, fail);
	if (message == NULL)
		return;
	if (is_own && strcmp(message, "run") == 0) {
		alarm(0);
		int code = tool_run(*connection, message, length, fail);
		if (fail->err == 0)
			_exit(code);
	} else if (strcmp(message, "probe") == 0)
		become_probe(*connection, message, length, fail);
	else
		become_warden(connection, message, length, fail);
}

static _Noreturn void spawn(int connection)
{
	struct failure fail = { 0 };
	sigset_t none;
	close(LISTEN_FD);
	for (size_t index = 0; index < sizeof(changed) / sizeof(changed[0]); index++)
		signal(changed[index], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(REQUEST_SECONDS);
	become(&connection, &fail);
	failure_tell(connection, &fail);
	_exit(1);
}

/* Whether a child was started. Whom it refuses it tells nothing. */
static bool serve(int connection)
{
	pid_t pid = -1;
	if (is_peer_root(connection))
		pid = fork();
	if (pid == 0)
		spawn(connection);
	close(connection);
	return pid > 0;
}

static void ignore(int number)
{
	(void)number;
}

static int find_programs(void)
{
	static const char name[] = "henge-warden";
	ssize_t length = readlink("/proc/self/exe", helper, sizeof(helper) - 1);
	if (length <= 0)
		return -errno;
	int directory = (int)(strrchr(helper, '/') - helper);
	if (snprintf(warden, sizeof(warden), "%.*s/%s", directory, helper, name) >=
	    (int)sizeof(warden))
		return -ENAMETOOLONG;
	return 0;
}

static int find_passed_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	unsigned long listener;
	if (pid == NULL || count == NULL || !parse_number(pid, INT_MAX, &listener) ||
	    (pid_t)listener != getpid() || strcmp(count, "1") != 0)
		return -EINVAL;
	return 0;
}

/* The daemon's umask makes the socket root's alone; so does the directory. */
static int open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0 || (fd != LISTEN_FD && dup2(fd, LISTEN_FD) < 0))
		return -errno;
	if (fd != LISTEN_FD)
		close(fd);
	return 0;
}

static int begin(const char *path, sigset_t *waiting)
{
	is_own = path != NULL;
	if ((is_own ? open_socket(path) : find_passed_socket()) < 0 || find_programs() < 0 ||
	    chdir("/") < 0 || fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(LISTEN_FD, F_SETFL, O_NONBLOCK) < 0)
		return -EINVAL;
	prctl(PR_SET_NAME, "henge-spawner", 0, 0, 0);
	/* Handled, so that it ends the waiting; blocked but while waiting, so that none is missed. */
	struct sigaction action = { .sa_handler = ignore };
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (sigaction(SIGCHLD, &action, NULL) < 0 || sigprocmask(SIG_BLOCK, &child, waiting) < 0)
		return -errno;
	sigdelset(waiting, SIGCHLD);
	/* Its end might be taken for that of the cells; it is asked to end by SIGHUP. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	return is_own && write(STDOUT_FILENO, "ready\n", 6) != 6 ? -EPIPE : 0;
}

int spawner_run(const char *path)
{
	sigset_t waiting;
	unsigned int children = 0;
	if (begin(path, &waiting) < 0)
		return 1;
	for (;;) {
		bool has_room = children < CHILDREN_MAX;
		struct pollfd fds[] = { { .fd = has_room ? LISTEN_FD : -1, .events = POLLIN },
					{ .fd = is_own ? STDIN_FILENO : -1, .events = POLLIN } };
		ppoll(fds, 2, NULL, &waiting);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			children--;
		/* The daemon is gone. */
		if (fds[1].revents != 0)
			return 0;
		int connection = has_room ? accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (connection >= 0 && serve(connection))
			children++;
		else if (has_room && connection < 0 && errno != EAGAIN)
			poll(NULL, 0, PAUSE_MS);
	}
}
