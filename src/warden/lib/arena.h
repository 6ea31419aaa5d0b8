/* Memory of a child between clone and exec: taken from one mapping, never given back; exec does
 * that. */
#ifndef HENGE_ARENA_H
#define HENGE_ARENA_H

#include <stddef.h>

/* NULL when there is no more. */
void *arena_take(size_t size);
/* "NAME=VALUE" */
char *arena_join(const char *name, const char *value);
/* Reads a regular file beneath the working directory or dirfd, through no magic link; ends in NUL.
 * -EFBIG: larger than max. Returns its length or -errno. */
long arena_read(int dirfd, const char *path, size_t max, char **text);

#endif
