/* One unit's log: lines of the two outputs of its runs, as `TIME STREAM F|P TEXT` (P: the line goes
 * on), rotated by size. */
#ifndef HENGE_LOG_H
#define HENGE_LOG_H

#include "lib/loop.h"

struct log;

struct stream {
	struct watch watch;
	struct log *log;
	const char *name;
	/* What has no end of line yet; allocated only while there is any. */
	char *pending;
	size_t length;
};

struct log {
	const char *unit;
	/* Opened with the first line. */
	int fd;
	unsigned int writers;
	uint64_t size, max;
	unsigned int keep;
	/* Lines that could not be written, and why. */
	uint64_t dropped;
	int dropped_err;
};

/* Of one run. */
struct outputs {
	struct stream out, err;
};

/* Reads from the two pipes until they end; max and keep hold for all who write from now on. Returns 0
 * or -errno, then it owns nothing. */
int log_open(struct log *log, struct outputs *outputs, uint64_t max, unsigned int keep, int out_fd,
	     int err_fd);
/* Takes what is left in the pipes, and lets go of them; of the file too when nobody else writes. */
void log_close(struct outputs *outputs);

#endif
