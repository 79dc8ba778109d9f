/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE	32
#define SHA256_BLOCK	64

/**
 * struct sha256 - a hash in the making
 * @state: after all whole blocks
 * @size: bytes so far
 * @block: what has not filled a block yet
 */
struct sha256 {
	uint32_t state[8];
	uint64_t size;
	uint8_t block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_end(struct sha256 *hash, uint8_t *digest);

/**
 * struct hmac_sha256 - a key, with the two blocks hashed that come of it
 * @inner: in front of the message
 * @outer: in front of its hash
 */
struct hmac_sha256 {
	struct sha256 inner;
	struct sha256 outer;
};

void hmac_sha256_key(struct hmac_sha256 *hmac, const uint8_t *key, size_t size);
void hmac_sha256(const struct hmac_sha256 *hmac, const void *data, size_t size,
		 uint8_t *digest);

#endif /* SHA256_H */
