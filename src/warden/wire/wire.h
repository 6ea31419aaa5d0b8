/* The warden's socket. */
#ifndef HENGE_WIRE_H
#define HENGE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "lib/failure.h"
#include "lib/loop.h"

/* Who asked, so that the answer finds it, or finds that it is gone. */
struct asker {
	uint64_t connection;
	uint32_t seq;
};

struct frame {
	uint8_t type;
	struct asker from;
	char *payload;
	size_t length;
};

/* Listens at path, 0600; handle gets every frame and owns its payload. */
int wire_open(const char *path, void (*handle)(struct frame *), struct failure *fail);
/* Answers that cannot be sent end their connection: the client asks anew. */
void wire_answer(struct asker to, enum frame_type type, const struct message *message);
void wire_answer_failure(struct asker to, const struct failure *fail);
/* To every connection that subscribed. */
void wire_tell(const struct message *message);
void wire_subscribe(uint64_t connection);
/* Its descriptor, which stays the connection's, or -1. */
int wire_descriptor(uint64_t connection);
/* Takes a connection out of the loop: its descriptor, or -1. */
int wire_take(uint64_t connection);

#endif
