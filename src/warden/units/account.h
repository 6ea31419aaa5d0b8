/* Who a unit runs as, by the cell's own /etc/passwd and /etc/group; read by a process that is of
 * the cell already. */
#ifndef HENGE_ACCOUNT_H
#define HENGE_ACCOUNT_H

#include <sys/types.h>

#include "lib/failure.h"

#define GROUPS_MAX 64

struct account {
	uid_t uid;
	gid_t gid;
	gid_t groups[GROUPS_MAX];
	size_t group_count;
	/* Empty without an entry. */
	const char *name, *home, *shell;
};

/* user: a name, or a number 0..65535. root: directory of the cell's root. Takes its memory from the
 * arena. ENOENT: no such user; EINVAL: neither name nor number, or its line is malformed; ERANGE:
 * outside the cell's ids. */
int account_find(int root, const char *user, struct account *account, struct failure *fail);

#endif
