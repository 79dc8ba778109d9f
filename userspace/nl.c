// SPDX-License-Identifier: GPL-2.0
/* Talking to the module. */
#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <linux/genetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "extack.h"
#include "netns.h"
#include "nl.h"
#include "source.h"

/* Of the monitor: some thousand events. */
#define RCVBUF (4 << 20)

/* The one that we speak; another one only in a test. */
#ifndef NETLINK_VERSION
#define NETLINK_VERSION ESPTRACK_FAMILY_VERSION
#endif

enum verdict {
	TALK_DONE,
	TALK_REFUSED,		/* nl->buf begins with the answer that says so */
	TALK_FAILED,		/* after a message */
};

/* The error, negative, in an answer that ends an exchange; 0 if it ends well. */
static int final_error(const struct nlmsghdr *nlh)
{
	/* Both NLMSG_DONE and NLMSG_ERROR begin with the number. */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(int))
		return -EBADMSG;
	return *(const int *)mnl_nlmsg_get_payload(nlh);
}

/* On TALK_REFUSED @answer and @error tell what the kernel said. */
static enum verdict exchange(struct nl *nl, struct nlmsghdr *req,
			     nl_reply_fn *fn, void *data,
			     const struct nlmsghdr **answer, int *error)
{
	struct nlmsghdr *nlh;
	ssize_t ret;
	int len;

	req->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, req, req->nlmsg_len) < 0) {
		warn("netlink");
		return TALK_FAILED;
	}

	for (;;) {
		ret = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		if (ret < 0) {
			warn("netlink");
			return TALK_FAILED;
		}
		len = ret;
		for (nlh = nl->buf; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_seq != nl->seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR ||
			    nlh->nlmsg_type == NLMSG_DONE) {
				*answer = nlh;
				*error = final_error(nlh);
				return *error ? TALK_REFUSED : TALK_DONE;
			}
			if (fn && fn(nlh, data) < 0)
				return TALK_FAILED;
		}
	}
}

static int talk(struct nl *nl, struct nlmsghdr *req, nl_reply_fn *fn,
		void *data, bool may_lack)
{
	const struct nlmsghdr *answer;
	int error;

	switch (exchange(nl, req, fn, data, &answer, &error)) {
	case TALK_REFUSED:
		if (may_lack && error == -ENOENT)
			return 1;
		extack_error(req, answer, -error);
		return -1;
	case TALK_FAILED:
		return -1;
	case TALK_DONE:
		break;
	}
	return 0;
}

/*
 * Sends @req, a message from nl_request(), and calls @fn, which may be NULL if
 * there is nothing to hear, with each reply. More of them may be to come then, so it
 * cannot talk itself. A list has each SA that was there all the while, once, as it
 * was in that moment. Returns -1 after a message.
 */
int nl_talk(struct nl *nl, struct nlmsghdr *req, nl_reply_fn *fn, void *data)
{
	return talk(nl, req, fn, data, false);
}

/* The same, but returns 1 without a message if what is asked for is not there. */
int nl_find(struct nl *nl, struct nlmsghdr *req, nl_reply_fn *fn, void *data)
{
	return talk(nl, req, fn, data, true);
}

static struct nlmsghdr *genl_request(struct nl *nl, uint16_t family,
				     uint8_t cmd, uint8_t version,
				     uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->request);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

/* @flags: NLM_F_ACK or NLM_F_DUMP, so that the answer has an end. */
struct nlmsghdr *nl_request(struct nl *nl, uint8_t cmd, uint16_t flags)
{
	return genl_request(nl, nl->family, cmd, ESPTRACK_FAMILY_VERSION,
			    flags);
}

static const uint16_t ctrl_len[CTRL_ATTR_MAX + 1] = {
	[CTRL_ATTR_VERSION] = 4,
	[CTRL_ATTR_FAMILY_ID] = 2,
};

static uint16_t ctrl_family_id(const struct nlattr *const *tb)
{
	const struct nlattr *id = tb[CTRL_ATTR_FAMILY_ID];

	return id ? mnl_attr_get_u16(id) : 0;
}

static uint32_t find_events_group(const struct nlattr *groups)
{
	static const uint16_t len[CTRL_ATTR_MCAST_GRP_MAX + 1] = {
		[CTRL_ATTR_MCAST_GRP_NAME] = sizeof(ESPTRACK_MCGRP_EVENTS),
		[CTRL_ATTR_MCAST_GRP_ID] = 4,
	};
	const struct nlattr *tb[CTRL_ATTR_MCAST_GRP_MAX + 1];
	const struct nlattr *group;

	/* A group whose name has another length is not ours. */
	mnl_attr_for_each_nested(group, groups)
		if (!nl_parse_nest(group, len, tb, CTRL_ATTR_MCAST_GRP_MAX) &&
		    tb[CTRL_ATTR_MCAST_GRP_NAME] &&
		    !memcmp(mnl_attr_get_payload(tb[CTRL_ATTR_MCAST_GRP_NAME]),
			    ESPTRACK_MCGRP_EVENTS,
			    sizeof(ESPTRACK_MCGRP_EVENTS)))
			return nl_get_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
	return 0;
}

static int family_reply(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1];
	struct nl *nl = data;

	if (nl_parse_msg(nlh, ctrl_len, tb, CTRL_ATTR_MAX) < 0)
		return 0;
	nl->family = ctrl_family_id(tb);
	nl->version = nl_get_u32(tb[CTRL_ATTR_VERSION]);
	if (tb[CTRL_ATTR_MCAST_GROUPS])
		nl->events = find_events_group(tb[CTRL_ATTR_MCAST_GROUPS]);
	return 0;
}

