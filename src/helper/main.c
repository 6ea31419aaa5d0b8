/* henge-helper: the daemon's tool for what Node.js has no system call. Its first word says which one; each ends with its
 * work, or with the daemon. A cell's parent is another program, henge-warden, for every cell holds a copy of that. */
#include <stddef.h>
#include <string.h>

#include "fsid.h"
#include "hold.h"
#include "manager.h"
#include "place.h"
#include "probe.h"
#include "rules.h"
#include "spawner.h"

#define EX_USAGE 64 /* sysexits.h */

static int run_manager(char **words)
{
	(void)words;
	return manager_run();
}

static int run_spawner(char **words)
{
	return spawner_run(words[1]);
}

static int run_rules(char **words)
{
	return rules_run(words[1]);
}

static int run_fsid(char **words)
{
	return fsid_print(words[1], false);
}

static int run_sealed_fsid(char **words)
{
	return fsid_print(words[1], true);
}

static int run_probe(char **words)
{
	return probe_run(words[1], words[2]);
}

static int run_place_memory(char **words)
{
	return place_memory(words[1]);
}

static int run_hold(char **words)
{
	return hold_run(words[1], words[2]);
}

static const struct tool {
	const char *name;
	int count; /* Of words, the name among them. */
	int (*run)(char **words);
} tools[] = {
	{ "--manager", 1, run_manager },	   /* The daemon's voice at the service manager. */
	{ "--spawner", 1, run_spawner },	   /* Starts wardens in the daemon's place. */
	{ "--spawner", 2, run_spawner },	   /* And its tools, on a socket of its own. */
	{ "--rules", 2, run_rules },		   /* Tells of changes of an nftables table. */
	{ "--fsid", 2, run_fsid },		   /* What statfs(2) says of a ZFS dataset, */
	{ "--sealed-fsid", 2, run_sealed_fsid },   /* and of one that is mounted read-only. */
	{ "--probe", 3, run_probe },		   /* What this kernel can do. */
	{ "--hold", 3, run_hold },		   /* Freezes a cgroup for as long as it is told. */
	{ "--place-memory", 2, run_place_memory }, /* Moves a cgroup's memory to its nodes. */
};

int main(int argc, char **argv)
{
	int count = argc - 1;
	char **words = argv + 1;
	for (size_t index = 0; index < sizeof(tools) / sizeof(tools[0]); index++) {
		if (count == tools[index].count && strcmp(words[0], tools[index].name) == 0)
			return tools[index].run(words);
	}
	return EX_USAGE;
}
