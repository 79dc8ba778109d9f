// SPDX-License-Identifier: GPL-2.0
/* What the monitor prints: a line, or an object, for each thing that it tells. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "esptrack.h"
#include "event.h"
#include "line.h"
#include "output.h"
#include "sa.h"
#include "source.h"
#include "stamp.h"

/* What stands before a line. */
static void print_head(const struct line_style *style,
		       const struct source *source)
{
	if (style->opt->timestamp == TIMESTAMP_SHORT)
		printf("[%s] ", stamp_now(TIMESTAMP_SHORT).text);
	else if (style->opt->timestamp == TIMESTAMP_LONG)
		printf("Timestamp: %s ", stamp_now(TIMESTAMP_LONG).text);
	if (source->nsid != NSID_OWN)
		printf("[nsid %d] ", source->nsid);
	else if (style->all_nsid)
		printf("[nsid current] ");
}

/* Takes over @msg. */
static void print_json(const struct line_style *style,
		       const struct source *source, const char *name,
		       struct json_object *msg)
{
	struct json_object *obj = json_object_new_object();
	enum timestamp form = style->opt->timestamp;

	json_put(obj, "name", json_object_new_string(name));
	if (form != TIMESTAMP_NONE)
		json_put(obj, "timestamp",
			 json_object_new_string(stamp_now(form).text));
	if (source->nsid != NSID_OWN)
		json_put(obj, "nsid", json_object_new_int(source->nsid));
	json_put(obj, "msg", msg);
	json_print(obj, style->opt->pretty);
	putchar('\n');
}

void line_event(const struct line_style *style, const struct source *source,
		const struct event *event)
{
	if (style->opt->json) {
		print_json(style, source, event_json_name(event).text,
			   event_json(event));
		return;
	}
	print_head(style, source);
	event_print(event);
	putchar('\n');
}

/* @lost: 0 if nobody can tell how many. */
void line_overrun(const struct line_style *style, const struct source *source,
		  uint64_t lost)
{
	struct json_object *msg;

	if (style->opt->json) {
		msg = json_object_new_object();
		if (lost)
			json_put(msg, "lost", json_object_new_uint64(lost));
		json_put(msg, "last", json_object_new_uint64(source->last));
		print_json(style, source, "overrun", msg);
		return;
	}
	print_head(style, source);
	printf("%soverrun%s ", color_on(COLOR_BAD), color_off());
	if (lost)
		printf("lost %" PRIu64 "\n", lost);
	else
		puts("lost unknown");
}

/* At the beginning, or after a loss: an SA as it is */
void line_sa(const struct line_style *style, const struct source *source,
	     const struct sa *sa)
{
	struct json_object *msg;

	if (style->opt->json) {
		msg = json_object_new_object();
		json_put(msg, "sa", sa_json(sa));
		print_json(style, source, "sync-sa", msg);
		return;
	}
	print_head(style, source);
	printf("sync ");
	sa_print(sa);
	putchar('\n');
}

/* These were all; @seq: what events tell up to this one is in it. */
void line_synced(const struct line_style *style, const struct source *source,
		 uint64_t sas, uint64_t seq)
{
	struct json_object *msg;

	if (style->opt->json) {
		msg = json_object_new_object();
		json_put(msg, "sas", json_object_new_uint64(sas));
		json_put(msg, "seq", json_object_new_uint64(seq));
		print_json(style, source, "sync-done", msg);
		return;
	}
	print_head(style, source);
	printf("synced sas %" PRIu64 " event %" PRIu64 "\n", sas, seq);
}
