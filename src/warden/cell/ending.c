/* Gives back what the cell held, by descriptor: see ending.h. */
#include "ending.h"

#include <stdlib.h>

#include "lib/kernel.h"
#include "pressure.h"

static int compare(const void *left, const void *right)
{
	return *(const int *)left - *(const int *)right;
}

void ending_release(int connection)
{
	int kept[PRESSURE_TRIGGERS_MAX + 1];
	size_t count = pressure_triggers(kept);
	unsigned int from = 0;
	if (connection >= 0)
		kept[count++] = connection;
	qsort(kept, count, sizeof(kept[0]), compare);
	for (size_t index = 0; index < count; index++) {
		unsigned int fd = (unsigned int)kept[index];
		if (fd > from)
			kernel_close_range(from, fd - 1, 0);
		from = fd + 1;
	}
	kernel_close_range(from, ~0U, 0);
}
