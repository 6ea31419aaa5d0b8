/* Frames of `u32 length, u8 type, u32 seq, payload`, little-endian; frames.ts is the other end. */
#ifndef HENGE_FRAME_H
#define HENGE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_type {
	FRAME_START = 1,
	FRAME_STOP,
	FRAME_STATE,
	FRAME_SUBSCRIBE,
	FRAME_FREE,
	FRAME_EXEC,
	FRAME_DIAL,
	FRAME_STDIN,
	FRAME_STDIN_END,
	FRAME_RESIZE,
	FRAME_OK = 32,
	FRAME_FAILED,
	FRAME_EVENT,
	FRAME_STDOUT,
	FRAME_STDERR,
	FRAME_EXIT,
};

#define FRAME_LENGTH_BYTES 4
#define FRAME_HEAD_BYTES 9
#define FRAME_MAX_BYTES (1024 * 1024)

/* Strings on their way out. */
struct message {
	char *data;
	size_t length, size;
	bool failed;
};

void message_add(struct message *message, const char *text);
void message_add_number(struct message *message, long long number);
void message_free(struct message *message);

void frame_head(unsigned char *head, enum frame_type type, uint32_t seq, size_t length);
/* One frame as it comes in. */
struct frame_reader {
	unsigned char head[FRAME_HEAD_BYTES];
	size_t head_length;
	/* Ends in a NUL that is not counted; NULL until the head is whole. */
	char *payload;
	size_t length, size;
};

/* Reads some of one frame and nothing of the next, for the descriptor may go elsewhere. Returns 1 when
 * it is whole, 0 when not yet, or -errno when the peer is gone or sends no frames. */
int frame_read(struct frame_reader *reader, int fd);
bool frame_is_whole(const struct frame_reader *reader);
uint8_t frame_type(const struct frame_reader *reader);
uint32_t frame_seq(const struct frame_reader *reader);
/* Frees the payload: the next frame may come. */
void frame_forget(struct frame_reader *reader);

#endif
