// SPDX-License-Identifier: GPL-2.0
/*
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104) of it. That it is right shows in that
 * the kernel accepts the packets.
 */
#include "sha256.h"

#include <string.h>

static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t load(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void store(uint8_t *p, uint32_t value)
{
	p[0] = value >> 24;
	p[1] = value >> 16;
	p[2] = value >> 8;
	p[3] = value;
}

static uint32_t ror(uint32_t value, int bits)
{
	return value >> bits | value << (32 - bits);
}

static void add_block(struct sha256 *hash, const uint8_t *block)
{
	uint32_t w[64], s[8];
	int i;

	for (i = 0; i < 16; i++)
		w[i] = load(block + 4 * i);
	for (; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) +
		       w[i - 7] + (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
	}

	memcpy(s, hash->state, sizeof(s));
	for (i = 0; i < 64; i++) {
		uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		uint32_t t = s[7] + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) +
			     choice + round_constants[i] + w[i];
		uint32_t u = (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)) +
			     majority;

		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += t;
		s[0] = t + u;
	}
	for (i = 0; i < 8; i++)
		hash->state[i] += s[i];
}

void sha256_init(struct sha256 *hash)
{
	static const uint32_t first[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(hash->state, first, sizeof(first));
	hash->size = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t size)
{
	const uint8_t *from = data;

	while (size) {
		size_t have = hash->size % SHA256_BLOCK;
		size_t n = SHA256_BLOCK - have;

		if (n > size)
			n = size;
		memcpy(hash->block + have, from, n);
		hash->size += n;
		from += n;
		size -= n;
		if (have + n == SHA256_BLOCK)
			add_block(hash, hash->block);
	}
}

void sha256_end(struct sha256 *hash, uint8_t *digest)
{
	uint64_t bits = hash->size * 8;
	uint8_t length[8];
	int i;

	sha256_add(hash, "\x80", 1);
	while (hash->size % SHA256_BLOCK != SHA256_BLOCK - sizeof(length))
		sha256_add(hash, "", 1);
	store(length, bits >> 32);
	store(length + 4, bits);
	sha256_add(hash, length, sizeof(length));
	for (i = 0; i < 8; i++)
		store(digest + 4 * i, hash->state[i]);
}

static void add_pad(struct sha256 *hash, const uint8_t *key, size_t size,
		    uint8_t with)
{
	uint8_t block[SHA256_BLOCK];
	size_t i;

	for (i = 0; i < sizeof(block); i++)
		block[i] = (i < size ? key[i] : 0) ^ with;
	sha256_init(hash);
	sha256_add(hash, block, sizeof(block));
}

/* Keys of up to a block. */
void hmac_sha256_key(struct hmac_sha256 *hmac, const uint8_t *key, size_t size)
{
	add_pad(&hmac->inner, key, size, 0x36);
	add_pad(&hmac->outer, key, size, 0x5c);
}

void hmac_sha256(const struct hmac_sha256 *hmac, const void *data, size_t size,
		 uint8_t *digest)
{
	struct sha256 hash = hmac->inner;

	sha256_add(&hash, data, size);
	sha256_end(&hash, digest);
	hash = hmac->outer;
	sha256_add(&hash, digest, SHA256_SIZE);
	sha256_end(&hash, digest);
}
