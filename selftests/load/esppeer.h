/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The peers of esppeers.py, for those who need them faster.
 */
#ifndef ESPPEER_H
#define ESPPEER_H

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stddef.h>

#include "sha256.h"

#define ESP_PORT	4500
#define ESP_HEADER	8
#define ESP_ICV		16
#define ESP_PLACES	32
#define ESP_MAX		65000

/**
 * struct esppeer - a peer of the gateway
 * @number: whose addresses, SPIs and key come of it
 * @spi: of the SA to the gateway
 * @seq: sequence number that was used last
 * @hmac: key of the SA
 */
struct esppeer {
	uint32_t number;
	uint32_t spi;
	uint32_t seq;
	struct hmac_sha256 hmac;
};

/**
 * struct esppacket - headers and ESP, as on the wire
 * @ip: without options
 * @udp: header
 * @esp: header, payload and ICV
 */
struct esppacket {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t esp[ESP_MAX];
};

#define ESPPACKET_HEADERS	offsetof(struct esppacket, esp)
_Static_assert(sizeof(struct iphdr) + sizeof(struct udphdr) == ESPPACKET_HEADERS,
	       "no padding");

void esppeer_init(struct esppeer *peer, uint32_t number);
uint32_t esppeer_next_seq(struct esppeer *peer);
size_t esppeer_ping(struct esppeer *peer, uint8_t *esp);
size_t esppeer_seal(const struct esppeer *peer, uint8_t *esp, size_t size);
void esppeer_place(const struct esppeer *peer, uint32_t place,
		   struct in_addr *address, uint16_t *port);

uint16_t ip_checksum(const void *data, size_t size);
void esppacket_headers(struct esppacket *packet, size_t esp_size,
		       struct in_addr from, uint16_t port, struct in_addr to);

#endif /* ESPPEER_H */
