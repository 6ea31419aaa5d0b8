/* Listens to every transaction of nftables in its network namespace: see rules.h. It changes nothing. */
#include "rules.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NETLINK_NETFILTER 12
#define GROUP_NFTABLES 7
#define SUBSYSTEM_NFTABLES 10
/* The last message of a transaction: linux/netfilter/nf_tables.h. */
#define MESSAGE_NEWGEN 15
#define FAMILY_INET 1
#define GENERATION_PID 2
#define GENERATION_NAME 3
/* The name of the table a chain, rule, set, element … is in is the first attribute of each. */
#define ATTRIBUTE_TABLE 1
#define ATTRIBUTE_TYPE_MASK 0x3fff

#define PROCESS_NAME_SIZE 16

struct netlink_address {
	uint16_t family, padding;
	uint32_t port, groups;
};

struct message_head {
	uint32_t length;
	uint16_t type, flags;
	uint32_t sequence, port;
	/* struct nfgenmsg */
	uint8_t family, version;
	uint16_t resource;
};

struct attribute_head {
	uint16_t length, type;
};

static bool touched;

static size_t align(size_t length)
{
	return (length + 3) & ~(size_t)3;
}

static int listen_to_rules(void)
{
	struct netlink_address address = { .family = AF_NETLINK,
					   .groups = 1U << (GROUP_NFTABLES - 1) };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* The value of an attribute, NULL when the message has none of that type or is cut off. */
static const char *find_attribute(const char *message, size_t length, uint16_t type, size_t *size)
{
	size_t at = sizeof(struct message_head);
	while (at + sizeof(struct attribute_head) <= length) {
		struct attribute_head head;
		memcpy(&head, message + at, sizeof(head));
		if (head.length < sizeof(head) || at + head.length > length)
			return NULL;
		*size = head.length - sizeof(head);
		if ((head.type & ATTRIBUTE_TYPE_MASK) == type)
			return message + at + sizeof(head);
		at += align(head.length);
	}
	return NULL;
}

static bool is_about(const char *message, size_t length, uint8_t family, const char *table)
{
	size_t size;
	const char *name = find_attribute(message, length, ATTRIBUTE_TABLE, &size);
	return family == FAMILY_INET && name != NULL && size == strlen(table) + 1 &&
	       memcmp(name, table, size) == 0;
}

/* A process chooses its name: only what is plain is shown. */
static void print_change(const char *message, size_t length)
{
	char name[PROCESS_NAME_SIZE] = "";
	uint32_t pid = 0;
	size_t size;
	const char *value = find_attribute(message, length, GENERATION_PID, &size);
	if (value != NULL && size == sizeof(pid))
		memcpy(&pid, value, sizeof(pid));
	value = find_attribute(message, length, GENERATION_NAME, &size);
	for (size_t i = 0; value != NULL && i < size && i + 1 < sizeof(name) && value[i] != 0; i++)
		name[i] = (char)(isgraph((unsigned char)value[i]) ? value[i] : '?');
	printf("changed %u %s\n", ntohl(pid), name);
	touched = false;
}

static void hear(const char *text, size_t length, const char *table)
{
	struct message_head head;
	for (size_t at = 0; at + sizeof(head) <= length; at += align(head.length)) {
		memcpy(&head, text + at, sizeof(head));
		if (head.length < sizeof(head) || head.length > length - at)
			return;
		if (head.type >> 8 != SUBSYSTEM_NFTABLES)
			continue;
		if ((head.type & 0xff) != MESSAGE_NEWGEN)
			touched = touched || is_about(text + at, head.length, head.family, table);
		else if (touched)
			print_change(text + at, head.length);
	}
}

/* Returns false when there is nothing to listen to any more. */
static bool hear_once(int fd, const char *table)
{
	static char text[65536];
	ssize_t length = recv(fd, text, sizeof(text), MSG_TRUNC);
	if (length > (ssize_t)sizeof(text) || (length < 0 && errno == ENOBUFS))
		puts("changed");
	else if (length < 0)
		return errno == EINTR;
	else
		hear(text, (size_t)length, table);
	return fflush(stdout) == 0;
}

int rules_run(const char *table)
{
	int fd = listen_to_rules();
	if (fd < 0) {
		fprintf(stderr, "cannot listen to nftables: %s\n", strerror(-fd));
		return 1;
	}
	puts("watching");
	if (fflush(stdout) != 0)
		return 1;
	struct pollfd sources[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				    { .fd = fd, .events = POLLIN } };
	for (;;) {
		if (poll(sources, 2, -1) < 0 && errno != EINTR)
			return 1;
		if (sources[0].revents != 0)
			return 0;
		if (sources[1].revents != 0 && !hear_once(fd, table))
			return 1;
	}
}
