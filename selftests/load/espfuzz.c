// SPDX-License-Identifier: GPL-2.0
/*
 * espfuzz SEED COUNT SECONDS DEVICE MAC GATEWAY N: packets at a gateway that are wrong
 * in some way, by the family of its address. DEVICE leads to it, and MAC is its address
 * there.
 *
 * The peers 1 to N (esppeers.py) are forged: whatever is sent in their name has no
 * valid ICV, and comes with all that can be wrong around it: lengths, checksums,
 * options, fragments, jumbo frames, segments to be made by the receiver. The peers
 * N + 1 to 2 N are real ones that send nonsense: the ICV is valid, but what it
 * protects is not. Prints JSON: what the kernel has taken to send, how much of it is to
 * be cut into segments, and what it has not taken.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "esppeer.h"
#include "random.h"

/* More than any packet: whatever is sent from there is there. */
#define PACKET_MAX	(ESP_MAX + 256)

/**
 * struct frame - what goes to the packet socket
 * @offload: what is left for the receiver to do
 * @ether: header
 * @packet: header of the IP, UDP and ESP
 */
struct frame {
	struct virtio_net_hdr offload;
	struct ether_header ether;
	uint8_t packet[PACKET_MAX];
};

#define FRAME_HEADERS	offsetof(struct frame, packet)
_Static_assert(sizeof(struct virtio_net_hdr) + ETH_HLEN == FRAME_HEADERS, "no padding");

static struct random rnd;
static int sock;
static unsigned long sent, not_taken, to_segment;

static struct frame frame;
static struct iphdr *const ip = (struct iphdr *)frame.packet;
static struct ip6_hdr *const ip6 = (struct ip6_hdr *)frame.packet;

/* By the family; set once. */
static bool ipv6;
static struct in_addr gateway;
static struct in6_addr gateway6;
static size_t ip_size;
static struct udphdr *udp;
static uint8_t *esp;

static uint32_t below(uint32_t n)
{
	return random_below(&rnd, n);
}

static bool one_in(uint32_t n)
{
	return random_one_in(&rnd, n);
}

static void transmit(size_t size)
{
	if (send(sock, &frame, FRAME_HEADERS + size, 0) >= 0) {
		sent++;
		to_segment += frame.offload.gso_type != VIRTIO_NET_HDR_GSO_NONE;
	} else if (errno == EINVAL || errno == EMSGSIZE || errno == ENOBUFS ||
		   errno == ENOMEM /* nor as segments */) {
		not_taken++;
	} else {
		err(1, "send");
	}
}

/* Of the header of IPv4; the other one has none. */
static void ip_sum(void)
{
	if (ipv6)
		return;
	ip->check = 0;
	ip->check = ip_checksum(ip, sizeof(*ip));
}

/* In IPv6, UDP must have one: over these first, which go in as if they were it. */
static void udp6_sum(void)
{
	struct {
		struct in6_addr from, to;
		uint32_t size, protocol;
	} pseudo = { ip6->ip6_src, ip6->ip6_dst, htonl(ntohs(udp->len)), htonl(IPPROTO_UDP) };

	udp->check = ~ip_checksum(&pseudo, sizeof(pseudo));
	udp->check = ip_checksum(udp, ntohs(udp->len));
	if (!udp->check)
		udp->check = 0xffff;
}

/* A peer's address is the same in both, but for what is in front of it. */
static void ip6_headers(size_t esp_size, struct in_addr from, uint16_t port)
{
	const size_t size = sizeof(*udp) + esp_size;

	memset(ip6, 0, sizeof(*ip6));
	ip6->ip6_flow = htonl(6 << 28);
	ip6->ip6_plen = htons(size);
	ip6->ip6_nxt = IPPROTO_UDP;
	ip6->ip6_hlim = 64;
	inet_pton(AF_INET6, "2001:db8:64::", &ip6->ip6_src);
	memcpy(&ip6->ip6_src.s6_addr[12], &from, sizeof(from));
	ip6->ip6_dst = gateway6;
	udp->source = htons(port);
	udp->dest = htons(ESP_PORT);
	udp->len = htons(size);
	udp6_sum();
}

