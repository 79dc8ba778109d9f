// SPDX-License-Identifier: GPL-2.0
/*
 * The hook: a tracked SA's transform is a copy of ESP's in which .input is
 * ours. Every packet of the SA that the kernel decrypts passes there, whatever way it
 * came (UDP socket, GRO, either IP version), and no packet of any other SA does.
 */
#include "hook.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/udp.h>

#include "claim.h"
#include "net.h"
#include "packet.h"
#include "sa.h"
#include "stats.h"

typedef int (*input_fn)(struct xfrm_state *x, struct sk_buff *skb);

/**
 * struct hook - ESP of one address family
 * @input: ESP's own input
 * @orig: ESP's transform, NULL until the first SA is hooked
 * @copy: the same with our input
 *
 * Written once, under esptrack_lock, before any SA points to @copy.
 */
struct hook {
	input_fn input;
	const struct xfrm_type *orig;
	struct xfrm_type *copy;
};

static struct hook esp4 __read_mostly;
static struct hook esp6 __read_mostly;

static input_fn esp_input(const struct hook *hook)
{
	/* The copy was found in x->type: pairs with the release in
	 * esptrack_hook_attach(). To find the input by the copy would need no
	 * barrier, but x->type may be ESP's own again by now.
	 */
	smp_rmb();
	return hook->input;
}

/* The ESP header is at skb->data, and the UDP header right before it:
 * udp_queue_rcv_skb() and GRO alike have pulled it.
 */
static const struct udphdr *encap_udp_hdr(const struct sk_buff *skb)
{
	return (const struct udphdr *)(skb->data - sizeof(struct udphdr));
}

static const xfrm_address_t *packet_saddr(const struct sk_buff *skb, u16 family)
{
	return family == AF_INET ?
	       (const xfrm_address_t *)&ip_hdr(skb)->saddr :
	       (const xfrm_address_t *)&ipv6_hdr(skb)->saddr;
}

static u64 packet_seq(const struct sk_buff *skb)
{
	/* As set by xfrm_input(); the high half is 0 without ESN. */
	return (u64)ntohl(XFRM_SKB_CB(skb)->seq.input.hi) << 32 |
	       ntohl(XFRM_SKB_CB(skb)->seq.input.low);
}

/* @udp is where the UDP header is, from the network header on. Both are there
 * after decryption as they were before, whatever became of the skb's memory:
 * esp_input_done2() itself looks at them then.
 */
static void packet_set(struct esptrack_packet *packet,
		       const struct xfrm_state *x, const struct sk_buff *skb,
		       int udp)
{
	const u16 family = x->props.family;
	const struct udphdr *hdr = (const void *)(skb_network_header(skb) + udp);

	esptrack_endpoint_set(&packet->source, packet_saddr(skb, family),
			      hdr->source, family);
	packet->seq = packet_seq(skb);
	packet->advanced = false;
}

static noinline int input_claims(struct xfrm_state *x, struct sk_buff *skb,
				 input_fn input)
{
	/* A claim by this pointer is of an skb that is long gone. */
	esptrack_claim_drop(skb);
	return input(x, skb);
}

/* Port 0 is any port, as daemons give it to SAs of one processor, whose peer
 * has as many ports as processors.
 */
static bool any_port(const struct xfrm_state *x, const struct sk_buff *skb)
{
	const u16 family = x->props.family;

	if (likely(READ_ONCE(x->encap->encap_sport)))
		return false;
	/* If it is being written, the next packet is taken for what it is. */
	return data_race(xfrm_addr_equal(packet_saddr(skb, family),
					 &x->props.saddr, family));
}

static noinline void input_claim(struct xfrm_state *x, struct sk_buff *skb,
				 int udp)
{
	struct esptrack_packet packet;

	packet_set(&packet, x, skb, udp);
	esptrack_claim_put(skb, x, &packet);
}

static noinline void input_accepted(struct xfrm_state *x,
				    const struct sk_buff *skb, int udp)
{
	struct esptrack_packet packet;

	packet_set(&packet, x, skb, udp);
	esptrack_packet_accepted(x, &packet);
}

/* A forged packet can come at any rate, and leaves from here as it came: the
 * kernel counts it itself. So what only others need is not in this function.
 */
static noinline int input_elsewhere(struct xfrm_state *x, struct sk_buff *skb,
				    input_fn input)
{
	const int udp = (const u8 *)encap_udp_hdr(skb) -
			skb_network_header(skb);
	int nexthdr;

	if (any_port(x, skb))
		return input_claims(x, skb, input);

	/* The engine may take the skb and give it to somebody else. */
	if (unlikely(esptrack_claims_possible()))
		input_claim(x, skb, udp);
	nexthdr = input(x, skb);
	if (nexthdr == -EINPROGRESS)
		return nexthdr;

	esptrack_claim_drop(skb);
	if (likely(nexthdr == -EBADMSG))
		return nexthdr;

	if (nexthdr >= 0)
		input_accepted(x, skb, udp);
	else
		esptrack_stats_count(esptrack_net(xs_net(x)),
				     ESPTRACK_STAT_MALFORMED);
	return nexthdr;
}

