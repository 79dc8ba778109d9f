/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DETAIL_H
#define DETAIL_H

#include <stdbool.h>

struct json_object;
struct sa;

bool detail_has_history(const struct sa *sa);
void detail_print(const struct sa *sa, const char *end);
struct json_object *detail_json(const struct sa *sa);

#endif