/* ESP that its SA must not accept; returns its size. */
static size_t forge(struct esppeer *peer, unsigned int n)
{
	size_t size = esppeer_seal(peer, esp, esppeer_ping(peer, esp));
	uint32_t value;

	switch (below(7)) {
	case 0: /* one bit */
		esp[ESP_HEADER + below(size - ESP_HEADER)] ^= 1 << below(8);
		break;
	case 1: /* another number, from far behind to far ahead */
		value = random_u64(&rnd);
		memcpy(esp + 4, &value, sizeof(value));
		esp[size - 1] ^= 1;
		break;
	case 2: /* cut off */
		size = below(size);
		break;
	case 3: /* too long; nor right where a header cuts it off again */
		esp[size - 1] ^= 1;
		value = 1 + below(one_in(50) ? ESP_MAX - size : 64);
		random_fill(&rnd, esp + size, value < 64 ? value : 64);
		size += value;
		break;
	case 4: /* another peer's */
		value = htonl(peer->spi ^ (1 + below(n)));
		memcpy(esp, &value, sizeof(value));
		break;
	case 5: /* noise behind a good header */
		size = ESP_HEADER + below(256);
		random_fill(&rnd, esp + ESP_HEADER, size - ESP_HEADER);
		break;
	default: /* only the ICV */
		random_fill(&rnd, esp + size - ESP_ICV, ESP_ICV);
		break;
	}
	return size;
}

/* A part of a datagram, as a packet of its own; returns its size. */
static size_t fragment(uint32_t id, const uint8_t *datagram, size_t from, size_t length,
		       bool more)
{
	struct ip6_frag *header = (struct ip6_frag *)(ip6 + 1);
	uint8_t *part = frame.packet + ip_size;

	if (ipv6) {
		*header = (struct ip6_frag) {
			.ip6f_nxt = IPPROTO_UDP,
			.ip6f_offlg = htons(from) | (more ? IP6F_MORE_FRAG : 0),
			.ip6f_ident = id,
		};
		ip6->ip6_nxt = IPPROTO_FRAGMENT;
		ip6->ip6_plen = htons(sizeof(*header) + length);
		part += sizeof(*header);
	} else {
		ip->id = id;
		ip->tot_len = htons(sizeof(*ip) + length);
		ip->frag_off = htons(from / 8 | (more ? IP_MF : 0));
		ip_sum();
	}
	memcpy(part, datagram + from, length);
	return part + length - frame.packet;
}

/* In fragments, some of which are missing, overlap, or are empty. */
static void transmit_fragments(size_t size)
{
	static uint8_t datagram[PACKET_MAX];
	const uint32_t id = random_u64(&rnd);
	size_t payload = size - ip_size, at, part;

	memcpy(datagram, udp, payload);
	for (at = 0; at < payload; at += part) {
		size_t from = at, length;

		part = 8 * (1 + below(payload / 8 + 1));
		length = part < payload - at ? part : payload - at;
		if (one_in(8))
			continue;
		if (from && one_in(8))
			from -= 8;
		transmit(fragment(id, datagram, from, length, at + part < payload));
	}
}

/* Something that means nothing between the headers: no operation, or padding. */
static void transmit_options(size_t size)
{
	static const uint8_t none[] = { 1, 1, 1, 1 }, none6[] = { IPPROTO_UDP, 0, 1, 4 };
	const size_t length = ipv6 ? 8 : sizeof(none);

	memmove((uint8_t *)udp + length, udp, size - ip_size);
	memset(udp, 0, length);
	if (ipv6) {
		memcpy(udp, none6, sizeof(none6));
		ip6->ip6_nxt = IPPROTO_DSTOPTS;
		ip6->ip6_plen = htons(ntohs(ip6->ip6_plen) + length);
	} else {
		memcpy(udp, none, sizeof(none));
		ip->ihl++;
		ip->tot_len = htons(ntohs(ip->tot_len) + length);
		ip->check = 0;
		ip->check = ip_checksum(ip, sizeof(*ip) + length);
	}
	transmit(size + length);
}

/* Nobody's address, or one that cannot be a source */
static void other_source(void)
{
	udp->source = one_in(4) ? 0 : (uint16_t)random_u64(&rnd);
	if (!ipv6) {
		ip->saddr = one_in(4) ? gateway.s_addr : (uint32_t)random_u64(&rnd);
		ip_sum();
		return;
	}
	if (one_in(4))
		ip6->ip6_src = gateway6;
	else
		random_fill(&rnd, &ip6->ip6_src, sizeof(ip6->ip6_src));
	udp6_sum();
}

/* The receiver shall cut it into segments, or make the checksum. */
static void ask_for_offload(size_t size)
{
	static const uint8_t kinds[] = {
		VIRTIO_NET_HDR_GSO_NONE, VIRTIO_NET_HDR_GSO_UDP, 5 /* UDP_L4 */,
		VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6, 77,
	};

	frame.offload.flags = below(4);
	frame.offload.gso_type = kinds[below(sizeof(kinds))];
	frame.offload.gso_size = one_in(8) ? random_u64(&rnd) : 1 + below(size);
	frame.offload.hdr_len = one_in(2) ? sizeof(frame.ether) + ip_size + sizeof(*udp) :
					    below(size);
	frame.offload.csum_start = one_in(8) ? below(size) :
				   sizeof(frame.ether) + ip_size;
	frame.offload.csum_offset = one_in(8) ? below(size) :
				    offsetof(struct udphdr, check);
}

