/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdint.h>

int number_parse(uint32_t *value, const char *text);

#endif
