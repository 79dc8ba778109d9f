/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_CLAIM_H
#define ESPTRACK_CLAIM_H

#include <linux/atomic.h>

struct esptrack_packet;
struct sk_buff;
struct xfrm_state;

extern atomic_t esptrack_claims;
extern unsigned long esptrack_claim_callbacks;

/* Read for each packet: true only while packets from elsewhere are with an
 * asynchronous crypto engine.
 */
static inline bool esptrack_claims_pending(void)
{
	return atomic_read(&esptrack_claims);
}

/* Is there an SA whose crypto may not answer at once? Most hosts need no claims. */
static inline bool esptrack_claims_possible(void)
{
	return READ_ONCE(esptrack_claim_callbacks);
}

void esptrack_claim_put(struct sk_buff *skb, struct xfrm_state *x,
			const struct esptrack_packet *packet);
void esptrack_claim_clear(const struct sk_buff *skb);

/* Forget a packet, which may be gone already. */
static inline void esptrack_claim_drop(const struct sk_buff *skb)
{
	if (esptrack_claims_pending())
		esptrack_claim_clear(skb);
}

bool esptrack_claim_needed(const struct xfrm_state *x);
void esptrack_claim_get(u16 family);
void esptrack_claim_release(u16 family);
void esptrack_claim_expire(void);

void esptrack_claim_init(void);
void esptrack_claim_uninit(void);

#endif /* ESPTRACK_CLAIM_H */
