/* Who a unit runs as: see account.h. Strict: a number that wraps round is another user, root at
 * worst. */
#include "account.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/arena.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define ID_MAX 65535
/* 256 characters of UTF-8. */
#define NAME_MAX_BYTES 1024

static bool is_digits(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Up to five digits, at most 65535: what the cell's map holds. */
static bool parse_id(const char *text, unsigned int *id)
{
	if (!is_digits(text) || strlen(text) > 5)
		return false;
	*id = 0;
	for (; *text != '\0'; text++)
		*id = *id * 10 + (unsigned int)(*text - '0');
	return *id <= ID_MAX;
}

/* What systemd takes as a name in its relaxed mode, since images have such users: all but what would
 * not be one field of passwd(5), what is a number to somebody, and what is a path. */
static bool is_name(const char *text)
{
	size_t length = strlen(text);
	if (length == 0 || length > NAME_MAX_BYTES || text[0] == ' ' || text[length - 1] == ' ')
		return false;
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	if (is_digits(text + (*text == '-' || *text == '+')))
		return false;
	for (size_t at = 0; at < length; at++)
		if ((unsigned char)text[at] < ' ' || text[at] == 0x7f || strchr(":/", text[at]))
			return false;
	return true;
}

/* Cuts a line of `:`-separated fields; true when there are exactly count. */
static bool cut_fields(char *line, char **fields, size_t count)
{
	for (size_t index = 0; index < count; index++) {
		fields[index] = line;
		line = strchr(line, ':');
		if (line == NULL)
			return index == count - 1;
		*line++ = '\0';
	}
	return false;
}

static char *next_line(char **at)
{
	char *line = *at;
	if (line == NULL || *line == '\0')
		return NULL;
	*at = strchr(line, '\n');
	if (*at != NULL)
		*(*at)++ = '\0';
	return line;
}

/* A missing file has no lines. */
static int read_lines(int root, const char *path, char **text, struct failure *fail)
{
	static char none[] = "";
	long length = arena_read(root, path, FILE_MAX_BYTES, text);
	if (length == -ENOENT)
		*text = none;
	else if (length < 0)
		return fail_with(fail, (int)length, "read", path);
	return 0;
}

static bool matches(char *const *fields, const char *user, bool by_number, unsigned int id)
{
	unsigned int uid;
	if (!by_number)
		return strcmp(fields[0], user) == 0;
	return parse_id(fields[2], &uid) && uid == id;
}

static int find_entry(int root, const char *user, bool by_number, struct account *account,
		      struct failure *fail)
{
	char *text, *line, *fields[7];
	int err = read_lines(root, "/etc/passwd", &text, fail);
	if (err < 0)
		return err;
	while ((line = next_line(&text)) != NULL) {
		if (!cut_fields(line, fields, 7) || !matches(fields, user, by_number, account->uid))
			continue;
		if (!parse_id(fields[2], &account->uid) || !parse_id(fields[3], &account->gid))
			return fail_with(fail, ERANGE, "user", user);
		account->name = fields[0];
		account->home = fields[5];
		account->shell = fields[6];
		return 0;
	}
	return by_number ? 0 : fail_with(fail, ENOENT, "user", user);
}

/* Whether name is one of the `,`-separated members. */
static bool is_member(const char *members, const char *name)
{
	size_t length = strlen(name);
	while (*members != '\0') {
		size_t member = strcspn(members, ",");
		if (member == length && memcmp(members, name, length) == 0)
			return true;
		members += member + (members[member] == ',');
	}
	return false;
}

static int find_groups(int root, struct account *account, struct failure *fail)
{
	char *text, *line, *fields[4];
	unsigned int gid;
	int err = read_lines(root, "/etc/group", &text, fail);
	if (err < 0)
		return err;
	while ((line = next_line(&text)) != NULL) {
		if (!cut_fields(line, fields, 4) || !is_member(fields[3], account->name))
			continue;
		if (!parse_id(fields[2], &gid))
			return fail_with(fail, ERANGE, "group", fields[0]);
		if (account->group_count == GROUPS_MAX)
			return fail_with(fail, E2BIG, "group", fields[0]);
		account->groups[account->group_count++] = gid;
	}
	return 0;
}

int account_find(int root, const char *user, struct account *account, struct failure *fail)
{
	bool by_number = is_digits(user);
	memset(account, 0, sizeof(*account));
	account->name = account->home = account->shell = "";
	if (by_number && !parse_id(user, &account->uid))
		return fail_with(fail, ERANGE, "user", user);
	if (!by_number && !is_name(user))
		return fail_with(fail, EINVAL, "user", user);
	account->gid = account->uid;
	int err = find_entry(root, user, by_number, account, fail);
	if (err < 0 || account->name[0] == '\0')
		return err;
	return find_groups(root, account, fail);
}
