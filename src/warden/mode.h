#ifndef HENGE_MODE_H
#define HENGE_MODE_H

/* Runs the tool that words[0] names. Returns its exit status: 64 when there is none of that name with
 * so many words. */
int mode_run(int count, char **words);

#endif
