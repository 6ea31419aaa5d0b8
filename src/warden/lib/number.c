/* Reads a number as strictly as it must be: see number.h. */
#include "number.h"

bool parse_number(const char *text, unsigned long max, unsigned long *value)
{
	unsigned long number = 0;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		unsigned long digit = (unsigned long)(*text - '0');
		if (number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*value = number;
	return true;
}

unsigned long long leading_number(const char *text, unsigned int base)
{
	unsigned long long number = 0;
	for (; *text >= '0' && (unsigned int)(*text - '0') < base; text++)
		number = number * base + (unsigned int)(*text - '0');
	return number;
}
