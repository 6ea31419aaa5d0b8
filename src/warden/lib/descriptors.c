/* Closes descriptors by what is left: see descriptors.h. */
#include "descriptors.h"

#include "kernel.h"

/* By insertion: there are a handful. */
static void sort(int *numbers, size_t count)
{
	for (size_t index = 1; index < count; index++) {
		int number = numbers[index];
		size_t at = index;
		for (; at > 0 && numbers[at - 1] > number; at--)
			numbers[at] = numbers[at - 1];
		numbers[at] = number;
	}
}

void close_all_but(int *kept, size_t count)
{
	unsigned int first = 0;
	sort(kept, count);
	for (size_t index = 0; index < count; index++) {
		unsigned int fd = (unsigned int)kept[index];
		if (kept[index] < 0)
			continue;
		if (fd > first)
			kernel_close_range(first, fd - 1, 0);
		first = fd + 1;
	}
	kernel_close_range(first, ~0U, 0);
}
