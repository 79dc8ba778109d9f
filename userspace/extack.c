// SPDX-License-Identifier: GPL-2.0
/* Why the kernel refused a request, in words. */
#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

#include "extack.h"
#include "names.h"
#include "nl.h"

static const char *const msg_attrs[] = {
	[ESPTRACK_A_SA] = "sa",
	[ESPTRACK_A_EVENT] = "event",
};

static const char *const sa_attrs[] = {
	[ESPTRACK_A_SA_SPI] = "spi",
	[ESPTRACK_A_SA_LOCAL_IPV4] = "local-ipv4",
	[ESPTRACK_A_SA_LOCAL_IPV6] = "local-ipv6",
	[ESPTRACK_A_SA_LOCAL_PORT] = "local-port",
	[ESPTRACK_A_SA_REMOTE] = "remote",
	[ESPTRACK_A_SA_REQID] = "reqid",
	[ESPTRACK_A_SA_MARK] = "mark",
	[ESPTRACK_A_SA_MARK_MASK] = "mark-mask",
	[ESPTRACK_A_SA_IF_ID] = "if-id",
	[ESPTRACK_A_SA_MODE] = "mode",
	[ESPTRACK_A_SA_STATIC_NAT] = "static-nat",
	[ESPTRACK_A_SA_MOVES] = "moves",
	[ESPTRACK_A_SA_REFUSED] = "refused",
	[ESPTRACK_A_SA_OUTBOUND] = "outbound",
	[ESPTRACK_A_SA_PORT_ONLY] = "port-only",
};

static const struct names msg_names = NAMES(msg_attrs);
static const struct names sa_names = NAMES(sa_attrs);

/* Our requests have one nest, the SA. */
static const struct nlattr *request_sa(const struct nlmsghdr *req)
{
	static const uint16_t len[ESPTRACK_A_MAX + 1];
	const struct nlattr *tb[ESPTRACK_A_MAX + 1];

	if (nl_parse_msg(req, len, tb, ESPTRACK_A_MAX) < 0)
		return NULL;
	return tb[ESPTRACK_A_SA];
}

/* The kernel names an attribute of @req by its distance from the start. */
static const struct nlattr *attr_at(const struct nlmsghdr *req, uint32_t offset)
{
	const struct nlattr *sa = request_sa(req);
	const struct nlattr *wanted = (const void *)((const char *)req + offset);
	const struct nlattr *attr;

	if (!sa || wanted == sa)
		return sa;
	mnl_attr_for_each_nested(attr, sa)
		if (attr == wanted)
			return attr;
	return NULL;
}

/* Writes what is known about the attribute at fault, with a leading blank. */
static void describe_attr(char *text, size_t size, const struct nlmsghdr *req,
			  const struct nlattr *const *tb)
{
	const struct nlattr *sa = request_sa(req);
	const struct names *names = &msg_names;
	const char *what = "attribute";
	const struct nlattr *attr;
	uint32_t type;

	if (tb[NLMSGERR_ATTR_MISS_TYPE]) {
		what = "missing attribute";
		type = nl_get_u32(tb[NLMSGERR_ATTR_MISS_TYPE]);
		if (tb[NLMSGERR_ATTR_MISS_NEST])
			names = &sa_names;
	} else if (tb[NLMSGERR_ATTR_OFFS]) {
		attr = attr_at(req, nl_get_u32(tb[NLMSGERR_ATTR_OFFS]));
		if (!attr)
			return;
		type = mnl_attr_get_type(attr);
		if (attr != sa)
			names = &sa_names;
	} else {
		return;
	}
	snprintf(text, size, " (%s %s)", what, name_of(names, type).text);
}

/* Where the extended ack begins in @answer, -1 if there is none. */
static int extack_offset(const struct nlmsghdr *answer)
{
	int offset = sizeof(int);

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		return -1;
	if (answer->nlmsg_type == NLMSG_ERROR) {
		/* Without this flag our request stands before it. */
		if (!(answer->nlmsg_flags & NLM_F_CAPPED))
			return -1;
		offset = sizeof(struct nlmsgerr);
	}
	if (mnl_nlmsg_get_payload_len(answer) < (size_t)offset)
		return -1;
	return offset;
}

/* Says that the kernel refused with @err, and gave no other reason. */
void kernel_error(int err)
{
	warnx("kernel: %s%s", strerror(err),
	      err == EPERM ? " (CAP_NET_ADMIN is needed)" : "");
}

/* Says that @answer refused @req with @err, and why. */
void extack_error(const struct nlmsghdr *req, const struct nlmsghdr *answer,
		  int err)
{
	static const uint16_t len[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_OFFS] = 4,
		[NLMSGERR_ATTR_MISS_TYPE] = 4,
		[NLMSGERR_ATTR_MISS_NEST] = 4,
	};
	const struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	int offset = extack_offset(answer);
	const struct nlattr *msg;
	char attr[64] = "";

	if (offset < 0 ||
	    nl_parse(mnl_nlmsg_get_payload_offset(answer, offset),
		     mnl_nlmsg_get_payload_len(answer) - offset, len, tb,
		     NLMSGERR_ATTR_MAX) < 0) {
		kernel_error(err);
		return;
	}

	msg = tb[NLMSGERR_ATTR_MSG];
	describe_attr(attr, sizeof(attr), req, tb);
	if (!msg && !*attr)
		kernel_error(err);
	else if (!msg)
		warnx("kernel:%s: %s", attr, strerror(err));
	else
		warnx("kernel: %.*s%s: %s", (int)mnl_attr_get_payload_len(msg),
		      mnl_attr_get_str(msg), attr, strerror(err));
}
