/* Reads what is to be run: pairs of strings, see directives.ts. */
#include "launch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cell/cell.h"
#include "lib/number.h"

#define WAIT_MAX_MS (24UL * 3600 * 1000)
#define NOFILE_MAX (1UL << 30)

static bool take_step(struct launch *launch, const char *key, const char *value)
{
	unsigned long number;
	bool is_signal = strcmp(key, "stop-signal") == 0;
	if (launch->step_count == STEPS_MAX)
		return false;
	if (!parse_number(value, is_signal ? (unsigned long)_NSIG - 1 : WAIT_MAX_MS, &number))
		return false;
	struct step *step = &launch->steps[launch->step_count++];
	step->signal = is_signal ? (int)number : 0;
	step->wait_ms = is_signal ? 0 : number;
	return !is_signal || number != 0;
}

static bool take_number(struct launch *launch, const char *key, const char *value)
{
	unsigned long number;
	if (!parse_number(value, 1UL << 60, &number))
		return false;
	if (strcmp(key, "nofile") == 0 && number > 0 && number <= NOFILE_MAX)
		launch->nofile = number;
	else if (strcmp(key, "log-max") == 0)
		launch->log_max = number;
	else if (strcmp(key, "log-keep") == 0 && number <= 1000)
		launch->log_keep = (unsigned int)number;
	else
		return false;
	return true;
}

static bool take_size(struct launch *launch, char *value)
{
	unsigned long rows, columns;
	char *cut = strchr(value, ' ');
	if (cut == NULL)
		return false;
	*cut = '\0';
	if (!parse_number(value, 65535, &rows) || !parse_number(cut + 1, 65535, &columns))
		return false;
	launch->tty = true;
	launch->rows = (unsigned short)rows;
	launch->columns = (unsigned short)columns;
	return true;
}

static bool take_text(struct launch *launch, const char *key, char *value)
{
	if (strcmp(key, "unit") == 0)
		launch->unit = value;
	else if (strcmp(key, "spec") == 0)
		launch->spec = value;
	else if (strcmp(key, "cwd") == 0)
		launch->cwd = value;
	else if (strcmp(key, "user") == 0)
		launch->user = value;
	else if (strcmp(key, "notify") == 0)
		launch->notify = true;
	else if (strcmp(key, "beside") == 0)
		launch->beside = true;
	else
		return false;
	return true;
}

static bool take_pair(struct launch *launch, const char *key, char *value)
{
	if (strncmp(key, "stop-", 5) == 0)
		return take_step(launch, key, value);
	if (strcmp(key, "tty") == 0)
		return take_size(launch, value);
	if (strcmp(key, "listen") == 0) {
		if (launch->listen_count == LISTEN_MAX)
			return false;
		launch->listens[launch->listen_count++] = value;
		return true;
	}
	return take_text(launch, key, value) || take_number(launch, key, value);
}

/* Collects every value of one key as a list that ends in NULL. Returns where the next list may
 * begin. */
static char **collect(char *message, char *end, const char *wanted, char **list, size_t *count)
{
	char *key, *value;
	*count = 0;
	for (char *at = message; next_pair(&at, end, &key, &value);) {
		if (strcmp(key, wanted) == 0)
			list[(*count)++] = value;
	}
	list[*count] = NULL;
	return list + *count + 1;
}

static bool is_listed(const char *key)
{
	return strcmp(key, "arg") == 0 || strcmp(key, "env") == 0 || strcmp(key, "env-file") == 0 ||
	       strcmp(key, "stale-socket") == 0;
}

/* A unit's name becomes a file name and a cgroup's: labels only, as spec/names.ts has them. */
static bool is_label(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	return text[0] >= 'a' && text[0] <= 'z' && strlen(text) <= 31 &&
	       text[strspn(text, allowed)] == '\0';
}

static int check_whole(const struct launch *launch, size_t argc, struct failure *fail)
{
	if (argc == 0)
		return fail_with(fail, EINVAL, "request", "argv");
	if (launch->cwd == NULL || launch->user == NULL)
		return fail_with(fail, EINVAL, "request", launch->cwd == NULL ? "cwd" : "user");
	if (launch->unit != NULL && (!is_label(launch->unit) || launch->spec == NULL))
		return fail_with(fail, EINVAL, "request", "unit");
	return 0;
}

int launch_parse(char *message, size_t length, struct launch *launch, struct failure *fail)
{
	char *end = message + length;
	char *key, *value;
	size_t pairs = 0, argc;
	memset(launch, 0, sizeof(*launch));
	if (length == 0 || end[-1] != '\0')
		return fail_with(fail, EINVAL, "request", "the message is cut short");
	for (char *at = message; next_pair(&at, end, &key, &value);) {
		pairs++;
		if (!is_listed(key) && !take_pair(launch, key, value))
			return fail_with(fail, EINVAL, "request", key);
	}
	launch->table = calloc(pairs + 4, sizeof(char *));
	if (launch->table == NULL)
		return fail_with(fail, ENOMEM, "request", NULL);
	launch->argv = launch->table;
	launch->env = collect(message, end, "arg", launch->argv, &argc);
	launch->env_files = collect(message, end, "env", launch->env, &launch->env_count);
	launch->stale_sockets =
		collect(message, end, "env-file", launch->env_files, &launch->env_file_count);
	collect(message, end, "stale-socket", launch->stale_sockets, &launch->stale_socket_count);
	return check_whole(launch, argc, fail);
}

void launch_free(struct launch *launch)
{
	free(launch->table);
	launch->table = NULL;
}
