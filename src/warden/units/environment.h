/* The environment of what is run: the daemon's is nowhere in it. */
#ifndef HENGE_ENVIRONMENT_H
#define HENGE_ENVIRONMENT_H

#include "account.h"
#include "launch.h"

#define ENVIRONMENT_MAX 1024

struct environment {
	/* Ends in NULL. */
	char *texts[ENVIRONMENT_MAX + 1];
	size_t count;
};

/* Later env files win over earlier, the unit's own values over all; the account fills in what is
 * missing. */
int environment_build(const struct launch *launch, const struct account *account,
		      struct environment *environment, struct failure *fail);
/* NULL when there is none. */
const char *environment_get(const struct environment *environment, const char *name);

#endif