/* Something wrong with the headers, or nothing. */
static void wrap(size_t size)
{
	switch (below(14)) {
	case 0:
		frame.packet[below(ip_size)] = random_u64(&rnd);
		if (one_in(2))
			ip_sum();
		break;
	case 1:
		udp->len = htons(below(2 * size));
		break;
	case 2:
		udp->check = random_u64(&rnd);
		break;
	case 3:
		ask_for_offload(size);
		break;
	case 4:
		transmit_fragments(size);
		return;
	case 5: /* more or less than the headers say */
		size = one_in(2) ? below(size) : size + below(64);
		break;
	case 6:
		other_source();
		break;
	case 7:
		transmit_options(size);
		return;
	}
	transmit(size);
}

/* ESP of a real peer, around nonsense. */
static size_t babble(struct esppeer *peer)
{
	size_t size = esppeer_ping(peer, esp);

	switch (below(6)) {
	case 0: /* next header: dummy, or anything */
		esp[size - 1] = one_in(2) ? IPPROTO_NONE : random_u64(&rnd);
		break;
	case 1: /* padding longer than the packet */
		esp[size - 2] = random_u64(&rnd);
		break;
	case 2: /* noise inside */
		random_fill(&rnd, esp + ESP_HEADER, size - ESP_HEADER - 2);
		break;
	case 3: /* nothing inside, not even a trailer */
		size = ESP_HEADER + below(4);
		break;
	case 4: /* much inside */
		size += 4 * below(one_in(20) ? 10000 : 100);
		random_fill(&rnd, esp + size - 4, 4);
		break;
	}
	return esppeer_seal(peer, esp, size);
}

static void send_one(struct esppeer *peers, uint32_t *places, unsigned int n)
{
	unsigned int i = below(2 * n);
	struct esppeer *peer = &peers[i];
	struct in_addr from;
	uint16_t port;
	size_t size;

	memset(&frame.offload, 0, sizeof(frame.offload));
	/* A move costs as much as many packets. */
	if (one_in(8))
		places[i] = below(ESP_PLACES);
	esppeer_place(peer, places[i], &from, &port);
	size = peer < peers + n ? forge(peer, n) : babble(peer);
	if (ipv6)
		ip6_headers(size, from, port);
	else
		esppacket_headers((struct esppacket *)ip, size, from, port, gateway);
	wrap(ip_size + sizeof(*udp) + size);
}

static void packet_socket(const char *device, const char *mac)
{
	struct sockaddr_ll where = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(device),
	};
	const struct ether_addr *to = ether_aton(mac);
	int on = 1;

	if (!where.sll_ifindex || !to)
		errx(2, "no such device or address");
	memcpy(frame.ether.ether_dhost, to, ETH_ALEN);
	/* A unicast address that is nobody's */
	frame.ether.ether_shost[0] = 2;
	frame.ether.ether_type = htons(ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	/* Protocol 0: it shall not receive. */
	sock = socket(AF_PACKET, SOCK_RAW, 0);
	if (sock < 0 ||
	    setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)))
		err(1, "no socket");
	if (bind(sock, (const struct sockaddr *)&where, sizeof(where)))
		err(1, "bind");
}

static void set_gateway(const char *address)
{
	ipv6 = inet_pton(AF_INET6, address, &gateway6) == 1;
	if (!ipv6 && inet_pton(AF_INET, address, &gateway) != 1)
		errx(2, "no address: %s", address);
	ip_size = ipv6 ? sizeof(*ip6) : sizeof(*ip);
	udp = (struct udphdr *)(frame.packet + ip_size);
	esp = (uint8_t *)(udp + 1);
}

int main(int argc, char **argv)
{
	struct esppeer *peers;
	uint32_t *places;
	unsigned long count;
	unsigned int n, i;
	time_t end;

	if (argc != 8)
		errx(2, "usage: espfuzz SEED COUNT SECONDS DEVICE MAC GATEWAY N");
	rnd.state = strtoull(argv[1], NULL, 0);
	count = strtoul(argv[2], NULL, 0);
	end = time(NULL) + atoi(argv[3]);
	set_gateway(argv[6]);
	packet_socket(argv[4], argv[5]);
	n = atoi(argv[7]);
	peers = calloc(2 * n, sizeof(*peers));
	places = calloc(2 * n, sizeof(*places));
	if (!n || !peers || !places)
		errx(2, "no peers");
	for (i = 0; i < 2 * n; i++)
		esppeer_init(&peers[i], i + 1);
	while (sent < count && time(NULL) < end)
		for (i = 0; i < 64 && sent < count; i++)
			send_one(peers, places, n);
	printf("{\"done\": %lu, \"to_segment\": %lu, \"not_taken\": %lu}\n", sent, to_segment,
	       not_taken);
	return 0;
}
