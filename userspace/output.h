/* SPDX-License-Identifier: GPL-2.0 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>

struct json_object;

/* Written only to a terminal. */
enum color {
	COLOR_NONE,
	COLOR_BOLD,
	COLOR_GOOD,
	COLOR_BAD,
	COLOR_PLACE,
};

const char *color_on(enum color color);
const char *color_off(void);
const char *output_switch(bool on);

int output_flush(void);

void json_put(struct json_object *obj, const char *key,
	      struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);
struct json_object *json_hex(unsigned int value);
void json_print(struct json_object *obj, bool pretty);

#endif
