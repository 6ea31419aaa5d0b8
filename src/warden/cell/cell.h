/* The one cell of this warden: what it was asked for and the descriptors it is reached by. */
#ifndef HENGE_CELL_H
#define HENGE_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/failure.h"

#define INIT_LEAF "henge.init"
#define EXEC_LEAF_PREFIX "henge.exec-"
#define NOTIFY_DIRECTORY "/run/henge"

/* A directory of the host or a ZFS dataset, and what must be found on the descriptor of its mount. */
struct source {
	/* Of a dataset its name. */
	const char *path;
	unsigned long type;
	const char *identity;
	/* An image: all of it is read-only, for every cell. */
	bool sealed;
};

enum entry_kind { ENTRY_VOLUME, ENTRY_TMPFS, ENTRY_FILE, ENTRY_HIDDEN };

struct entry {
	enum entry_kind kind;
	struct source source;
	/* Inside the cell; of ENTRY_HIDDEN the directory hidden. */
	const char *path;
	bool read_only;
	const char *owner;
	/* As octal text. */
	const char *mode;
	/* Decimal, for tmpfs. */
	const char *size;
	/* The detached mount, once opened. */
	int fd;
};

/* Every string points into the message the daemon sent. */
struct request {
	const char *cell, *boot, *boundary;
	const char *run, *state, *logs;
	const char *cgroup, *warden_cgroup, *controllers;
	const char *hostname, *network;
	unsigned int uid_base;
	bool host_root;
	struct source root;
	struct entry *entries;
	size_t entry_count;
	/* Network namespace to join, -1 without. */
	int network_fd;
};

struct cell {
	char *name;
	char *boundary;
	unsigned int uid_base;
	pid_t init_pid;
	int init_pidfd;
	int user_ns;
	/* pid namespaces of the cell and of the warden itself. */
	int pid_ns, own_pid_ns;
	int net_ns, own_net_ns;
	int cgroup;
	/* /run/henge and /dev/pts of the cell. */
	int notify_directory, terminals;
	/* Directories of the host. */
	int run_directory, logs;
	/* The warden is not killed like everyone else when memory runs out; what it starts must be. */
	bool spared_by_oom;
};

extern struct cell cell;

/* Reads the pairs in message, which ends in NUL; entries is malloced. */
int request_parse(char *message, size_t length, struct request *request, struct failure *fail);
/* The next key and value of a message, or false at its end. */
bool next_pair(char **at, char *end, char **key, char **value);

#endif
