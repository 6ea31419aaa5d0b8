/* The process of an exec and the handler's ends of its input and output: started here, served by exec.c. */
#ifndef HENGE_SESSION_H
#define HENGE_SESSION_H

#include <sys/types.h>

#include "units/launch.h"
#include "wire/wire.h"

struct session {
	int connection, leaf;
	pid_t pid;
	int pidfd;
	/* The handler's ends; with a terminal all three are its master or -1. */
	int input, output, error;
	bool tty;
	/* The frame of the client's at hand, and how much of it the process was given. */
	struct frame_reader reader;
	size_t given;
	bool input_ended;
};

/* Starts what is asked for in the session's leaf; returns when exec has happened, or the client has gone. */
int session_start(struct launch *launch, struct session *session, struct failure *fail);

#endif
