/* The one record of what went wrong: which operation, which errno, on what. */
#ifndef HENGE_FAILURE_H
#define HENGE_FAILURE_H

struct failure {
	int err;
	char op[24];
	char path[228];
};

/* Fills the record and returns -err. The path may be NULL and is cut when too long. */
int fail_with(struct failure *fail, int err, const char *op, const char *path);
/* Waits for the record a child writes when it is done; one without error is a success, and ECHILD
 * says that the child died before it wrote one. */
int failure_hear(int fd, const char *child, struct failure *fail);
/* To the daemon, which waits for a cell: `failed`, the operation, the errno, the path. */
int failure_tell(int fd, const struct failure *fail);

#endif
