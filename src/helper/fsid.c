/* Mounts a dataset nowhere and prints what statfs(2) says of it: see fsid.h. */
#include "fsid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/failure.h"
#include "lib/identity.h"

int fsid_print(const char *dataset, bool sealed)
{
	struct failure fail = { 0 };
	struct statfs status;
	char identity[IDENTITY_SIZE];
	int fd = dataset_mount(dataset, sealed, &fail);
	if (fd >= 0 && fstatfs(fd, &status) < 0)
		fd = fail_with(&fail, errno, "statfs", dataset);
	if (fd >= 0 && identity_read(fd, &status, identity) == 0)
		return puts(identity) < 0 ? 1 : 0;
	fprintf(stderr, "%s %s: %s\n", fail.op, dataset, strerror(fail.err));
	return 1;
}
