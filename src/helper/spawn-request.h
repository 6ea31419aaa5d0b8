/* What the spawner is asked for: strings, every one ended by NUL, behind their length in four bytes. */
#ifndef HENGE_SPAWN_REQUEST_H
#define HENGE_SPAWN_REQUEST_H

#include <stddef.h>

#include "lib/failure.h"

/* Strings point into the message; rest is what the warden gets. */
struct spawn_request {
	char *cell, *network, *rest;
	size_t rest_length;
};

/* Returns the message, which ends in NUL, or NULL. */
char *spawn_request_read(int connection, size_t *length, struct failure *fail);
/* The string at *at, which is moved behind it; NULL at the end. */
char *spawn_request_next(char **at, const char *end);
int spawn_request_parse(char *message, size_t length, struct spawn_request *asked,
			struct failure *fail);

#endif
