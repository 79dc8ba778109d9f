/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NL_H
#define NL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mnl_socket;

struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
	uint16_t family;
	uint32_t version;		/* of the family */
	uint32_t events;		/* multicast group, 0 if there is none */
	/* Arrays of headers for their alignment. */
	struct nlmsghdr request[512 / sizeof(struct nlmsghdr)];
	/* The kernel fills no message for a dump beyond 32 KiB. */
	struct nlmsghdr buf[32768 / sizeof(struct nlmsghdr)];
};

/* Returns 0, or -1 after it has printed why not. */
typedef int nl_reply_fn(const struct nlmsghdr *nlh, void *data);

int nl_open(struct nl *nl, const char *netns);
void nl_close(struct nl *nl);
struct nlmsghdr *nl_request(struct nl *nl, uint8_t cmd, uint16_t flags);
int nl_talk(struct nl *nl, struct nlmsghdr *req, nl_reply_fn *fn, void *data);
int nl_find(struct nl *nl, struct nlmsghdr *req, nl_reply_fn *fn, void *data);
int nl_subscribe(struct nl *nl, bool all_nsid, int rcvbuf);
ssize_t nl_recv(struct nl *nl, int *nsid);
int nl_nonsense(void);
bool nl_is_farewell(const struct nl *nl, const struct nlmsghdr *nlh);

int nl_parse(const void *attrs, size_t size, const uint16_t *len,
	     const struct nlattr **tb, uint16_t max);
int nl_parse_nest(const struct nlattr *nest, const uint16_t *len,
		  const struct nlattr **tb, uint16_t max);
int nl_parse_msg(const struct nlmsghdr *nlh, const uint16_t *len,
		 const struct nlattr **tb, uint16_t max);

/* These return 0 where the attribute is missing. */
uint8_t nl_get_u8(const struct nlattr *attr);
uint16_t nl_get_be16(const struct nlattr *attr);
uint32_t nl_get_u32(const struct nlattr *attr);
uint32_t nl_get_be32(const struct nlattr *attr);
uint64_t nl_get_u64(const struct nlattr *attr);

#endif
