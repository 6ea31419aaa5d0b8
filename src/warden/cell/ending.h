/* What the warden gives back before it says that its cell is free. */
#ifndef HENGE_ENDING_H
#define HENGE_ENDING_H

/* Closes every descriptor but connection, on which the answer goes, and the triggers of pressure, whose closing takes tens of
 * milliseconds: the kernel does that while nobody waits. What is closed here (the cell's namespaces, sockets on the host's
 * ports, files) can be had by the next cell as soon as the answer is read. */
void ending_release(int connection);

#endif
