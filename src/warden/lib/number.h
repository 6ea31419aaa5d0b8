/* Numbers in text. */
#ifndef HENGE_NUMBER_H
#define HENGE_NUMBER_H

#include <stdbool.h>

/* Decimal digits only, at most max. Returns false for anything else. */
bool parse_number(const char *text, unsigned long max, unsigned long *value);
/* What the digits text begins with say, 0 when there are none: of what the kernel or this program has written. base: 8 or
 * 10. */
unsigned long long leading_number(const char *text, unsigned int base);

#endif
