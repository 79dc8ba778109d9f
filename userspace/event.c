// SPDX-License-Identifier: GPL-2.0
/* What the module notifies of: from a message, and as text and JSON. */
#include <inttypes.h>
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

#include "event.h"
#include "names.h"
#include "nl.h"
#include "output.h"
#include "spi.h"

static const char *const commands[] = {
	[ESPTRACK_CMD_SA_MOVED_NTF] = "moved",
	[ESPTRACK_CMD_SA_SEEN_NTF] = "seen",
	[ESPTRACK_CMD_SA_REFUSED_NTF] = "refused",
};

static const char *const reasons[] = {
	[ESPTRACK_REASON_NO_INTEGRITY] = "no-integrity",
	[ESPTRACK_REASON_NO_REPLAY] = "no-replay",
	[ESPTRACK_REASON_STALE] = "stale",
	[ESPTRACK_REASON_SOURCE] = "source",
	[ESPTRACK_REASON_ADDRESS] = "address",
	[ESPTRACK_REASON_OFFLOAD] = "offload",
	[ESPTRACK_REASON_ANY_PORT] = "any-port",
	[ESPTRACK_REASON_THROTTLED] = "throttled",
	[ESPTRACK_REASON_MODE] = "mode",
	[ESPTRACK_REASON_COLLISION] = "collision",
	[ESPTRACK_REASON_SHARED_REQID] = "shared-reqid",
	[ESPTRACK_REASON_CROWDED] = "crowded",
	[ESPTRACK_REASON_NO_MEMORY] = "no-memory",
};

static const char *const kind_texts[] = {
	[ESPTRACK_KIND_MOVED] = "moved",
	[ESPTRACK_KIND_SEEN] = "seen",
	[ESPTRACK_KIND_REFUSED] = "refused",
};

static const char *const dirs[] = {
	[ESPTRACK_DIR_IN] = "in",
	[ESPTRACK_DIR_OUT] = "out",
};

static const struct names command_names = NAMES(commands);
static const struct names reason_names = NAMES(reasons);
static const struct names kind_names = NAMES(kind_texts);
static const struct names dir_names = NAMES(dirs);

struct name reason_name(uint32_t reason)
{
	return name_of(&reason_names, reason);
}

struct name kind_name(uint32_t kind)
{
	return name_of(&kind_names, kind);
}

/* Returns -1 if @nlh makes no event. */
int event_get(struct event *event, const struct nlmsghdr *nlh)
{
	static const uint16_t msg_len[ESPTRACK_A_MAX + 1];
	static const uint16_t len[ESPTRACK_A_EVENT_MAX + 1] = {
		[ESPTRACK_A_EVENT_SEQ] = 8,
		[ESPTRACK_A_EVENT_TIME] = 8,
		[ESPTRACK_A_EVENT_ESP_SEQ] = 8,
		[ESPTRACK_A_EVENT_REASON] = 4,
		[ESPTRACK_A_EVENT_MOVED_COUNT] = 4,
	};
	const struct nlattr *tb[ESPTRACK_A_EVENT_MAX + 1];
	const struct nlattr *msg[ESPTRACK_A_MAX + 1];
	const struct genlmsghdr *genl;

	if (nl_parse_msg(nlh, msg_len, msg, ESPTRACK_A_MAX) < 0 ||
	    nl_parse_nest(msg[ESPTRACK_A_EVENT], len, tb,
			  ESPTRACK_A_EVENT_MAX) < 0 ||
	    !tb[ESPTRACK_A_EVENT_SEQ] ||
	    endpoint_get(&event->old, tb[ESPTRACK_A_EVENT_OLD]) < 0 ||
	    endpoint_get(&event->new, tb[ESPTRACK_A_EVENT_NEW]) < 0 ||
	    sa_get_nest(&event->sa, msg[ESPTRACK_A_SA]) < 0)
		return -1;

	genl = mnl_nlmsg_get_payload(nlh);
	event->cmd = genl->cmd;
	event->seq = nl_get_u64(tb[ESPTRACK_A_EVENT_SEQ]);
	event->time = nl_get_u64(tb[ESPTRACK_A_EVENT_TIME]);
	event->esp_seq = nl_get_u64(tb[ESPTRACK_A_EVENT_ESP_SEQ]);
	event->reason = nl_get_u32(tb[ESPTRACK_A_EVENT_REASON]);
	event->moved_count = nl_get_u32(tb[ESPTRACK_A_EVENT_MOVED_COUNT]);
	event->nest = msg[ESPTRACK_A_EVENT];
	return 0;
}