/* For an answer that cannot be. Returns -1 after this message. */
int nl_nonsense(void)
{
	warnx("the kernel's answer makes no sense");
	return -1;
}

/* Asking for the family makes the kernel load the module, if it can. */
static int resolve_family(struct nl *nl)
{
	const struct nlmsghdr *answer;
	struct nlmsghdr *req;
	int error;

	req = genl_request(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	mnl_attr_put_strz(req, CTRL_ATTR_FAMILY_NAME, ESPTRACK_FAMILY_NAME);
	switch (exchange(nl, req, family_reply, nl, &answer, &error)) {
	case TALK_REFUSED:
		if (error == -ENOENT)
			warnx("module esptrack is not loaded (modprobe esptrack)");
		else
			extack_error(req, answer, -error);
		return -1;
	case TALK_FAILED:
		return -1;
	case TALK_DONE:
		break;
	}

	if (!nl->family)
		return nl_nonsense();
	/* It is raised only where old and new do not understand each other. */
	if (nl->version != NETLINK_VERSION) {
		warnx("module esptrack is too %s for this program: version %u, not %u",
		      nl->version < NETLINK_VERSION ? "old" : "new",
		      nl->version, NETLINK_VERSION);
		return -1;
	}
	return 0;
}

static int set_option(const struct nl *nl, int option, int value)
{
	return mnl_socket_setsockopt(nl->sock, option, &value, sizeof(value));
}

/*
 * Connects to the module in network namespace @netns, NULL for ours. Returns -1
 * after a message.
 */
int nl_open(struct nl *nl, const char *netns)
{
	memset(nl, 0, sizeof(*nl));
	if (netns && netns_enter(netns) < 0)
		return -1;

	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->sock) {
		warn("netlink");
		return -1;
	}
	if (set_option(nl, NETLINK_EXT_ACK, 1) < 0 ||
	    set_option(nl, NETLINK_CAP_ACK, 1) < 0 ||
	    mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		warn("netlink");
		nl_close(nl);
		return -1;
	}
	if (resolve_family(nl) < 0) {
		nl_close(nl);
		return -1;
	}
	return 0;
}

void nl_close(struct nl *nl)
{
	mnl_socket_close(nl->sock);
}

/*
 * Asks for the events, and for the news that the module leaves, after which
 * there would be none. Returns -1 after a message.
 */
int nl_subscribe(struct nl *nl, bool all_nsid, int rcvbuf)
{
	int size = rcvbuf ? rcvbuf : RCVBUF;

	if (!nl->events) {
		warnx("the module has no events");
		return -1;
	}
	/* Beyond the limit of others, if we may; a small one loses no more than
	 * we say.
	 */
	if (setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUFFORCE,
		       &size, sizeof(size)) < 0)
		setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUF,
			   &size, sizeof(size));
	if (all_nsid && set_option(nl, NETLINK_LISTEN_ALL_NSID, 1) < 0) {
		if (errno == EPERM)
			warnx("all-nsid needs CAP_NET_BROADCAST");
		else
			kernel_error(errno);
		return -1;
	}
	if (set_option(nl, NETLINK_ADD_MEMBERSHIP, GENL_ID_CTRL) < 0 ||
	    set_option(nl, NETLINK_ADD_MEMBERSHIP, nl->events) < 0) {
		kernel_error(errno);
		return -1;
	}
	return 0;
}

static ssize_t recv_from(struct nl *nl, int *nsid, struct sockaddr_nl *sender)
{
	char control[CMSG_SPACE(sizeof(*nsid)) + CMSG_SPACE(64)];
	struct iovec iov = {
		.iov_base = nl->buf,
		.iov_len = sizeof(nl->buf),
	};
	struct msghdr msg = {
		.msg_name = sender,
		.msg_namelen = sizeof(*sender),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t ret;

	*nsid = NSID_OWN;
	ret = recvmsg(mnl_socket_get_fd(nl->sock), &msg, MSG_DONTWAIT);
	if (ret < 0)
		return ret;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_level == SOL_NETLINK &&
		    cmsg->cmsg_type == NETLINK_LISTEN_ALL_NSID)
			memcpy(nsid, CMSG_DATA(cmsg), sizeof(*nsid));
	return ret;
}

/*
 * Takes what the kernel has sent into nl->buf, and does not wait. Others may send,
 * too, who are root in a network namespace that we hear. Sets @nsid to the namespace
 * that it is from, NSID_OWN if it is ours. Returns -1 with errno.
 */
ssize_t nl_recv(struct nl *nl, int *nsid)
{
	struct sockaddr_nl sender;
	ssize_t ret;

	do {
		memset(&sender, 0, sizeof(sender));
		ret = recv_from(nl, nsid, &sender);
	} while (ret >= 0 && sender.nl_pid);
	return ret;
}

/* Does @nlh say that the module was unloaded? */
bool nl_is_farewell(const struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1];
	const struct genlmsghdr *genl;

	if (nlh->nlmsg_type != GENL_ID_CTRL ||
	    nl_parse_msg(nlh, ctrl_len, tb, CTRL_ATTR_MAX) < 0)
		return false;
	genl = mnl_nlmsg_get_payload(nlh);
	return genl->cmd == CTRL_CMD_DELFAMILY &&
	       ctrl_family_id(tb) == nl->family;
}
