/* One unit's log: see log.h. A disk that is full costs lines, which are counted, and never blocks
 * the unit. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cell/cell.h"
#include "lib/format.h"

#define LINE_MAX_BYTES 16384
#define NAME_SIZE 64

/* Whole lines on their way to the file. */
static char batch[LINE_MAX_BYTES + 128];
static size_t batch_length;
static unsigned int batch_lines;

static void file_name(const struct log *log, unsigned int number, char *name)
{
	if (number == 0)
		format_text(name, NAME_SIZE, "%s.log", log->unit);
	else
		format_text(name, NAME_SIZE, "%s.log.%u", log->unit, number);
}

static int open_file(struct log *log)
{
	char name[NAME_SIZE];
	struct stat status;
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
	file_name(log, 0, name);
	log->fd = openat(cell.logs, name, flags, 0600);
	if (log->fd < 0)
		return -errno;
	log->size = fstat(log->fd, &status) < 0 ? 0 : (uint64_t)status.st_size;
	return 0;
}

static int rotate(struct log *log)
{
	char from[NAME_SIZE], to[NAME_SIZE];
	for (unsigned int number = log->keep; number > 0; number--) {
		file_name(log, number - 1, from);
		file_name(log, number, to);
		renameat(cell.logs, from, cell.logs, to);
	}
	if (log->keep == 0) {
		file_name(log, 0, from);
		unlinkat(cell.logs, from, 0);
	}
	close(log->fd);
	return open_file(log);
}

static int format_head(char *to, size_t size, const char *stream, char tag)
{
	struct timespec now;
	struct tm time;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &time);
	return format_text(to, size, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ %s %c ",
			   time.tm_year + 1900, time.tm_mon + 1, time.tm_mday, time.tm_hour,
			   time.tm_min, time.tm_sec, now.tv_nsec, stream, tag);
}

/* All of it or nothing: half a line is taken back. */
static int append(struct log *log, const char *text, size_t length)
{
	if (log->fd < 0) {
		int err = open_file(log);
		if (err < 0)
			return err;
	}
	if (log->size > 0 && log->size + length > log->max) {
		int err = rotate(log);
		if (err < 0)
			return err;
	}
	ssize_t written = write(log->fd, text, length);
	if (written == (ssize_t)length) {
		log->size += length;
		return 0;
	}
	int err = written < 0 ? -errno : -ENOSPC;
	if (written > 0 && ftruncate(log->fd, (off_t)log->size) < 0)
		log->size += (uint64_t)written;
	return err;
}

static void tell_dropped(struct log *log)
{
	char line[192];
	int length = format_head(line, sizeof(line), "henge", 'F');
	length += format_text(line + length, sizeof(line) - (size_t)length,
			      "dropped %llu lines: %s\n", (unsigned long long)log->dropped,
			      strerror(log->dropped_err));
	if (append(log, line, (size_t)length) == 0)
		log->dropped = 0;
}

static void flush(struct log *log)
{
	if (batch_length == 0)
		return;
	if (log->dropped > 0)
		tell_dropped(log);
	int err = append(log, batch, batch_length);
	if (err < 0) {
		log->dropped += batch_lines;
		log->dropped_err = -err;
	}
	batch_length = 0;
	batch_lines = 0;
}

static void emit(struct stream *stream, const char *text, size_t length, char tag)
{
	char head[64];
	int size = format_head(head, sizeof(head), stream->name, tag);
	size_t limit = stream->log->max < sizeof(batch) ? stream->log->max : sizeof(batch);
	if (batch_length + (size_t)size + length + 1 > limit)
		flush(stream->log);
	memcpy(batch + batch_length, head, (size_t)size);
	memcpy(batch + batch_length + size, text, length);
	batch_length += (size_t)size + length;
	batch[batch_length++] = '\n';
	batch_lines++;
}

static void drop_pending(struct stream *stream)
{
	free(stream->pending);
	stream->pending = NULL;
	stream->length = 0;
}

/* Emits the whole lines of pending and keeps the rest at its start. */
static void take_lines(struct stream *stream)
{
	char *at = stream->pending;
	size_t left = stream->length;
	for (char *newline; left > 0 && (newline = memchr(at, '\n', left)) != NULL;) {
		size_t length = (size_t)(newline - at);
		emit(stream, at, length, 'F');
		at += length + 1;
		left -= length + 1;
	}
	if (left == LINE_MAX_BYTES) {
		emit(stream, at, left, 'P');
		left = 0;
	}
	if (left > 0)
		memmove(stream->pending, at, left);
	stream->length = left;
	if (left == 0)
		drop_pending(stream);
}

static void end_stream(struct stream *stream)
{
	if (stream->length > 0)
		emit(stream, stream->pending, stream->length, 'F');
	drop_pending(stream);
	flush(stream->log);
	watch_close(&stream->watch);
}

/* Returns false when there is nothing more to read now. */
static bool read_some(struct stream *stream)
{
	if (stream->pending == NULL)
		stream->pending = malloc(LINE_MAX_BYTES);
	if (stream->pending == NULL)
		return false;
	size_t room = LINE_MAX_BYTES - stream->length;
	ssize_t count = read(stream->watch.fd, stream->pending + stream->length, room);
	if (count > 0) {
		stream->length += (size_t)count;
		take_lines(stream);
		flush(stream->log);
		return true;
	}
	if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (stream->length == 0)
			drop_pending(stream);
		return false;
	}
	end_stream(stream);
	return false;
}

static void on_output(struct watch *watch, uint32_t events)
{
	(void)events;
	read_some(container_of(watch, struct stream, watch));
}

static int open_stream(struct stream *stream, struct log *log, const char *name, int fd)
{
	memset(stream, 0, sizeof(*stream));
	stream->log = log;
	stream->name = name;
	stream->watch.ready = on_output;
	return watch_add(&stream->watch, fd, EPOLLIN);
}

int log_open(struct log *log, struct outputs *outputs, uint64_t max, unsigned int keep, int out_fd,
	     int err_fd)
{
	int err = open_stream(&outputs->out, log, "stdout", out_fd);
	if (err == 0)
		err = open_stream(&outputs->err, log, "stderr", err_fd);
	else
		close(err_fd);
	if (err < 0) {
		watch_close(&outputs->out.watch);
		outputs->out.log = NULL;
		return err;
	}
	/* The file is opened with the first line: a full disk keeps no unit from starting. */
	if (log->writers++ == 0)
		log->dropped = 0;
	log->max = max;
	log->keep = keep;
	return 0;
}

static void drain(struct stream *stream)
{
	/* A pipe holds 64 KiB; more than that a writer outside the unit adds. */
	for (int rounds = 0; stream->watch.fd >= 0 && rounds < 64; rounds++) {
		if (!read_some(stream))
			break;
	}
	if (stream->watch.fd >= 0)
		end_stream(stream);
}

void log_close(struct outputs *outputs)
{
	struct log *log = outputs->out.log;
	if (log == NULL)
		return;
	drain(&outputs->out);
	drain(&outputs->err);
	outputs->out.log = NULL;
	if (--log->writers > 0)
		return;
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}
