/* The warden's one loop: descriptors that become ready, timers that come due. */
#ifndef HENGE_LOOP_H
#define HENGE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off: its versions disagree on the cast */
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
/* clang-format on */

struct watch {
	int fd;
	void (*ready)(struct watch *, uint32_t events);
};

struct timer {
	struct timer *next;
	uint64_t at_ms;
	void (*fire)(struct timer *);
};

int loop_open(void);
_Noreturn void loop_run(void);
/* The watch owns fd from here on; closed again when -errno is returned. */
int watch_add(struct watch *watch, int fd, uint32_t events);
void watch_set(struct watch *watch, uint32_t events);
/* Idempotent; leaves fd at -1. */
void watch_close(struct watch *watch);
/* Leaves the loop and hands the descriptor back. */
int watch_release(struct watch *watch);
void timer_set(struct timer *timer, uint64_t after_ms);
void timer_cancel(struct timer *timer);
uint64_t realtime_ms(void);
/* Never 0, never goes back. */
uint64_t monotonic_ms(void);

#endif
