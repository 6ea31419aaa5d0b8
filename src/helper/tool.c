/* A tool's output is kept in memory until its end: see tool.h. What may not be kept is for `src/command-stream.ts`. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/kernel.h"
#include "spawn-request.h"

#define OUTPUT_MAX_BYTES (16L << 20)
#define ERRORS_MAX_BYTES (1L << 20)

enum ending { EXITED, SIGNALLED, NOT_RUN };

struct tool {
	char *input, **argv;
	int in, out, err;
};

/* Returns a descriptor or -errno. A write beyond `size` is refused. */
static int open_buffer(const char *name, long size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || (ftruncate(fd, size) == 0 &&
		       fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0))
		return fd < 0 ? -errno : fd;
	int err = -errno;
	close(fd);
	return err;
}

static int parse(char *message, size_t length, struct tool *tool, struct failure *fail)
{
	const char *end = message + length;
	size_t count = 0;
	spawn_request_next(&message, end);
	tool->input = spawn_request_next(&message, end);
	tool->argv = calloc(length, sizeof(*tool->argv));
	if (tool->argv == NULL)
		return fail_with(fail, ENOMEM, "allocate", "argv");
	for (char *word; (word = spawn_request_next(&message, end)) != NULL;)
		tool->argv[count++] = word;
	return count > 0 ? 0 : fail_with(fail, EBADMSG, "parse", "request");
}

static int open_buffers(struct tool *tool, struct failure *fail)
{
	size_t length = strlen(tool->input);
	tool->in = open_buffer("henge-input", (long)length);
	tool->out = open_buffer("henge-output", OUTPUT_MAX_BYTES);
	tool->err = open_buffer("henge-errors", ERRORS_MAX_BYTES);
	if (tool->in < 0 || tool->out < 0 || tool->err < 0)
		return fail_with(fail, ENOMEM, "memfd_create", NULL);
	if (pwrite(tool->in, tool->input, length, 0) != (ssize_t)length)
		return fail_with(fail, EIO, "write", "input");
	return 0;
}

/* `word`, by which the parent learns why there was no exec, closes with it. */
static _Noreturn void become_tool(const struct tool *tool, int word)
{
	setsid();
	if (dup2(tool->in, STDIN_FILENO) == 0 && dup2(tool->out, STDOUT_FILENO) == 1 &&
	    dup2(tool->err, STDERR_FILENO) == 2 &&
	    kernel_close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC_FLAG) == 0)
		execvp(tool->argv[0], tool->argv);
	int err = errno;
	if (write(word, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* Returns the pid or -errno. *exec_errno: 0 when it runs. */
static pid_t start(const struct tool *tool, int *exec_errno)
{
	int word[2];
	if (pipe2(word, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0)
		become_tool(tool, word[1]);
	int err = errno;
	close(word[1]);
	*exec_errno = 0;
	if (pid > 0 && read(word[0], exec_errno, sizeof(*exec_errno)) < 0)
		*exec_errno = errno;
	close(word[0]);
	return pid < 0 ? -err : pid;
}

/* Until it ends by itself, or is not wanted any more. */
static int wait_for(pid_t pid, int connection)
{
	int status = 0, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ends[] = { { .fd = pidfd, .events = POLLIN },
				 { .fd = connection, .events = POLLIN | POLLRDHUP } };
	while (pidfd >= 0 && poll(ends, 2, -1) < 0 && errno == EINTR)
		;
	/* Not reaped yet, so the number is its own. */
	if (ends[0].revents == 0)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static uint32_t written(int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	return at < 0 ? 0 : (uint32_t)at;
}

static int send_file(int connection, int fd, uint32_t length)
{
	for (off_t at = 0; at < (off_t)length;)
		if (sendfile(connection, fd, &at, (size_t)((off_t)length - at)) <= 0)
			return -1;
	return 0;
}

static int answer(int connection, const struct tool *tool, enum ending ending, uint32_t number)
{
	uint32_t words[] = { ending, number, written(tool->out), written(tool->err) };
	unsigned char head[sizeof(words)];
	for (size_t at = 0; at < sizeof(head); at++)
		head[at] = (unsigned char)(words[at / 4] >> (8 * (at % 4)));
	bool sent = write(connection, head, sizeof(head)) == (ssize_t)sizeof(head) &&
		    send_file(connection, tool->out, words[2]) == 0 &&
		    send_file(connection, tool->err, words[3]) == 0;
	return sent ? 0 : 1;
}

int tool_run(int connection, char *message, size_t length, struct failure *fail)
{
	struct tool tool = { 0 };
	int exec_errno;
	if (parse(message, length, &tool, fail) < 0 || open_buffers(&tool, fail) < 0)
		return 1;
	pid_t pid = start(&tool, &exec_errno);
	if (pid < 0) {
		fail_with(fail, -pid, "fork", NULL);
		return 1;
	}
	int status = wait_for(pid, connection);
	fail->err = 0;
	if (exec_errno != 0)
		return answer(connection, &tool, NOT_RUN, (uint32_t)exec_errno);
	if (WIFSIGNALED(status))
		return answer(connection, &tool, SIGNALLED, (uint32_t)WTERMSIG(status));
	return answer(connection, &tool, EXITED, (uint32_t)WEXITSTATUS(status));
}
