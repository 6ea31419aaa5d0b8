/* The environment of what is run: see environment.h. Env files hold secrets: a failure names a
 * line, never a value. */
#include "environment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cell/cell.h"
#include "lib/arena.h"
#include "lib/format.h"

#define ENV_FILE_MAX (256 * 1024)

static bool same_name(const char *text, const char *other)
{
	size_t length = strcspn(text, "=");
	return strncmp(text, other, length) == 0 && (other[length] == '=' || other[length] == '\0');
}

/* text: NAME=VALUE; replaces an earlier one. */
static int set(struct environment *environment, char *text, struct failure *fail)
{
	if (text == NULL)
		return fail_with(fail, ENOMEM, "environment", NULL);
	for (size_t index = 0; index < environment->count; index++) {
		if (same_name(text, environment->texts[index])) {
			environment->texts[index] = text;
			return 0;
		}
	}
	if (environment->count == ENVIRONMENT_MAX)
		return fail_with(fail, E2BIG, "environment", NULL);
	environment->texts[environment->count++] = text;
	return 0;
}

static int set_pair(struct environment *environment, const char *name, const char *value,
		    struct failure *fail)
{
	return set(environment, arena_join(name, value), fail);
}

const char *environment_get(const struct environment *environment, const char *name)
{
	for (size_t index = 0; index < environment->count; index++) {
		const char *text = environment->texts[index];
		if (same_name(text, name) && name[strcspn(text, "=")] == '\0')
			return text + strlen(name) + 1;
	}
	return NULL;
}

static int set_default(struct environment *environment, const char *name, const char *value,
		       struct failure *fail)
{
	if (environment_get(environment, name) != NULL)
		return 0;
	return set_pair(environment, name, value, fail);
}

static bool is_name_byte(char byte, bool first)
{
	bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
	return letter || (!first && byte >= '0' && byte <= '9');
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t\r");
}

/* A double-quoted escape: \n, \t, and the byte itself for the rest. */
static char unescape(char byte)
{
	return byte == 'n' ? '\n' : byte == 't' ? '\t' : byte;
}

/* Copies the quoted value that *at opens, of several lines too, to *to; false when the quote is not
 * closed. */
static bool take_quoted(const char **at, char **to)
{
	char quote = *(*at)++;
	for (; **at != '\0' && **at != quote; (*at)++) {
		if (**at == '\r' && (*at)[1] == '\n')
			continue;
		if (quote == '"' && **at == '\\' && (*at)[1] != '\0') {
			(*at)++;
			*(*to)++ = unescape(**at);
		} else {
			*(*to)++ = **at;
		}
	}
	return *(*at)++ == quote;
}

/* Up to the end of the line, or to a comment after a blank. */
static void take_plain(const char **at, char **to)
{
	char *start = *to;
	while (**at != '\0' && **at != '\n') {
		bool blank_before = *to == start || (*to)[-1] == ' ' || (*to)[-1] == '\t';
		if (**at == '#' && blank_before)
			break;
		*(*to)++ = *(*at)++;
	}
	while (*to > start && strchr(" \t\r", (*to)[-1]) != NULL)
		(*to)--;
}

static bool ends_here(const char *at)
{
	at = skip_blanks(at);
	return *at == '\0' || *at == '\n' || *at == '#';
}

/* One line, or the lines of a quoted value: NAME=VALUE, `export` before it, quotes around the
 * value, comments. Writes it to *to with its NUL, and moves both on; nothing for a line that sets
 * nothing. Returns false when malformed. */
static bool parse_entry(const char **at, char **to)
{
	const char *line = skip_blanks(*at);
	if (!ends_here(line)) {
		if (strncmp(line, "export", 6) == 0 && (line[6] == ' ' || line[6] == '\t'))
			line = skip_blanks(line + 6);
		if (!is_name_byte(*line, true))
			return false;
		while (is_name_byte(*line, false))
			*(*to)++ = *line++;
		line = skip_blanks(line);
		if (*line++ != '=')
			return false;
		*(*to)++ = '=';
		line = skip_blanks(line);
		if (*line != '\'' && *line != '"')
			take_plain(&line, to);
		else if (!take_quoted(&line, to) || !ends_here(line))
			return false;
		*(*to)++ = '\0';
	}
	*at = line + strcspn(line, "\n");
	return true;
}

