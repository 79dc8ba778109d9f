// SPDX-License-Identifier: GPL-2.0
/*
 * What goes to stdout. Running out of memory ends the program, because JSON
 * that lacks a value would be a lie.
 */
#include <err.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esptrack.h"
#include "output.h"

static bool colorful(void)
{
	static int known = -1;
	const char *term = getenv("TERM");
	const char *no = getenv("NO_COLOR");

	if (known < 0)
		known = isatty(STDOUT_FILENO) && !(no && *no) && term &&
			strcmp(term, "dumb");
	return known;
}

const char *color_on(enum color color)
{
	static const char *const codes[] = {
		[COLOR_NONE] = "",
		[COLOR_BOLD] = "\033[1m",
		[COLOR_GOOD] = "\033[32m",
		[COLOR_BAD] = "\033[31m",
		[COLOR_PLACE] = "\033[36m",
	};

	return colorful() ? codes[color] : "";
}

const char *color_off(void)
{
	return colorful() ? "\033[0m" : "";
}

const char *output_switch(bool on)
{
	if (!colorful())
		return on ? "on" : "off";
	return on ? "\033[32mon\033[0m" : "off";
}

/* Returns -1, with a message, if something could not be written. */
int output_flush(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	warn("write error");
	return -1;
}

/* Takes over @value. */
void json_put(struct json_object *obj, const char *key,
	      struct json_object *value)
{
	if (!obj || !value || json_object_object_add(obj, key, value))
		errx(EXIT_REFUSED, "out of memory");
}

/* Takes over @value. */
void json_append(struct json_object *array, struct json_object *value)
{
	if (!array || !value || json_object_array_add(array, value))
		errx(EXIT_REFUSED, "out of memory");
}

/* A number that people know in hexadecimal, written as the text does. */
struct json_object *json_hex(unsigned int value)
{
	char text[sizeof("0xffffffff")];

	snprintf(text, sizeof(text), "0x%x", value);
	return json_object_new_string(text);
}

/* Prints and frees @obj; the caller ends the line. */
void json_print(struct json_object *obj, bool pretty)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text;

	if (pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	text = json_object_to_json_string_ext(obj, flags);
	if (!text)
		errx(EXIT_REFUSED, "out of memory");
	fputs(text, stdout);
	json_object_put(obj);
}
