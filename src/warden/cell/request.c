/* Reads what the daemon asks for: pairs of strings, every one ended by NUL. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "lib/number.h"

bool next_pair(char **at, char *end, char **key, char **value)
{
	if (*at >= end)
		return false;
	*key = *at;
	*at += strlen(*at) + 1;
	if (*at >= end)
		return false;
	*value = *at;
	*at += strlen(*at) + 1;
	return true;
}

struct text_field {
	const char *key;
	size_t offset;
};

/* clang-format off: its versions disagree on the braces */
#define TEXT(key, member)                                                                          \
	{                                                                                          \
		key, offsetof(struct request, member)                                              \
	}
/* clang-format on */
static const struct text_field texts[] = {
	TEXT("cell", cell),
	TEXT("boot", boot),
	TEXT("boundary", boundary),
	TEXT("run", run),
	TEXT("state", state),
	TEXT("logs", logs),
	TEXT("cgroup", cgroup),
	TEXT("warden-cgroup", warden_cgroup),
	TEXT("controllers", controllers),
	TEXT("hostname", hostname),
	TEXT("network", network),
};
#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static const char **text_at(struct request *request, size_t index)
{
	return (const char **)((char *)request + texts[index].offset);
}

static bool take_text(struct request *request, const char *key, const char *value)
{
	for (size_t index = 0; index < TEXT_COUNT; index++) {
		if (strcmp(key, texts[index].key) == 0) {
			*text_at(request, index) = value;
			return true;
		}
	}
	return false;
}

static bool open_entry(struct request *request, const char *key, const char *value)
{
	static const struct {
		const char *key;
		enum entry_kind kind;
	} kinds[] = {
		{ "volume", ENTRY_VOLUME },
		{ "tmpfs", ENTRY_TMPFS },
		{ "file", ENTRY_FILE },
		{ "hidden", ENTRY_HIDDEN },
	};
	for (size_t index = 0; index < sizeof(kinds) / sizeof(kinds[0]); index++) {
		if (strcmp(key, kinds[index].key) != 0)
			continue;
		struct entry *entry = &request->entries[request->entry_count++];
		entry->kind = kinds[index].kind;
		if (entry->kind == ENTRY_VOLUME || entry->kind == ENTRY_FILE)
			entry->source.path = value;
		else
			entry->path = value;
		return true;
	}
	return false;
}

/* Keys that describe the entry before them, or the root. */
static bool describe_entry(struct request *request, const char *key, const char *value)
{
	struct entry *entry =
		request->entry_count == 0 ? NULL : &request->entries[request->entry_count - 1];
	struct source *source = entry == NULL ? &request->root : &entry->source;
	if (strcmp(key, "type") == 0)
		return parse_number(value, ~0UL, &source->type);
	if (strcmp(key, "identity") == 0)
		source->identity = value;
	else if (entry == NULL)
		return false;
	else if (strcmp(key, "path") == 0)
		entry->path = value;
	else if (strcmp(key, "read-only") == 0)
		entry->read_only = true;
	else if (strcmp(key, "owner") == 0)
		entry->owner = value;
	else if (strcmp(key, "mode") == 0)
		entry->mode = value;
	else if (strcmp(key, "size") == 0)
		entry->size = value;
	else
		return false;
	return true;
}

static bool take_pair(struct request *request, const char *key, const char *value)
{
	unsigned long number;
	if (take_text(request, key, value) || open_entry(request, key, value))
		return true;
	if (strcmp(key, "uid-base") == 0) {
		/* Below 65,536 the cell's root would be one of the host's own users. */
		if (!parse_number(value, 0xfffeffffUL, &number) || number < 65536)
			return false;
		request->uid_base = (unsigned int)number;
	} else if (strcmp(key, "root") == 0) {
		request->root.path = value;
		request->root.sealed = true;
	} else if (strcmp(key, "root-host") == 0)
		request->host_root = true;
	else
		return describe_entry(request, key, value);
	return true;
}

static int check_whole(struct request *request, struct failure *fail)
{
	for (size_t index = 0; index < TEXT_COUNT; index++) {
		if (*text_at(request, index) == NULL)
			return fail_with(fail, EINVAL, "request", texts[index].key);
	}
	if (request->uid_base == 0)
		return fail_with(fail, EINVAL, "request", "uid-base");
	if (!request->host_root && (request->root.path == NULL || request->root.identity == NULL))
		return fail_with(fail, EINVAL, "request", "root");
	for (size_t index = 0; index < request->entry_count; index++) {
		struct entry *entry = &request->entries[index];
		if (entry->path == NULL || entry->path[0] != '/')
			return fail_with(fail, EINVAL, "request", "path");
		if (entry->kind == ENTRY_VOLUME && entry->source.identity == NULL)
			return fail_with(fail, EINVAL, "request", "identity");
		if (entry->kind == ENTRY_TMPFS && entry->size == NULL)
			return fail_with(fail, EINVAL, "request", "size");
	}
	return 0;
}

int request_parse(char *message, size_t length, struct request *request, struct failure *fail)
{
	char *end = message + length;
	char *key, *value;
	if (length == 0 || end[-1] != '\0')
		return fail_with(fail, EINVAL, "request", "the message is cut short");
	size_t pairs = 0;
	for (char *at = message; next_pair(&at, end, &key, &value);)
		pairs++;
	request->entries = calloc(pairs, sizeof(struct entry));
	if (request->entries == NULL)
		return fail_with(fail, ENOMEM, "request", NULL);
	for (char *at = message; next_pair(&at, end, &key, &value);) {
		if (!take_pair(request, key, value))
			return fail_with(fail, EINVAL, "request", key);
	}
	return check_whole(request, fail);
}
