// SPDX-License-Identifier: GPL-2.0
/* All that is known of one SA, with what came of its last packets. */
#include <inttypes.h>
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <stdio.h>
#include <time.h>

#include "detail.h"
#include "event.h"
#include "nl.h"
#include "output.h"
#include "sa.h"

struct entry {
	uint32_t kind;
	uint32_t reason;		/* 0: no rule was broken */
	struct endpoint source;
	uint64_t time;
	uint64_t esp_seq;
	uint32_t count;
};

/* Is @attr, of an SA, something that came of packets from elsewhere? */
static bool entry_get(struct entry *entry, const struct nlattr *attr)
{
	static const uint16_t len[ESPTRACK_A_HISTORY_MAX + 1] = {
		[ESPTRACK_A_HISTORY_KIND] = 4,
		[ESPTRACK_A_HISTORY_REASON] = 4,
		[ESPTRACK_A_HISTORY_TIME] = 8,
		[ESPTRACK_A_HISTORY_ESP_SEQ] = 8,
		[ESPTRACK_A_HISTORY_COUNT] = 4,
	};
	const struct nlattr *tb[ESPTRACK_A_HISTORY_MAX + 1];

	if (mnl_attr_get_type(attr) != ESPTRACK_A_SA_HISTORY ||
	    nl_parse_nest(attr, len, tb, ESPTRACK_A_HISTORY_MAX) < 0 ||
	    endpoint_get(&entry->source, tb[ESPTRACK_A_HISTORY_SOURCE]) < 0)
		return false;
	entry->kind = nl_get_u32(tb[ESPTRACK_A_HISTORY_KIND]);
	entry->reason = nl_get_u32(tb[ESPTRACK_A_HISTORY_REASON]);
	entry->time = nl_get_u64(tb[ESPTRACK_A_HISTORY_TIME]);
	entry->esp_seq = nl_get_u64(tb[ESPTRACK_A_HISTORY_ESP_SEQ]);
	entry->count = nl_get_u32(tb[ESPTRACK_A_HISTORY_COUNT]);
	return true;
}

bool detail_has_history(const struct sa *sa)
{
	const struct nlattr *attr;
	struct entry entry;

	mnl_attr_for_each_payload(sa->attrs, sa->attrs_size)
		if (entry_get(&entry, attr))
			return true;
	return false;
}

/* How long ago, for people. */
static void print_ago(uint64_t then)
{
	struct timespec now;
	uint64_t nsec;

	clock_gettime(CLOCK_BOOTTIME, &now);
	nsec = now.tv_sec * 1000000000ULL + now.tv_nsec;
	nsec = nsec > then ? nsec - then : 0;
	if (nsec < 100 * 1000000000ULL)
		printf("%.1f s ago", nsec / 1e9);
	else
		printf("%" PRIu64 " s ago", nsec / 1000000000);
}

static void print_entry(const struct entry *entry, const char *end)
{
	enum color color = entry->kind == ESPTRACK_KIND_REFUSED ? COLOR_BAD :
								  COLOR_GOOD;

	printf("    ");
	print_ago(entry->time);
	printf(": %s%s%s %s%s%s%s", color_on(color),
	       kind_name(entry->kind).text, color_off(),
	       entry->kind == ESPTRACK_KIND_MOVED ? "to " : "at ",
	       color_on(COLOR_PLACE), endpoint_text(&entry->source).text,
	       color_off());
	if (entry->reason)
		printf(", reason %s", reason_name(entry->reason).text);
	printf(", esp-seq %" PRIu64, entry->esp_seq);
	if (entry->count > 1)
		printf(", the last of %" PRIu32, entry->count);
	fputs(end, stdout);
}

/* @end ends each line of it. */
void detail_print(const struct sa *sa, const char *end)
{
	const struct nlattr *attr;
	struct entry entry;
	bool any = false;

	printf("%s", color_on(COLOR_BOLD));
	sa_print_id(sa);
	printf("%s%s    mode %s%s", color_off(), end, sa_mode(sa).text, end);
	printf("    endpoint %s%s%s local port %u%s", color_on(COLOR_PLACE),
	       endpoint_text(&sa->endpoint).text, color_off(), sa->port, end);
	printf("    static_nat %s port_only %s%s",
	       output_switch(sa->static_nat), output_switch(sa->port_only),
	       end);
	printf("    moves %" PRIu64 " refused %" PRIu64 "%s    outbound ",
	       sa->moves, sa->refused, end);
	sa_print_outbound(sa);
	fputs(end, stdout);

	mnl_attr_for_each_payload(sa->attrs, sa->attrs_size) {
		if (!entry_get(&entry, attr))
			continue;
		if (!any)
			printf("  packets from elsewhere lately:%s", end);
		any = true;
		print_entry(&entry, end);
	}
}

static struct json_object *entry_json(const struct entry *entry)
{
	struct json_object *obj = json_object_new_object();

	json_put(obj, "kind",
		 json_object_new_string(kind_name(entry->kind).text));
	if (entry->reason)
		json_put(obj, "reason",
			 json_object_new_string(reason_name(entry->reason).text));
	json_put(obj, "source", endpoint_json(&entry->source));
	json_put(obj, "time", json_object_new_uint64(entry->time));
	json_put(obj, "esp-seq", json_object_new_uint64(entry->esp_seq));
	json_put(obj, "count", json_object_new_int64(entry->count));
	return obj;
}

struct json_object *detail_json(const struct sa *sa)
{
	struct json_object *array = NULL;
	struct json_object *obj = sa_json(sa);
	const struct nlattr *attr;
	struct entry entry;

	mnl_attr_for_each_payload(sa->attrs, sa->attrs_size) {
		if (!entry_get(&entry, attr))
			continue;
		if (!array) {
			array = json_object_new_array();
			json_put(obj, "history", array);
		}
		json_append(array, entry_json(&entry));
	}
	return obj;
}
