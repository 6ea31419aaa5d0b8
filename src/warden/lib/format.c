/* Writes text with numbers in it: see format.h. */
#include "format.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 24

struct output {
	char *to;
	size_t size, length;
};

/* What stands between the % and the letter. */
struct conversion {
	size_t width;
	int longs;
	/* SIZE_MAX without. */
	size_t precision;
};

static void put(struct output *output, const char *text, size_t length)
{
	for (size_t index = 0; index < length; index++, output->length++) {
		if (output->length + 1 < output->size)
			output->to[output->length] = text[index];
	}
}

static void put_number(struct output *output, uint64_t number, unsigned int base, size_t width)
{
	char digits[DIGITS_MAX];
	size_t at = DIGITS_MAX;
	if (width > DIGITS_MAX)
		abort();
	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number > 0 || DIGITS_MAX - at < width);
	put(output, digits + at, DIGITS_MAX - at);
}

static void put_signed(struct output *output, long long number, size_t width)
{
	if (number < 0)
		put(output, "-", 1);
	put_number(output, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 10, width);
}

static const char *read_conversion(const char *at, va_list *arguments,
				   struct conversion *conversion)
{
	*conversion = (struct conversion){ .precision = SIZE_MAX };
	if (at[0] == '0' && at[1] >= '1' && at[1] <= '9') {
		conversion->width = (size_t)(at[1] - '0');
		at += 2;
	} else if (at[0] == '.' && at[1] == '*') {
		conversion->precision = (size_t)va_arg(*arguments, int);
		at += 2;
	}
	for (; *at == 'l' || *at == 'z'; at++)
		conversion->longs++;
	return at;
}

static void convert(struct output *output, char letter, const struct conversion *conversion,
		    va_list *arguments)
{
	bool is_long =
		conversion->longs > 0; /* As long as long long, on every machine with 64 bits. */
	char character;
	const char *text;
	switch (letter) {
	case 's':
		text = va_arg(*arguments, const char *);
		put(output, text, strnlen(text, conversion->precision));
		return;
	case 'c':
		character = (char)va_arg(*arguments, int);
		put(output, &character, 1);
		return;
	case 'd':
		put_signed(output,
			   is_long ? va_arg(*arguments, long long) : va_arg(*arguments, int),
			   conversion->width);
		return;
	case 'u':
	case 'x':
		put_number(output,
			   is_long ? va_arg(*arguments, unsigned long long)
				   : va_arg(*arguments, unsigned int),
			   letter == 'x' ? 16 : 10, conversion->width);
		return;
	case '%':
		put(output, "%", 1);
		return;
	default:
		abort();
	}
}

int format_text(char *to, size_t size, const char *format, ...)
{
	struct output output = { .to = to, .size = size };
	struct conversion conversion;
	va_list arguments;
	va_start(arguments, format);
	for (const char *at = format; *at != '\0'; at++) {
		if (*at != '%') {
			put(&output, at, 1);
			continue;
		}
		at = read_conversion(at + 1, &arguments, &conversion);
		convert(&output, *at, &conversion, &arguments);
	}
	va_end(arguments);
	if (size > 0)
		to[output.length < size ? output.length : size - 1] = '\0';
	return (int)output.length;
}

_Static_assert(sizeof(long) == sizeof(long long) && sizeof(size_t) == sizeof(long long),
	       "the lengths l, ll and z are one");
