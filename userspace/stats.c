// SPDX-License-Identifier: GPL-2.0
/* esptrack stats: the counters of a network namespace. */
#include <err.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

#include "esptrack.h"
#include "event.h"
#include "nl.h"
#include "output.h"
#include "stats.h"

static void add_refused(struct stats *stats, const struct nlattr *nest)
{
	static const uint16_t len[ESPTRACK_A_REFUSED_MAX + 1] = {
		[ESPTRACK_A_REFUSED_REASON] = 4,
		[ESPTRACK_A_REFUSED_PACKETS] = 8,
	};
	const struct nlattr *tb[ESPTRACK_A_REFUSED_MAX + 1];
	uint32_t reason;

	if (nl_parse_nest(nest, len, tb, ESPTRACK_A_REFUSED_MAX) < 0)
		return;
	reason = nl_get_u32(tb[ESPTRACK_A_REFUSED_REASON]);
	if (reason >= STATS_REASONS)
		reason = 0;
	stats->refused[reason] += nl_get_u64(tb[ESPTRACK_A_REFUSED_PACKETS]);
}

static int reply(const struct nlmsghdr *nlh, void *data)
{
	static const uint16_t len[ESPTRACK_A_STATS_MAX + 1] = {
		[ESPTRACK_A_STATS_PACKETS] = 8,
		[ESPTRACK_A_STATS_ELSEWHERE] = 8,
		[ESPTRACK_A_STATS_FORGED] = 8,
		[ESPTRACK_A_STATS_MALFORMED] = 8,
		[ESPTRACK_A_STATS_MOVED] = 8,
		[ESPTRACK_A_STATS_SEEN] = 8,
		[ESPTRACK_A_STATS_UNREPORTED] = 8,
		[ESPTRACK_A_STATS_EVENTS] = 8,
		[ESPTRACK_A_STATS_EVENTS_LOST] = 8,
		[ESPTRACK_A_STATS_SAS] = 4,
		[ESPTRACK_A_STATS_FOLLOWING] = 4,
	};
	const struct nlattr *tb[ESPTRACK_A_STATS_MAX + 1];
	struct stats *stats = data;
	const struct nlattr *attr;

	if (nl_parse_msg(nlh, len, tb, ESPTRACK_A_STATS_MAX) < 0 ||
	    !tb[ESPTRACK_A_STATS_EVENTS])
		return nl_nonsense();
	stats->packets = nl_get_u64(tb[ESPTRACK_A_STATS_PACKETS]);
	stats->elsewhere = nl_get_u64(tb[ESPTRACK_A_STATS_ELSEWHERE]);
	stats->forged = nl_get_u64(tb[ESPTRACK_A_STATS_FORGED]);
	stats->malformed = nl_get_u64(tb[ESPTRACK_A_STATS_MALFORMED]);
	stats->moved = nl_get_u64(tb[ESPTRACK_A_STATS_MOVED]);
	stats->seen = nl_get_u64(tb[ESPTRACK_A_STATS_SEEN]);
	stats->unreported = nl_get_u64(tb[ESPTRACK_A_STATS_UNREPORTED]);
	stats->events = nl_get_u64(tb[ESPTRACK_A_STATS_EVENTS]);
	stats->events_lost = nl_get_u64(tb[ESPTRACK_A_STATS_EVENTS_LOST]);
	stats->sas = nl_get_u32(tb[ESPTRACK_A_STATS_SAS]);
	stats->following = nl_get_u32(tb[ESPTRACK_A_STATS_FOLLOWING]);
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN)
		if (mnl_attr_get_type(attr) == ESPTRACK_A_STATS_REFUSED)
			add_refused(stats, attr);
	return 0;
}

/* Returns -1 after a message. */
int stats_get(struct nl *nl, struct stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	return nl_talk(nl, nl_request(nl, ESPTRACK_CMD_STATS_GET, NLM_F_ACK),
		       reply, stats);
}

/*
 * Packets that came from the endpoint of their SA. Those that came from
 * elsewhere are counted as such a moment before the SA counts them.
 */
static uint64_t stats_unchanged(const struct stats *stats)
{
	return stats->packets > stats->elsewhere ?
	       stats->packets - stats->elsewhere : 0;
}

struct counter {
	const char *name;
	uint64_t value;
};

#define COUNTERS 11

static void list_counters(const struct stats *stats, struct counter *counters)
{
	const struct counter list[COUNTERS] = {
		{ "sas", stats->sas },
		{ "following", stats->following },
		{ "packets", stats->packets },
		{ "unchanged", stats_unchanged(stats) },
		{ "moved", stats->moved },
		{ "seen", stats->seen },
		{ "forged", stats->forged },
		{ "malformed", stats->malformed },
		{ "unreported", stats->unreported },
		{ "events", stats->events },
		{ "events_lost", stats->events_lost },
	};

	memcpy(counters, list, sizeof(list));
}

static void print_text(const struct stats *stats, const char *end)
{
	struct counter counters[COUNTERS];
	size_t i;

	list_counters(stats, counters);
	for (i = 0; i < COUNTERS; i++)
		printf("%s %" PRIu64 "%s", counters[i].name,
		       counters[i].value, end);
	for (i = 0; i < STATS_REASONS; i++)
		if (stats->refused[i])
			printf("refused %s %" PRIu64 "%s",
			       reason_name(i).text, stats->refused[i], end);
}

static void print_json(const struct stats *stats, bool pretty)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *refused = json_object_new_object();
	struct counter counters[COUNTERS];
	size_t i;

	list_counters(stats, counters);
	for (i = 0; i < COUNTERS; i++)
		json_put(obj, counters[i].name,
			 json_object_new_uint64(counters[i].value));
	for (i = 0; i < STATS_REASONS; i++)
		if (stats->refused[i])
			json_put(refused, reason_name(i).text,
				 json_object_new_uint64(stats->refused[i]));
	json_put(obj, "refused", refused);
	json_print(obj, pretty);
	putchar('\n');
}

int cmd_stats(const struct options *opt, char **argv)
{
	struct stats stats;
	struct nl nl;
	int ret;

	if (*argv) {
		warnx("nothing expected after stats, but \"%s\"", *argv);
		return EXIT_USAGE;
	}
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;
	ret = stats_get(&nl, &stats);
	nl_close(&nl);
	if (ret < 0)
		return EXIT_REFUSED;

	if (opt->json) {
		print_json(&stats, opt->pretty);
	} else {
		print_text(&stats, opt->oneline ? " " : "\n");
		if (opt->oneline)
			putchar('\n');
	}
	return 0;
}
