/* The warden's one loop: see loop.h. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int epoll_fd = -1;
static struct timer *timers;

uint64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t realtime_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int loop_open(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_fd < 0 ? -errno : 0;
}

/* Milliseconds until the next timer, -1 for none. */
static int next_timeout(void)
{
	uint64_t now = monotonic_ms();
	uint64_t least = UINT64_MAX;
	for (struct timer *timer = timers; timer != NULL; timer = timer->next) {
		if (timer->at_ms < least)
			least = timer->at_ms;
	}
	if (least == UINT64_MAX)
		return -1;
	if (least <= now)
		return 0;
	return least - now > 60000 ? 60000 : (int)(least - now);
}

static void fire_due(void)
{
	uint64_t now = monotonic_ms();
	for (struct timer *timer = timers; timer != NULL;) {
		if (timer->at_ms > now) {
			timer = timer->next;
			continue;
		}
		timer_cancel(timer);
		timer->fire(timer);
		timer = timers; /* The list may have changed. */
	}
}

_Noreturn void loop_run(void)
{
	for (;;) {
		/* One event at a time: handling it may close the next one's descriptor. */
		struct epoll_event event;
		int count = epoll_wait(epoll_fd, &event, 1, next_timeout());
		if (count < 0 && errno != EINTR)
			_exit(1);
		if (count == 1) {
			struct watch *watch = event.data.ptr;
			watch->ready(watch, event.events);
		}
		if (timers != NULL)
			fire_due();
	}
}

int watch_add(struct watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	watch->fd = fd;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	int err = -errno;
	close(fd);
	watch->fd = -1;
	return err;
}

void watch_set(struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

int watch_release(struct watch *watch)
{
	int fd = watch->fd;
	watch->fd = -1;
	/* Closing alone would not do: a forked child may still hold the same open file. */
	if (fd >= 0)
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	return fd;
}

void watch_close(struct watch *watch)
{
	int fd = watch_release(watch);
	if (fd >= 0)
		close(fd);
}

void timer_set(struct timer *timer, uint64_t after_ms)
{
	timer_cancel(timer);
	timer->at_ms = monotonic_ms() + after_ms;
	timer->next = timers;
	timers = timer;
}

void timer_cancel(struct timer *timer)
{
	for (struct timer **at = &timers; *at != NULL; at = &(*at)->next) {
		if (*at == timer) {
			*at = timer->next;
			return;
		}
	}
}