struct member {
	uint32_t spi;
	struct name dir;
};

/* Is @attr, from the nest of an event, an SA that was moved? */
static bool member_get(struct member *member, const struct nlattr *attr)
{
	static const uint16_t len[ESPTRACK_A_MEMBER_MAX + 1] = {
		[ESPTRACK_A_MEMBER_SPI] = 4,
		[ESPTRACK_A_MEMBER_DIR] = 1,
	};
	const struct nlattr *tb[ESPTRACK_A_MEMBER_MAX + 1];

	if (mnl_attr_get_type(attr) != ESPTRACK_A_EVENT_MOVED ||
	    nl_parse_nest(attr, len, tb, ESPTRACK_A_MEMBER_MAX) < 0)
		return false;
	member->spi = nl_get_be32(tb[ESPTRACK_A_MEMBER_SPI]);
	member->dir = name_of(&dir_names, nl_get_u8(tb[ESPTRACK_A_MEMBER_DIR]));
	return true;
}

/* A message may be too small for all: "+N" stands for the rest. */
static void print_moved(const struct event *event)
{
	const struct nlattr *attr;
	const char *before = "";
	struct member member;
	uint32_t listed = 0;

	printf(" sas ");
	mnl_attr_for_each_nested(attr, event->nest) {
		if (!member_get(&member, attr))
			continue;
		printf("%s%s %s", before, member.dir.text,
		       spi_text(member.spi).text);
		before = ",";
		listed++;
	}
	if (listed < event->moved_count)
		printf("%s+%" PRIu32, before, event->moved_count - listed);
	else if (!listed)
		printf("none");
}

/* The command of a kind of events, -1 if there is none of this name. */
int event_cmd(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i] && !strcmp(text, commands[i]))
			return i;
	return -1;
}

/* As the spec calls it. */
struct name event_json_name(const struct event *event)
{
	struct name name;

	snprintf(name.text, sizeof(name.text), "sa-%.16s-ntf",
		 name_of(&command_names, event->cmd).text);
	return name;
}

/* The caller ends the line. */
void event_print(const struct event *event)
{
	bool moved = event->cmd == ESPTRACK_CMD_SA_MOVED_NTF;

	printf("%s%s%s ", color_on(moved ? COLOR_GOOD : COLOR_BAD),
	       name_of(&command_names, event->cmd).text, color_off());
	sa_print_id(&event->sa);
	printf(" endpoint %s %s %s", endpoint_text(&event->old).text,
	       moved ? "->" : "source", endpoint_text(&event->new).text);
	if (event->cmd == ESPTRACK_CMD_SA_REFUSED_NTF)
		printf(" reason %s", reason_name(event->reason).text);
	printf(" esp-seq %" PRIu64, event->esp_seq);
	if (moved)
		print_moved(event);
	printf(" event %" PRIu64, event->seq);
}

static struct json_object *moved_json(const struct event *event)
{
	struct json_object *array = json_object_new_array();
	const struct nlattr *attr;
	struct json_object *obj;
	struct member member;

	mnl_attr_for_each_nested(attr, event->nest) {
		if (!member_get(&member, attr))
			continue;
		obj = json_object_new_object();
		json_put(obj, "spi", spi_json(member.spi));
		json_put(obj, "dir", json_object_new_string(member.dir.text));
		json_append(array, obj);
	}
	return array;
}

static struct json_object *details_json(const struct event *event)
{
	struct json_object *obj = json_object_new_object();

	json_put(obj, "seq", json_object_new_uint64(event->seq));
	json_put(obj, "time", json_object_new_uint64(event->time));
	json_put(obj, "old", endpoint_json(&event->old));
	json_put(obj, "new", endpoint_json(&event->new));
	json_put(obj, "esp-seq", json_object_new_uint64(event->esp_seq));
	if (event->cmd == ESPTRACK_CMD_SA_REFUSED_NTF)
		json_put(obj, "reason",
			 json_object_new_string(reason_name(event->reason).text));
	if (event->cmd == ESPTRACK_CMD_SA_MOVED_NTF) {
		json_put(obj, "moved", moved_json(event));
		json_put(obj, "moved-count",
			 json_object_new_int64(event->moved_count));
	}
	return obj;
}

struct json_object *event_json(const struct event *event)
{
	struct json_object *obj = json_object_new_object();

	json_put(obj, "event", details_json(event));
	json_put(obj, "sa", sa_json(&event->sa));
	return obj;
}
