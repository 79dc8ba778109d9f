// SPDX-License-Identifier: GPL-2.0
/* Names of enum values. */
#include <inttypes.h>
#include <stdio.h>

#include "names.h"

/* A value that is newer than this program shows as its number. */
struct name name_of(const struct names *names, uint32_t value)
{
	struct name name;

	if (value < names->len && names->list[value])
		snprintf(name.text, sizeof(name.text), "%s",
			 names->list[value]);
	else
		snprintf(name.text, sizeof(name.text), "%" PRIu32, value);
	return name;
}