static unsigned int count_lines(const char *from, const char *end)
{
	unsigned int lines = 1;
	for (; from < end; from++)
		lines += *from == '\n';
	return lines;
}

static int read_env_file(struct environment *environment, const char *path, struct failure *fail)
{
	char *text;
	long length = arena_read(AT_FDCWD, path, ENV_FILE_MAX, &text);
	if (length < 0)
		return fail_with(fail, (int)length, "env-file", path);
	if (strlen(text) != (size_t)length)
		return fail_with(fail, EINVAL, "env-file", path);
	/* What is set takes no more room than what says so, but for the NUL of the last line. */
	char *to = arena_take((size_t)length + 1);
	if (to == NULL)
		return fail_with(fail, ENOMEM, "env-file", path);
	/* A byte order mark, as editors of Windows write it. */
	const char *at = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
	for (;;) {
		char *pair = to;
		if (!parse_entry(&at, &to)) {
			char place[sizeof(fail->path)];
			format_text(place, sizeof(place), "%s:%u", path, count_lines(text, at));
			return fail_with(fail, EINVAL, "env-file", place);
		}
		int err = pair == to ? 0 : set(environment, pair, fail);
		if (err < 0 || *at == '\0')
			return err;
		at++;
	}
}

/* sd_listen_fds(3): the pid as the process itself sees it, names in the order of the descriptors.
 */
static int add_listens(const struct launch *launch, struct environment *environment,
		       struct failure *fail)
{
	char number[16], names[LISTEN_MAX * 64];
	size_t used = 0;
	if (launch->listen_count == 0)
		return 0;
	for (size_t index = 0; index < launch->listen_count; index++) {
		const char *name = strrchr(launch->listens[index], ' ') + 1;
		used += (size_t)format_text(names + used, sizeof(names) - used, "%s%s",
					    index == 0 ? "" : ":", name);
		if (used >= sizeof(names))
			return fail_with(fail, E2BIG, "environment", "LISTEN_FDNAMES");
	}
	format_text(number, sizeof(number), "%zu", launch->listen_count);
	int err = set_pair(environment, "LISTEN_FDS", number, fail);
	if (err < 0)
		return err;
	format_text(number, sizeof(number), "%d", (int)getpid());
	err = set_pair(environment, "LISTEN_PID", number, fail);
	return err < 0 ? err : set_pair(environment, "LISTEN_FDNAMES", names, fail);
}

static int add_defaults(const struct launch *launch, const struct account *account,
			struct environment *environment, struct failure *fail)
{
	const char *pairs[][2] = {
		{ "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
		{ "HOME", account->home[0] == '\0' ? "/" : account->home },
		{ "USER", account->name },
		{ "LOGNAME", account->name },
		{ "SHELL", account->shell },
	};
	for (size_t index = 0; index < sizeof(pairs) / sizeof(pairs[0]); index++) {
		if (pairs[index][1][0] == '\0')
			continue;
		int err = set_default(environment, pairs[index][0], pairs[index][1], fail);
		if (err < 0)
			return err;
	}
	return set_pair(environment, "PWD", launch->cwd, fail);
}

static int add_notify(const struct launch *launch, struct environment *environment,
		      struct failure *fail)
{
	char socket[64];
	if (!launch->notify)
		return 0;
	format_text(socket, sizeof(socket), NOTIFY_DIRECTORY "/%s.notify", launch->run);
	return set_pair(environment, "NOTIFY_SOCKET", socket, fail);
}

int environment_build(const struct launch *launch, const struct account *account,
		      struct environment *environment, struct failure *fail)
{
	int err = 0;
	environment->count = 0;
	for (size_t index = 0; err == 0 && index < launch->env_file_count; index++)
		err = read_env_file(environment, launch->env_files[index], fail);
	for (size_t index = 0; err == 0 && index < launch->env_count; index++)
		err = set(environment, launch->env[index], fail);
	if (err < 0 || (err = add_defaults(launch, account, environment, fail)) < 0 ||
	    (err = add_listens(launch, environment, fail)) < 0 ||
	    (err = add_notify(launch, environment, fail)) < 0)
		return err;
	environment->texts[environment->count] = NULL;
	return 0;
}
