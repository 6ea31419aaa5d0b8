/* Reads what /proc says of a process: see process.h. */
#include "process.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "number.h"
#include "scoped.h"

#define START_TIME_FIELD 22

unsigned long long start_time_of(pid_t pid)
{
	char path[32], text[1024];
	format_text(path, sizeof(path), "/proc/%d/stat", (int)pid);
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	char *at = strrchr(text, ')'); /* Ends the second field, which may hold blanks. */
	for (int field = 2; at != NULL && field < START_TIME_FIELD; field++) {
		at = strchr(at, ' ');
		if (at != NULL)
			at++;
	}
	return at == NULL ? 0 : leading_number(at, 10);
}
