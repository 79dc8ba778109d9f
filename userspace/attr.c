// SPDX-License-Identifier: GPL-2.0
/* Reading attributes. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <string.h>

#include "nl.h"

/*
 * Sorts attributes into @tb, which has @max + 1 places. @len gives the payload
 * that each must have, 0 if any will do. Of an attribute that repeats @tb holds
 * the last, but all are checked. Unknown ones come from a newer kernel and are
 * skipped. Returns -1 if a length is wrong.
 */
int nl_parse(const void *attrs, size_t size, const uint16_t *len,
	     const struct nlattr **tb, uint16_t max)
{
	const struct nlattr *attr;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	mnl_attr_for_each_payload(attrs, size) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type > max)
			continue;
		if (len[type] && mnl_attr_get_payload_len(attr) != len[type])
			return -1;
		tb[type] = attr;
	}
	return 0;
}

/* Returns -1 also if there is no @nest. */
int nl_parse_nest(const struct nlattr *nest, const uint16_t *len,
		  const struct nlattr **tb, uint16_t max)
{
	if (!nest)
		return -1;
	return nl_parse(mnl_attr_get_payload(nest),
			mnl_attr_get_payload_len(nest), len, tb, max);
}

int nl_parse_msg(const struct nlmsghdr *nlh, const uint16_t *len,
		 const struct nlattr **tb, uint16_t max)
{
	if (mnl_nlmsg_get_payload_len(nlh) < GENL_HDRLEN)
		return -1;
	return nl_parse(mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN),
			mnl_nlmsg_get_payload_len(nlh) - GENL_HDRLEN,
			len, tb, max);
}

uint8_t nl_get_u8(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u8(attr) : 0;
}

uint16_t nl_get_be16(const struct nlattr *attr)
{
	return attr ? ntohs(mnl_attr_get_u16(attr)) : 0;
}

uint32_t nl_get_u32(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : 0;
}

uint32_t nl_get_be32(const struct nlattr *attr)
{
	return ntohl(nl_get_u32(attr));
}

uint64_t nl_get_u64(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u64(attr) : 0;
}
