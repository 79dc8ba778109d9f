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

static const char *const reqid_attrs[] = {
	[ESPTRACK_A_REQID_NUMBER] = "number",
	[ESPTRACK_A_REQID_STATIC_NAT] = "static-nat",
	[ESPTRACK_A_REQID_PORT_ONLY] = "port-only",
};

static const char *const conf_attrs[] = {
	[ESPTRACK_A_CONF_STATIC_NAT] = "static-nat",
	[ESPTRACK_A_CONF_PORT_ONLY] = "port-only",
	[ESPTRACK_A_CONF_THROTTLE_INTERVAL] = "throttle-interval",
	[ESPTRACK_A_CONF_THROTTLE_BURST] = "throttle-burst",
};

/* Of the attributes of a request, by its command. */
static const struct names attr_names[] = {
	[ESPTRACK_CMD_SA_GET] = NAMES(sa_attrs),
	[ESPTRACK_CMD_SA_SET] = NAMES(sa_attrs),
	[ESPTRACK_CMD_REQID_SET] = NAMES(reqid_attrs),
	[ESPTRACK_CMD_REQID_DEL] = NAMES(reqid_attrs),
	[ESPTRACK_CMD_CONF_SET] = NAMES(conf_attrs),
};

static struct name attr_name(const struct nlmsghdr *req, uint32_t type)
{
	static const struct names none;
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(req);

	return name_of(genl->cmd < ARRAY_SIZE(attr_names) ?
		       &attr_names[genl->cmd] : &none, type);
}

/* The kernel names an attribute of @req by its distance from the start. */
static const struct nlattr *attr_at(const struct nlmsghdr *req, uint32_t offset)
{
	const struct nlattr *wanted = (const void *)((const char *)req + offset);
	const struct nlattr *attr;

	mnl_attr_for_each(attr, req, GENL_HDRLEN)
		if (attr == wanted)
			return attr;
	return NULL;
}

/* Writes what is known about the attribute at fault, with a leading blank. */
static void describe_attr(char *text, size_t size, const struct nlmsghdr *req,
			  const struct nlattr *const *tb)
{
	const char *what = "attribute";
	const struct nlattr *attr;
	uint32_t type;

	if (tb[NLMSGERR_ATTR_MISS_TYPE]) {
		what = "missing attribute";
		type = nl_get_u32(tb[NLMSGERR_ATTR_MISS_TYPE]);
	} else if (tb[NLMSGERR_ATTR_OFFS]) {
		attr = attr_at(req, nl_get_u32(tb[NLMSGERR_ATTR_OFFS]));
		if (!attr)
			return;
		type = mnl_attr_get_type(attr);
	} else {
		return;
	}
	snprintf(text, size, " (%s %s)", what, attr_name(req, type).text);
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
	const char *hint = "";

	if (err == EPERM)
		hint = " (CAP_NET_ADMIN is needed)";
	else if (err == EOPNOTSUPP)
		hint = " (module esptrack is too old for this: update it, and load it anew)";
	warnx("kernel: %s%s", strerror(err), hint);
}

/* Says that @answer refused @req with @err, and why. */
void extack_error(const struct nlmsghdr *req, const struct nlmsghdr *answer,
		  int err)
{
	static const uint16_t len[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_OFFS] = 4,
		[NLMSGERR_ATTR_MISS_TYPE] = 4,
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
