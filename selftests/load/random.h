/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers that a seed repeats, the same on every machine.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

/* SplitMix64: any seed is a good one. */
static inline uint64_t random_u64(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 0 to @n - 1; @n is small beside 2^64, so none is favoured noticeably. */
static inline uint32_t random_below(struct random *random, uint32_t n)
{
	return random_u64(random) % n;
}

/* True in one of @n cases. */
static inline bool random_one_in(struct random *random, uint32_t n)
{
	return !random_below(random, n);
}

static inline void random_fill(struct random *random, void *data, size_t size)
{
	uint8_t *byte = data;

	while (size--)
		*byte++ = random_u64(random);
}

#endif /* RANDOM_H */
