// SPDX-License-Identifier: GPL-2.0
#include "esppeer.h"

#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define GATEWAY_NET	0x0a0a0001	/* 10.10.0.1 */
#define PEERS_NET	0x0a1e0000	/* 10.30.0.0 */
#define PEERS_PLACES	0x64400000	/* 100.64.0.0 */

void esppeer_init(struct esppeer *peer, uint32_t number)
{
	uint8_t key[SHA256_SIZE];
	struct sha256 hash;
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", number);

	peer->number = number;
	peer->spi = 0x10000 + number;
	peer->seq = 0;
	sha256_init(&hash);
	sha256_add(&hash, text, size);
	sha256_end(&hash, key);
	hmac_sha256_key(&peer->hmac, key, sizeof(key));
}

/* Rises from one run of any of these programs to the next, too. */
uint32_t esppeer_next_seq(struct esppeer *peer)
{
	struct timespec now;
	uint32_t seq;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seq = (now.tv_sec * 1000000000ULL + now.tv_nsec) >> 16 & 0x7fffffff;
	if (seq <= peer->seq)
		seq = peer->seq + 1;
	peer->seq = seq;
	return seq;
}

uint16_t ip_checksum(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < size; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (size % 2)
		sum += p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static void ip_header(struct iphdr *ip, uint8_t protocol, size_t payload,
		      struct in_addr from, struct in_addr to)
{
	memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = htons(sizeof(*ip) + payload);
	ip->ttl = 64;
	ip->protocol = protocol;
	ip->saddr = from.s_addr;
	ip->daddr = to.s_addr;
	ip->check = ip_checksum(ip, sizeof(*ip));
}

/* A ping through the tunnel; the size without ICV. */
size_t esppeer_ping(struct esppeer *peer, uint8_t *esp)
{
	/* Padding to a multiple of four, its length, and the next header: IPv4 */
	static const uint8_t trailer[] = { 1, 2, 2, IPPROTO_IPIP };
	const uint32_t header[] = { htonl(peer->spi), htonl(esppeer_next_seq(peer)) };
	const struct in_addr from = { htonl(PEERS_NET | (peer->number & 0xffff)) };
	const struct in_addr to = { htonl(GATEWAY_NET) };
	struct icmphdr icmp = { .type = ICMP_ECHO };
	struct iphdr ip;
	uint8_t *end = esp;

	icmp.un.echo.id = htons(peer->number);
	icmp.un.echo.sequence = htons(1);
	icmp.checksum = ip_checksum(&icmp, sizeof(icmp));
	ip_header(&ip, IPPROTO_ICMP, sizeof(icmp), from, to);

	end = mempcpy(end, header, sizeof(header));
	end = mempcpy(end, &ip, sizeof(ip));
	end = mempcpy(end, &icmp, sizeof(icmp));
	end = mempcpy(end, trailer, sizeof(trailer));
	return end - esp;
}

/* Append the ICV; returns the size with it. */
size_t esppeer_seal(const struct esppeer *peer, uint8_t *esp, size_t size)
{
	uint8_t digest[SHA256_SIZE];

	hmac_sha256(&peer->hmac, esp, size, digest);
	memcpy(esp + size, digest, ESP_ICV);
	return size + ESP_ICV;
}

/* The address differs from that of the next place. */
void esppeer_place(const struct esppeer *peer, uint32_t place,
		   struct in_addr *address, uint16_t *port)
{
	place %= ESP_PLACES;
	address->s_addr = htonl(PEERS_PLACES + (place % 16 << 16) +
				(peer->number & 0xffff));
	*port = ESP_PORT + place / 16;
}

void esppacket_headers(struct esppacket *packet, size_t esp_size,
		       struct in_addr from, uint16_t port, struct in_addr to)
{
	size_t size = sizeof(packet->udp) + esp_size;

	ip_header(&packet->ip, IPPROTO_UDP, size, from, to);
	packet->udp.source = htons(port);
	packet->udp.dest = htons(ESP_PORT);
	packet->udp.len = htons(size);
	packet->udp.check = 0;
}
