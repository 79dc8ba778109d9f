/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EVENT_H
#define EVENT_H

#include <stdint.h>

#include "addr.h"
#include "sa.h"

struct json_object;
struct nlattr;
struct nlmsghdr;

struct event {
	uint8_t cmd;			/* enum esptrack_cmd */
	uint64_t seq;
	uint64_t time;
	struct endpoint old;
	struct endpoint new;
	uint64_t esp_seq;
	uint32_t reason;
	uint32_t moved_count;
	struct sa sa;
	const struct nlattr *nest;	/* the moved SAs are read from here */
};

struct name reason_name(uint32_t reason);
struct name kind_name(uint32_t kind);
int event_get(struct event *event, const struct nlmsghdr *nlh);
int event_cmd(const char *text);
struct name event_json_name(const struct event *event);
void event_print(const struct event *event);
struct json_object *event_json(const struct event *event);

#endif
