/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "esptrack.h"

struct names {
	const char *const *list;	/* by value, NULL where there is none */
	size_t len;
};

#define NAMES(array) { (array), ARRAY_SIZE(array) }

struct name {
	char text[32];
};

struct name name_of(const struct names *names, uint32_t value);

#endif
