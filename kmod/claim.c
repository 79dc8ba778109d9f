// SPDX-License-Identifier: GPL-2.0
/*
 * Claims: packets from elsewhere that are with an asynchronous crypto engine.
 *
 * When the engine is done, xfrm_input() goes on without passing the hook
 * again, and the outer headers may be gone by then. So what the hook saw is
 * kept here under the skb's pointer until the protocol's callback tells how it
 * ended. Unauthenticated packets come here too: the table has a fixed
 * size, and a newcomer replaces what is in its slot. Whoever loses his claim
 * is followed with his next packet.
 */
#include "claim.h"

#include <crypto/aead.h>
#include <linux/hash.h>
#include <net/xfrm.h>

#include "packet.h"

#define CLAIM_BITS	8

/**
 * struct claim - a slot of the table
 * @lock: as said beside it
 * @skb: the packet, only ever compared; NULL if the slot is free
 * @x: its SA, only ever compared
 * @packet: what the hook saw
 * @since: jiffies when it was put
 */
struct claim {
	spinlock_t lock;	/* protects all of the slot */
	const struct sk_buff *skb;
	const struct xfrm_state *x;
	struct esptrack_packet packet;
	unsigned long since;
} ____cacheline_aligned_in_smp;

static struct claim claims[1 << CLAIM_BITS];

/* Slots in use */
atomic_t esptrack_claims __read_mostly = ATOMIC_INIT(0);

/* One bit per address family: the callback is registered */
enum { CALLBACK_IPV4, CALLBACK_IPV6, CALLBACKS };
unsigned long esptrack_claim_callbacks __read_mostly;
/* Tracked SAs that need it */
static atomic_t callback_users[CALLBACKS];

static int callback_of(u16 family)
{
	return family == AF_INET ? CALLBACK_IPV4 : CALLBACK_IPV6;
}

static struct claim *claim_slot(const struct sk_buff *skb)
{
	return &claims[hash_ptr(skb, CLAIM_BITS)];
}

static void claim_clear(struct claim *claim)
	__must_hold(&claim->lock)
{
	lockdep_assert_held(&claim->lock);

	claim->skb = NULL;
	atomic_dec(&esptrack_claims);
}

/**
 * esptrack_claim_needed() - can the crypto of an SA be asynchronous?
 * @x: an ESP SA
 */
bool esptrack_claim_needed(const struct xfrm_state *x)
{
	struct crypto_aead *aead = x->data;

	return crypto_aead_alg(aead)->base.cra_flags & CRYPTO_ALG_ASYNC;
}

/**
 * esptrack_claim_put() - remember a packet before it is decrypted
 * @skb: the packet
 * @x: its SA
 * @packet: what the hook saw of it
 *
 * Does nothing where the crypto of this SA answers at once.
 *
 * Context: softirq, or softirqs off, as xfrm_input() is in any case.
 */
void esptrack_claim_put(struct sk_buff *skb, struct xfrm_state *x,
			const struct esptrack_packet *packet)
{
	struct claim *claim = claim_slot(skb);

	if (!test_bit(callback_of(x->props.family), &esptrack_claim_callbacks) ||
	    !esptrack_claim_needed(x))
		return;

	spin_lock(&claim->lock);
	if (!claim->skb)
		atomic_inc(&esptrack_claims);
	claim->skb = skb;
	claim->x = x;
	claim->packet = *packet;
	claim->since = jiffies;
	spin_unlock(&claim->lock);
}

static bool claim_take(const struct sk_buff *skb, struct claim *taken)
{
	struct claim *claim = claim_slot(skb);
	bool found;

	spin_lock(&claim->lock);
	found = claim->skb == skb;
	if (found) {
		taken->x = claim->x;
		taken->packet = claim->packet;
		claim_clear(claim);
	}
	spin_unlock(&claim->lock);

	return found;
}

/**
 * esptrack_claim_clear() - esptrack_claim_drop(), while there are claims
 * @skb: the packet, which may be gone already
 *
 * Context: as esptrack_claim_put().
 */
void esptrack_claim_clear(const struct sk_buff *skb)
{
	struct claim *claim = claim_slot(skb);

	spin_lock(&claim->lock);
	if (claim->skb == skb)
		claim_clear(claim);
	spin_unlock(&claim->lock);
}

/* Drop the claims that are older than @age jiffies. */
static void claims_purge(unsigned long age)
{
	struct claim *claim;

	for (claim = claims; claim < claims + ARRAY_SIZE(claims); claim++) {
		spin_lock_bh(&claim->lock);
		if (claim->skb && time_after_eq(jiffies, claim->since + age))
			claim_clear(claim);
		spin_unlock_bh(&claim->lock);
	}
}

/**
 * esptrack_claim_expire() - forget packets that never came back
 *
 * A packet is dropped without a callback where its SA dies while it is with
 * the crypto engine. Its claim would keep all others off the fast path.
 *
 * Context: process.
 */
void esptrack_claim_expire(void)
{
	if (esptrack_claims_pending())
		claims_purge(HZ);
}

/* The packet still names its SAs, and holds them. A claim whose SA is not
 * among them belongs to an earlier skb at this address.
 */
static struct xfrm_state *claim_state(const struct claim *claim,
				      const struct sk_buff *skb)
{
	const struct sec_path *sp = skb_sec_path(skb);
	int i;

	for (i = 0; sp && i < sp->len; i++)
		if (sp->xvec[i] == claim->x)
			return sp->xvec[i];

	return NULL;
}

