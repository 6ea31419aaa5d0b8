/* What the nursery is asked for: strings, every one ended by NUL, behind their length in four bytes. */
#ifndef HENGE_BIRTH_H
#define HENGE_BIRTH_H

#include <stddef.h>

#include "lib/failure.h"

/* Strings point into the message; rest is what the warden gets. */
struct birth {
	char *cell, *network, *rest;
	size_t rest_length;
};

/* Returns the message, which ends in NUL, or NULL. */
char *birth_read(int connection, size_t *length, struct failure *fail);
/* The string at *at, which is moved behind it; NULL at the end. */
char *birth_next(char **at, const char *end);
int birth_parse(char *message, size_t length, struct birth *birth, struct failure *fail);

#endif
