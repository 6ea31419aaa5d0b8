/* Which descriptors a process has. */
#ifndef HENGE_DESCRIPTORS_H
#define HENGE_DESCRIPTORS_H

#include <stddef.h>

/* Closes every descriptor that is not in kept, which is sorted on the way; -1 stands for none. */
void close_all_but(int *kept, size_t count);

#endif
