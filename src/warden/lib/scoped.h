/* Descriptors and buffers that are released where their scope ends, on every way out of it. */
#ifndef HENGE_SCOPED_H
#define HENGE_SCOPED_H

#include <stdlib.h>
#include <unistd.h>

static inline void scoped_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void scoped_free(char *const *text)
{
	free(*text);
}

/* Before the type. A negative descriptor, such as -errno, stands for none. What is returned is worked out before it is
 * released: `return -errno` is safe. */
#define SCOPED_FD __attribute__((cleanup(scoped_close)))
#define SCOPED_TEXT __attribute__((cleanup(scoped_free)))

/* Hands the descriptor on: it outlives its scope. */
static inline int scoped_keep(int *fd)
{
	int kept = *fd;
	*fd = -1;
	return kept;
}

#endif
