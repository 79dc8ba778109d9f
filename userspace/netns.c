// SPDX-License-Identifier: GPL-2.0
/* Network namespaces, named as ip-netns(8) does. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"

#define NETNS_DIR "/var/run/netns/"

/*
 * Only sockets that are opened afterwards belong to the namespace. @name with a
 * slash is a path. Returns -1 after a message.
 */
int netns_enter(const char *name)
{
	char path[PATH_MAX];
	int len, fd, ret;

	len = snprintf(path, sizeof(path), "%s%s",
		       strchr(name, '/') ? "" : NETNS_DIR, name);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		warnx("the name of the network namespace is too long");
		return -1;
	}

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		warn("network namespace \"%s\"", name);
		return -1;
	}
	ret = setns(fd, CLONE_NEWNET);
	if (ret < 0)
		warn("cannot enter network namespace \"%s\"", name);
	close(fd);
	return ret;
}

/* Returns a file of the namespace that we are in, -1 after a message. */
int netns_own(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		warn("/proc/self/ns/net");
	return fd;
}

/* Goes back there, and closes the file. */
int netns_return(int own)
{
	int ret = setns(own, CLONE_NEWNET);

	if (ret < 0)
		warn("cannot return to the network namespace");
	close(own);
	return ret;
}

static int nsid_reply(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtgenmsg))
		if (mnl_attr_get_type(attr) == NETNSA_NSID &&
		    mnl_attr_get_payload_len(attr) == sizeof(int))
			memcpy(data, mnl_attr_get_payload(attr), sizeof(int));
	return MNL_CB_OK;
}

/* How the namespace of @fd is called in ours, -1 if it has no number. */
static int nsid_of(struct mnl_socket *sock, int fd)
{
	/* An array of headers for their alignment. */
	struct nlmsghdr buf[1024 / sizeof(struct nlmsghdr)];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtgenmsg *rtgen;
	int nsid = -1;
	ssize_t len;

	nlh->nlmsg_type = RTM_GETNSID;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rtgen = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtgen));
	rtgen->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(nlh, NETNSA_FD, fd);
	if (mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		return -1;
	len = mnl_socket_recvfrom(sock, buf, sizeof(buf));
	if (len < 0 || mnl_cb_run(buf, len, 0, 0, nsid_reply, &nsid) < 0)
		return -1;
	return nsid;
}

struct wanted {
	netns_fn *fn;			/* to be called for each, or NULL */
	void *data;
	int nsid;			/* else the one that is to be entered */
};

/* Returns 0 to go on with the next one, 1 if that is enough, or -1. */
static int look_at(struct mnl_socket *sock, const char *name,
		   const struct wanted *wanted)
{
	char path[PATH_MAX];
	int fd, nsid, ret = 0;

	snprintf(path, sizeof(path), NETNS_DIR "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	nsid = nsid_of(sock, fd);
	if (nsid >= 0 && wanted->fn) {
		ret = wanted->fn(nsid, wanted->data);
	} else if (nsid >= 0 && nsid == wanted->nsid) {
		ret = setns(fd, CLONE_NEWNET) < 0 ? -1 : 1;
		/* Who may listen need not be one who may enter. */
		if (ret < 0 && errno == EPERM)
			ret = 0;
		else if (ret < 0)
			warn("cannot enter network namespace \"%s\"", name);
	}
	close(fd);
	return ret;
}

/* Returns NULL after a message. */
static struct mnl_socket *open_route(void)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (sock && mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) == 0)
		return sock;

	warn("netlink");
	if (sock)
		mnl_socket_close(sock);
	return NULL;
}

/* By which number we are called in our own namespace, -1 if it has none. */
int netns_own_nsid(void)
{
	struct mnl_socket *sock = open_route();
	int own = netns_own(), nsid = -1;

	if (sock && own >= 0)
		nsid = nsid_of(sock, own);
	if (sock)
		mnl_socket_close(sock);
	if (own >= 0)
		close(own);
	return nsid;
}

static int look_at_all(const struct wanted *wanted)
{
	struct mnl_socket *sock;
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	dir = opendir(NETNS_DIR);
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir) {
		warn(NETNS_DIR);
		return -1;
	}
	sock = open_route();
	if (!sock)
		ret = -1;
	while (!ret && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			ret = look_at(sock, entry->d_name, wanted);
	if (sock)
		mnl_socket_close(sock);
	closedir(dir);
	return ret;
}

/*
 * Enters the namespace that has this number in ours. Only one that has a name,
 * too, can be found: returns 1 if it has none, or we may not enter it, -1 after a
 * message.
 */
int netns_enter_nsid(int nsid)
{
	const struct wanted wanted = { .nsid = nsid };
	int ret = look_at_all(&wanted);

	return ret < 0 ? -1 : !ret;
}

/* Calls @fn with each number of a namespace that has a name, too. */
int netns_each_nsid(netns_fn *fn, void *data)
{
	const struct wanted wanted = { .fn = fn, .data = data };

	return look_at_all(&wanted) < 0 ? -1 : 0;
}
