/* Gives back what the cell held, by descriptor: see ending.h. */
#include "ending.h"

#include "lib/descriptors.h"
#include "pressure.h"

void ending_release(int connection)
{
	int kept[PRESSURE_TRIGGERS_MAX + 1];
	size_t count = pressure_triggers(kept);
	kept[count++] = connection;
	close_all_but(kept, count);
}
