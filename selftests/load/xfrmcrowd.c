// SPDX-License-Identifier: GPL-2.0
/*
 * xfrmcrowd FIRST LAST [POLICIES]: add the gateway's SAs and policies of peers to
 * this namespace, for each of them two SAs with ESP in UDP, and POLICIES (2) times
 * three policies. "ip -batch" would take ten times as long.
 *
 * Peer N is at 10.64.0.0 + N, his networks are 10.96.0.0 + N, 10.98.0.0 + N ...
 * (at most 131,071 peers), his reqid is 1,000 + N, the SPIs are 0x100000 + N towards
 * us and 0x200000 + N towards him. Ours are 10.128.0.2, and 10.10.0.1 behind it.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* So many messages are sent at once; the kernel answers the last of them, and
 * those that it refuses.
 */
#define BATCH		64
#define MESSAGE_SIZE	512
#define MAX_PEERS	0x1ffff

#define UDP_PORT	4500
/* ChaCha20-Poly1305: 32 bytes of key and 4 of salt */
#define ALGORITHM	"rfc7539esp(chacha20,poly1305)"
#define KEY_SIZE	36

static int sock;
static uint8_t buffer[BATCH * MESSAGE_SIZE];
static size_t used;
static unsigned int messages;
static struct nlmsghdr *last;

static void flush(void)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t more[MESSAGE_SIZE];
	} answer;

	if (!messages)
		return;
	last->nlmsg_flags |= NLM_F_ACK;
	if (send(sock, buffer, used, 0) != (ssize_t)used)
		err(1, "send");
	if (recv(sock, &answer, sizeof(answer), 0) < 0)
		err(1, "recv");
	if (answer.header.nlmsg_type != NLMSG_ERROR)
		errx(1, "an answer that was not asked for");
	if (answer.error.error)
		errx(1, "%s", strerror(-answer.error.error));
	used = 0;
	messages = 0;
}

static void *begin(uint16_t type, size_t size)
{
	if (messages == BATCH)
		flush();
	last = (struct nlmsghdr *)(buffer + used);
	memset(last, 0, MESSAGE_SIZE);
	last->nlmsg_type = type;
	last->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
	last->nlmsg_len = NLMSG_LENGTH(size);
	messages++;
	return NLMSG_DATA(last);
}

static void *attribute(uint16_t type, size_t size)
{
	struct nlattr *nla = (void *)((uint8_t *)last + NLMSG_ALIGN(last->nlmsg_len));

	nla->nla_type = type;
	nla->nla_len = NLA_HDRLEN + size;
	last->nlmsg_len = NLMSG_ALIGN(last->nlmsg_len) + NLA_ALIGN(nla->nla_len);
	if (last->nlmsg_len > MESSAGE_SIZE)
		errx(1, "a message is too long");
	return (uint8_t *)nla + NLA_HDRLEN;
}

static void end(void)
{
	used += NLMSG_ALIGN(last->nlmsg_len);
}

static xfrm_address_t address(uint32_t host)
{
	xfrm_address_t addr = { .a4 = htonl(host) };

	return addr;
}

static void add_sa(uint32_t src, uint32_t dst, uint32_t spi, uint32_t reqid)
{
	struct xfrm_usersa_info *sa = begin(XFRM_MSG_NEWSA, sizeof(*sa));
	struct xfrm_encap_tmpl *encap;
	struct xfrm_algo_aead *aead;

	sa->id.daddr = address(dst);
	sa->id.spi = htonl(spi);
	sa->id.proto = IPPROTO_ESP;
	sa->saddr = address(src);
	sa->lft.soft_byte_limit = XFRM_INF;
	sa->lft.hard_byte_limit = XFRM_INF;
	sa->lft.soft_packet_limit = XFRM_INF;
	sa->lft.hard_packet_limit = XFRM_INF;
	sa->reqid = reqid;
	sa->family = AF_INET;
	sa->mode = XFRM_MODE_TUNNEL;
	sa->replay_window = 32;

	aead = attribute(XFRMA_ALG_AEAD, sizeof(*aead) + KEY_SIZE);
	memcpy(aead->alg_name, ALGORITHM, sizeof(ALGORITHM));
	aead->alg_key_len = KEY_SIZE * 8;
	aead->alg_icv_len = 128;
	memcpy(aead->alg_key, &spi, sizeof(spi));

	encap = attribute(XFRMA_ENCAP, sizeof(*encap));
	encap->encap_type = UDP_ENCAP_ESPINUDP;
	encap->encap_sport = htons(UDP_PORT);
	encap->encap_dport = htons(UDP_PORT);
	end();
}

static void add_policy(uint8_t dir, uint32_t net_src, uint32_t net_dst,
		       uint32_t src, uint32_t dst, uint32_t reqid)
{
	struct xfrm_userpolicy_info *policy = begin(XFRM_MSG_NEWPOLICY, sizeof(*policy));
	struct xfrm_user_tmpl *tmpl;

	policy->sel.saddr = address(net_src);
	policy->sel.daddr = address(net_dst);
	policy->sel.prefixlen_s = 32;
	policy->sel.prefixlen_d = 32;
	policy->sel.family = AF_INET;
	policy->lft.soft_byte_limit = XFRM_INF;
	policy->lft.hard_byte_limit = XFRM_INF;
	policy->lft.soft_packet_limit = XFRM_INF;
	policy->lft.hard_packet_limit = XFRM_INF;
	policy->dir = dir;

	tmpl = attribute(XFRMA_TMPL, sizeof(*tmpl));
	tmpl->id.daddr = address(dst);
	tmpl->id.proto = IPPROTO_ESP;
	tmpl->saddr = address(src);
	tmpl->family = AF_INET;
	tmpl->reqid = reqid;
	tmpl->mode = XFRM_MODE_TUNNEL;
	tmpl->aalgos = UINT32_MAX;
	tmpl->ealgos = UINT32_MAX;
	tmpl->calgos = UINT32_MAX;
	end();
}

static void add_peer(uint32_t n, unsigned int nets)
{
	const uint32_t server = 0x0a800002, server_net = 0x0a0a0001;
	const uint32_t peer = 0x0a400000 + n;
	const uint32_t reqid = 1000 + n;
	unsigned int i;

	add_sa(peer, server, 0x100000 + n, reqid);
	add_sa(server, peer, 0x200000 + n, reqid);
	for (i = 0; i < nets; i++) {
		uint32_t net = 0x0a600000 + i * (MAX_PEERS + 1) + n;

		add_policy(XFRM_POLICY_IN, net, server_net, peer, server, reqid);
		add_policy(XFRM_POLICY_FWD, net, server_net, peer, server, reqid);
		add_policy(XFRM_POLICY_OUT, server_net, net, server, peer, reqid);
	}
}

static unsigned int parse(const char *text)
{
	char *rest;
	unsigned long value = strtoul(text, &rest, 10);

	if (*rest || value > MAX_PEERS)
		errx(2, "not a number up to %u: %s", MAX_PEERS, text);
	return value;
}

int main(int argc, char **argv)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	unsigned int n, first, end_of, nets;

	if (argc < 3 || argc > 4)
		errx(2, "usage: xfrmcrowd FIRST LAST [POLICIES]");
	first = parse(argv[1]);
	end_of = parse(argv[2]);
	nets = argc > 3 ? parse(argv[3]) : 2;

	sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
	if (sock < 0 || connect(sock, (void *)&kernel, sizeof(kernel)))
		err(1, "netlink");
	for (n = first; n <= end_of; n++)
		add_peer(n, nets);
	flush();
	return 0;
}
