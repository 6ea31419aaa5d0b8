/* Frames and the strings in them: see frame.h. */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/format.h"

void message_add(struct message *message, const char *text)
{
	size_t length = strlen(text) + 1;
	if (message->length + length > message->size) {
		size_t size = (message->length + length) * 2;
		char *data = realloc(message->data, size);
		if (data == NULL) {
			message->failed = true;
			return;
		}
		message->data = data;
		message->size = size;
	}
	memcpy(message->data + message->length, text, length);
	message->length += length;
}

void message_add_number(struct message *message, long long number)
{
	char text[24];
	format_text(text, sizeof(text), "%lld", number);
	message_add(message, text);
}

void message_free(struct message *message)
{
	free(message->data);
	memset(message, 0, sizeof(*message));
}

static void put_u32(unsigned char *to, uint32_t value)
{
	for (int index = 0; index < 4; index++)
		to[index] = (unsigned char)(value >> (8 * index));
}

static uint32_t get_u32(const unsigned char *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
	       (uint32_t)from[3] << 24;
}

void frame_head(unsigned char *head, enum frame_type type, uint32_t seq, size_t length)
{
	put_u32(head, (uint32_t)(length + FRAME_HEAD_BYTES - FRAME_LENGTH_BYTES));
	head[4] = (unsigned char)type;
	put_u32(head + 5, seq);
}

uint8_t frame_type(const struct frame_reader *reader)
{
	return reader->head[4];
}

uint32_t frame_seq(const struct frame_reader *reader)
{
	return get_u32(reader->head + 5);
}

/* The head is there: makes room for what it announces. */
static int open_payload(struct frame_reader *reader)
{
	uint32_t length = get_u32(reader->head);
	if (length < FRAME_HEAD_BYTES - FRAME_LENGTH_BYTES || length > FRAME_MAX_BYTES)
		return -EMSGSIZE;
	reader->size = length - (FRAME_HEAD_BYTES - FRAME_LENGTH_BYTES);
	reader->payload = malloc(reader->size + 1);
	if (reader->payload == NULL)
		return -ENOMEM;
	reader->payload[reader->size] = '\0';
	return 0;
}

int frame_read(struct frame_reader *reader, int fd)
{
	bool in_head = reader->head_length < FRAME_HEAD_BYTES;
	char *to = in_head ? (char *)reader->head + reader->head_length
			   : reader->payload + reader->length;
	size_t room =
		in_head ? FRAME_HEAD_BYTES - reader->head_length : reader->size - reader->length;
	ssize_t count = recv(fd, to, room, MSG_DONTWAIT);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (count <= 0)
		return -EPIPE;
	if (!in_head)
		reader->length += (size_t)count;
	else
		reader->head_length += (size_t)count;
	if (in_head && reader->head_length == FRAME_HEAD_BYTES) {
		int err = open_payload(reader);
		if (err < 0)
			return err;
	}
	return frame_is_whole(reader);
}

bool frame_is_whole(const struct frame_reader *reader)
{
	return reader->payload != NULL && reader->length == reader->size;
}

void frame_forget(struct frame_reader *reader)
{
	free(reader->payload);
	memset(reader, 0, sizeof(*reader));
}
