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

/* Copies the quoted value that *at opens; false when the quote is not closed. */
static bool take_quoted(const char **at, char *to)
{
	char quote = *(*at)++;
	for (; **at != '\0' && **at != quote; (*at)++) {
		if (quote == '"' && **at == '\\' && (*at)[1] != '\0') {
			(*at)++;
			*to++ = unescape(**at);
		} else {
			*to++ = **at;
		}
	}
	*to = '\0';
	return *(*at)++ == quote;
}

/* Up to the end of the line, or to a comment after a blank. */
static void take_plain(const char **at, char *to)
{
	char *start = to;
	while (**at != '\0') {
		bool blank_before = to == start || to[-1] == ' ' || to[-1] == '\t';
		if (**at == '#' && blank_before)
			break;
		*to++ = *(*at)++;
	}
	while (to > start && strchr(" \t\r", to[-1]) != NULL)
		to--;
	*to = '\0';
}

/* One line: KEY=VALUE, `export ` before it, quotes around the value, comments. Returns false when
 * malformed; *text is NULL for a line that sets nothing. */
static bool parse_line(const char *line, char **text)
{
	char *to = arena_take(strlen(line) + 1);
	*text = NULL;
	line = skip_blanks(line);
	if (*line == '\0' || *line == '#')
		return true;
	if (strncmp(line, "export ", 7) == 0)
		line = skip_blanks(line + 7);
	if (to == NULL || !is_name_byte(*line, true))
		return false;
	*text = to;
	while (is_name_byte(*line, false))
		*to++ = *line++;
	line = skip_blanks(line);
	if (*line++ != '=')
		return false;
	*to++ = '=';
	line = skip_blanks(line);
	if (*line != '\'' && *line != '"') {
		take_plain(&line, to);
		return true;
	}
	if (!take_quoted(&line, to))
		return false;
	line = skip_blanks(line);
	return *line == '\0' || *line == '#';
}

static int read_env_file(struct environment *environment, const char *path, struct failure *fail)
{
	char *text;
	long length = arena_read(AT_FDCWD, path, ENV_FILE_MAX, &text);
	if (length < 0)
		return fail_with(fail, (int)length, "env-file", path);
	if (strlen(text) != (size_t)length)
		return fail_with(fail, EINVAL, "env-file", path);
	unsigned int number = 0;
	for (char *line = text, *next; line != NULL; line = next) {
		char *pair, place[sizeof(fail->path)];
		number++;
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (!parse_line(line, &pair)) {
			format_text(place, sizeof(place), "%s:%u", path, number);
			return fail_with(fail, EINVAL, "env-file", place);
		}
		int err = pair == NULL ? 0 : set(environment, pair, fail);
		if (err < 0)
			return err;
	}
	return 0;
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