static int esp4_input(struct xfrm_state *x, struct sk_buff *skb)
{
	__be32 saddr = ip_hdr(skb)->saddr;

	/* Address and port are written in place under x->lock; stale ones cost
	 * no more than a second look, with the lock, in
	 * esptrack_packet_accepted().
	 */
	if (unlikely(saddr != READ_ONCE(x->props.saddr.a4) ||
		     encap_udp_hdr(skb)->source !=
		     READ_ONCE(x->encap->encap_sport)))
		return input_elsewhere(x, skb, esp_input(&esp4));
	if (unlikely(esptrack_claims_pending()))
		return input_claims(x, skb, esp_input(&esp4));

	return esp_input(&esp4)(x, skb);
}

static int esp6_input(struct xfrm_state *x, struct sk_buff *skb)
{
	const struct in6_addr *saddr = &ipv6_hdr(skb)->saddr;

	/* As above; an address that is half of the old one is no peer's. */
	if (unlikely(!data_race(ipv6_addr_equal(saddr, &x->props.saddr.in6)) ||
		     encap_udp_hdr(skb)->source !=
		     READ_ONCE(x->encap->encap_sport)))
		return input_elsewhere(x, skb, esp_input(&esp6));
	if (unlikely(esptrack_claims_pending()))
		return input_claims(x, skb, esp_input(&esp6));

	return esp_input(&esp6)(x, skb);
}

static struct hook *hook_of(const struct xfrm_state *x)
{
	return x->props.family == AF_INET ? &esp4 : &esp6;
}

static int hook_capture(struct hook *hook, const struct xfrm_type *orig,
			input_fn input)
{
	/* On the heap: it must stay readable until the last reader of x->type
	 * is gone, whoever that is.
	 */
	struct xfrm_type *copy;

	/* Whoever has replaced the transform before us may go at any time. */
	if (orig->owner &&
	    !within_module((unsigned long)orig->input, orig->owner))
		return -EBUSY;

	copy = kmemdup(orig, sizeof(*orig), GFP_ATOMIC);
	if (!copy)
		return -ENOMEM;

	copy->input = input;
	/* The SA at hand holds its owner, so the module cannot be on its way
	 * out; keep it as long as we may call into it.
	 */
	__module_get(orig->owner);
	hook->input = orig->input;
	hook->orig = orig;
	hook->copy = copy;
	return 0;
}

/**
 * esptrack_hook_attach() - let the packets of an SA pass through us
 * @x: an ESP SA that is held by the caller
 *
 * Context: any, esptrack_lock held. x->lock may be held by others: x->type is
 * not protected by it.
 * Return: 0, -ENOMEM, or -EBUSY if somebody else has replaced the transform.
 */
int esptrack_hook_attach(struct xfrm_state *x)
{
	struct hook *hook = hook_of(x);
	const struct xfrm_type *orig = READ_ONCE(x->type);

	lockdep_assert_held(&esptrack_lock);

	if (!hook->orig) {
		int err = hook_capture(hook, orig, hook == &esp4 ? esp4_input :
								   esp6_input);

		if (err)
			return err;
	}

	/* Release: whoever sees the copy sees what it holds, and hook->input. */
	if (cmpxchg_release(&x->type, hook->orig, hook->copy) != hook->orig)
		return -EBUSY;
	return 0;
}

/**
 * esptrack_hook_detach() - give an SA its own transform back
 * @x: an SA that esptrack_hook_attach() took, still held by the caller
 *
 * Packets may be in our input until the next grace period.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_hook_detach(struct xfrm_state *x)
{
	struct hook *hook = hook_of(x);

	lockdep_assert_held(&esptrack_lock);

	cmpxchg(&x->type, hook->copy, hook->orig);
}

static void hook_release(struct hook *hook)
{
	if (!hook->orig)
		return;

	kfree(hook->copy);
	module_put(hook->orig->owner);
}

/**
 * esptrack_hook_uninit() - forget ESP's transforms
 *
 * Every SA has been detached. Input reads x->type with softirqs disabled
 * (xfrm_input()), so that it is over after a grace period. Output by an inbound
 * SA is nothing that makes sense, but somebody's policy can ask for it; it may be
 * preempted with x->type in its hands, but does not sleep.
 *
 * Context: process. May sleep.
 */
void esptrack_hook_uninit(void)
{
	synchronize_net();
	synchronize_rcu_tasks();
	hook_release(&esp4);
	hook_release(&esp6);
}
