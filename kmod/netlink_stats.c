// SPDX-License-Identifier: GPL-2.0
/*
 * Counters over netlink.
 */
#include "netlink.h"

#include "net.h"
#include "stats.h"

/* Order does not matter in a message. */
static const struct {
	int attr;
	enum esptrack_stat stat;
} counters[] = {
	{ ESPTRACK_A_STATS_ELSEWHERE, ESPTRACK_STAT_ELSEWHERE },
	{ ESPTRACK_A_STATS_MALFORMED, ESPTRACK_STAT_MALFORMED },
	{ ESPTRACK_A_STATS_MOVED, ESPTRACK_STAT_MOVED },
	{ ESPTRACK_A_STATS_SEEN, ESPTRACK_STAT_SEEN },
	{ ESPTRACK_A_STATS_UNREPORTED, ESPTRACK_STAT_UNREPORTED },
	{ ESPTRACK_A_STATS_EVENTS_LOST, ESPTRACK_STAT_EVENTS_LOST },
};

static int put_refused(struct sk_buff *skb, u32 reason, u64 packets)
{
	struct nlattr *nest = nla_nest_start(skb, ESPTRACK_A_STATS_REFUSED);

	if (!nest || nla_put_u32(skb, ESPTRACK_A_REFUSED_REASON, reason) ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_REFUSED_PACKETS, packets,
			      ESPTRACK_A_REFUSED_PAD))
		return -EMSGSIZE;

	nla_nest_end(skb, nest);
	return 0;
}

static int put_stats(struct sk_buff *skb,
		     const struct esptrack_stats_info *stats)
{
	const u64 *refused = &stats->counters[ESPTRACK_STAT_REFUSED];
	unsigned int i;

	if (nla_put_u64_64bit(skb, ESPTRACK_A_STATS_PACKETS, stats->packets,
			      ESPTRACK_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_STATS_FORGED, stats->forged,
			      ESPTRACK_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_STATS_EVENTS, stats->events,
			      ESPTRACK_A_STATS_PAD) ||
	    nla_put_u32(skb, ESPTRACK_A_STATS_SAS, stats->sas) ||
	    nla_put_u32(skb, ESPTRACK_A_STATS_FOLLOWING, stats->following))
		return -EMSGSIZE;

	for (i = 0; i < ARRAY_SIZE(counters); i++)
		if (nla_put_u64_64bit(skb, counters[i].attr,
				      stats->counters[counters[i].stat],
				      ESPTRACK_A_STATS_PAD))
			return -EMSGSIZE;

	for (i = 1; i <= ESPTRACK_REASON_MAX; i++)
		if (refused[i] && put_refused(skb, i, refused[i]))
			return -EMSGSIZE;
	return 0;
}

int esptrack_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptrack_stats_info stats;
	struct sk_buff *reply;
	void *hdr;

	esptrack_stats_inform(esptrack_net(genl_info_net(info)), &stats);

	hdr = esptrack_netlink_reply(&reply, info);
	if (!hdr)
		return -ENOMEM;
	return esptrack_netlink_send(reply, hdr, info,
				     put_stats(reply, &stats));
}
