// SPDX-License-Identifier: GPL-2.0
/* Numbers of the command line. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/*
 * Decimal, or hexadecimal after 0x; a leading 0 does not make it octal. What
 * strtoull() takes beyond this, a blank or a sign, is a typing error.
 */
int number_parse(uint32_t *value, const char *text)
{
	bool hex = !strncmp(text, "0x", 2) || !strncmp(text, "0X", 2);
	unsigned long long number;
	char *end;

	if (!isxdigit((unsigned char)text[hex ? 2 : 0]))
		return -1;
	errno = 0;
	number = strtoull(text, &end, hex ? 16 : 10);
	if (errno || end == text || *end || number > UINT32_MAX)
		return -1;
	*value = number;
	return 0;
}