static noinline void claim_accepted(const struct sk_buff *skb)
{
	struct claim claim;
	struct xfrm_state *x;

	if (!claim_take(skb, &claim))
		return;

	x = claim_state(&claim, skb);
	if (!x)
		return;
	claim.packet.advanced = true;
	esptrack_packet_accepted(x, &claim.packet);
}

/* xfrm_rcv_cb(): @err is 0 when all transforms of the packet went well, and
 * negative when it is about to be dropped. More than 0 passes it on to the
 * next handler. Called for every ESP packet, so it needs no stack of its own.
 */
static int claim_callback(struct sk_buff *skb, int err)
{
	if (unlikely(esptrack_claims_pending())) {
		if (err)
			esptrack_claim_clear(skb);
		else
			claim_accepted(skb);
	}
	return 1;
}

/* We want no packets, only callbacks: -EINVAL and -ENOENT pass them on. */
static int pass_packet(struct sk_buff *skb)
{
	return -EINVAL;
}

static int pass_input(struct sk_buff *skb, int nexthdr, __be32 spi,
		      int encap_type)
{
	return -EINVAL;
}

static int pass_error4(struct sk_buff *skb, u32 info)
{
	return -ENOENT;
}

static int pass_error6(struct sk_buff *skb, struct inet6_skb_parm *opt,
		       u8 type, u8 code, int offset, __be32 info)
{
	return -ENOENT;
}

/* Before VTI (100) and xfrm interfaces (10), which end the chain. */
#define CALLBACK_PRIORITY	1000

/* The callback that is called is that of the last SA of a bundle: what was ESP
 * outside may be AH or IPComp there.
 */
static const u8 protocols[] = { IPPROTO_ESP, IPPROTO_AH, IPPROTO_COMP };

static struct xfrm4_protocol callbacks4[ARRAY_SIZE(protocols)] = {
	[0 ... ARRAY_SIZE(protocols) - 1] = {
		.handler = pass_packet,
		.input_handler = pass_input,
		.cb_handler = claim_callback,
		.err_handler = pass_error4,
		.priority = CALLBACK_PRIORITY,
	},
};

static struct xfrm6_protocol callbacks6[ARRAY_SIZE(protocols)] = {
	[0 ... ARRAY_SIZE(protocols) - 1] = {
		.handler = pass_packet,
		.input_handler = pass_input,
		.cb_handler = claim_callback,
		.err_handler = pass_error6,
		.priority = CALLBACK_PRIORITY,
	},
};

static int callback_register_one(int callback, int i)
{
	if (callback == CALLBACK_IPV4)
		return xfrm4_protocol_register(&callbacks4[i], protocols[i]);
	return xfrm6_protocol_register(&callbacks6[i], protocols[i]);
}

static void callback_deregister(int callback, int n)
{
	while (n--) {
		if (callback == CALLBACK_IPV4)
			xfrm4_protocol_deregister(&callbacks4[n], protocols[n]);
		else
			xfrm6_protocol_deregister(&callbacks6[n], protocols[n]);
	}
}

static int callback_register(int callback)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		int err = callback_register_one(callback, i);

		if (err) {
			/* Also one that is in xfrm's list, but whose
			 * protocol the kernel has refused.
			 */
			callback_deregister(callback, i + 1);
			return err;
		}
	}
	return 0;
}

/* The callback costs every ESP packet of the host a little, so it is there
 * only while an SA needs it. Registering sleeps, hence the work.
 */
static void callbacks_update(struct work_struct *work)
{
	int i;

	for (i = 0; i < CALLBACKS; i++) {
		bool wanted = atomic_read(&callback_users[i]);

		if (wanted == test_bit(i, &esptrack_claim_callbacks))
			continue;
		if (wanted) {
			int err = callback_register(i);

			if (err)
				pr_warn_once("asynchronous crypto is not followed: %d\n",
					     err);
			else
				set_bit(i, &esptrack_claim_callbacks);
		} else {
			clear_bit(i, &esptrack_claim_callbacks);
			/* Waits for those who have seen the bit. */
			callback_deregister(i, ARRAY_SIZE(protocols));
		}
	}

	/* What is left now nobody will come for. */
	if (!esptrack_claim_callbacks)
		claims_purge(0);
}

static DECLARE_WORK(callbacks_work, callbacks_update);

/**
 * esptrack_claim_get() - an SA that needs claims is being tracked
 * @family: of the SA
 *
 * Context: any.
 */
void esptrack_claim_get(u16 family)
{
	if (atomic_inc_return(&callback_users[callback_of(family)]) == 1)
		schedule_work(&callbacks_work);
}

/**
 * esptrack_claim_release() - it is not tracked any more
 * @family: of the SA
 *
 * Context: any.
 */
void esptrack_claim_release(u16 family)
{
	if (atomic_dec_and_test(&callback_users[callback_of(family)]))
		schedule_work(&callbacks_work);
}

void esptrack_claim_init(void)
{
	struct claim *claim;

	for (claim = claims; claim < claims + ARRAY_SIZE(claims); claim++)
		spin_lock_init(&claim->lock);
}

/**
 * esptrack_claim_uninit() - take the callbacks away
 *
 * No SA is tracked any more.
 *
 * Context: process.
 */
void esptrack_claim_uninit(void)
{
	flush_work(&callbacks_work);
	callbacks_update(NULL);
}
