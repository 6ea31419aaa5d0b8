/* Numbers in what the daemon sends: digits and nothing else. */
#ifndef HENGE_NUMBER_H
#define HENGE_NUMBER_H

#include <stdbool.h>

/* Decimal digits only, at most max. Returns false for anything else. */
bool parse_number(const char *text, unsigned long max, unsigned long *value);

#endif
