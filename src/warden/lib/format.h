/* Text with numbers in it, without printf(3): that of musl knows floating point, and is a tenth of a program every cell has a
 * copy of. */
#ifndef HENGE_FORMAT_H
#define HENGE_FORMAT_H

#include <stddef.h>

/* As snprintf(3), for what the warden writes: %s %.*s %c %d %u %x and %%, the lengths l, ll and z, and a width that is filled with
 * zeros (%02d). Anything else is a fault of the program: it aborts. */
__attribute__((format(printf, 3, 4))) int format_text(char *to, size_t size, const char *format,
						      ...);

#endif
