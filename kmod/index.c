// SPDX-License-Identifier: GPL-2.0
/*
 * Where an SA that we know of is found: by its xfrm_state, by its flow, by its
 * SPI, and by its reqid.
 */
#include "index.h"

#include "net.h"
#include "table.h"

static struct esptrack_table by_state __read_mostly;
static struct esptrack_table by_flow __read_mostly;
static struct esptrack_table by_id __read_mostly;
static struct esptrack_table by_reqid __read_mostly;

static struct hlist_head *state_head(const struct xfrm_state *x)
{
	return esptrack_table_by_pointer(&by_state, x);
}

static struct hlist_head *id_head(const struct esptrack_net *tn, __be32 spi)
{
	return esptrack_table_by_value(&by_id, tn->net, (__force u32)spi);
}

static u32 endpoint_hash(const struct esptrack_endpoint *endpoint)
{
	return jhash2((const u32 *)endpoint, sizeof(*endpoint) / sizeof(u32),
		      by_flow.seed);
}

/* The sum makes both directions meet in one chain, so that we need not know
 * which of the ends is ours.
 */
static struct hlist_head *flow_head(const struct esptrack_flow *flow)
{
	return esptrack_table_by_value(&by_flow, flow->net->net,
				       endpoint_hash(&flow->src) +
				       endpoint_hash(&flow->dst));
}

/**
 * esptrack_index_flow() - the chain that holds all SAs of a flow, and others
 * @flow: of an SA in the index, or what it was when the SA left it
 *
 * Of both directions. Tell the SAs of the flow from others by
 * esptrack_flow_relation(). The hash is kept, as it is a good part of what it
 * costs to look at a flow.
 */
struct hlist_head *esptrack_index_flow(const struct esptrack_flow *flow)
{
	return flow->chain;
}

/**
 * esptrack_ends_relation() - what two flows are to each other, whosever
 * @flow: a flow
 * @other: another one
 *
 * Return: %ESPTRACK_DIR_IN if their ends are the same, %ESPTRACK_DIR_OUT if
 * they are exchanged, else 0.
 */
u8 esptrack_ends_relation(const struct esptrack_flow *flow,
			  const struct esptrack_flow *other)
{
	if (flow->net != other->net)
		return 0;
	if (esptrack_endpoint_equal(&flow->src, &other->src) &&
	    esptrack_endpoint_equal(&flow->dst, &other->dst))
		return ESPTRACK_DIR_IN;
	if (esptrack_endpoint_equal(&flow->src, &other->dst) &&
	    esptrack_endpoint_equal(&flow->dst, &other->src))
		return ESPTRACK_DIR_OUT;
	return 0;
}

/**
 * esptrack_flow_relation() - what the flow of an SA is to that of another
 * @flow: of one SA
 * @other: of the other one
 *
 * Return: %ESPTRACK_DIR_IN if they are the same, %ESPTRACK_DIR_OUT if @other
 * is the opposite direction of @flow, and 0 if they are different flows. So if @flow
 * is an inbound SA's, it is the direction of the other one.
 */
u8 esptrack_flow_relation(const struct esptrack_flow *flow,
			  const struct esptrack_flow *other)
{
	if (flow->peer != other->peer)
		return 0;
	return esptrack_ends_relation(flow, other);
}

/**
 * esptrack_index_of_state() - the tracked SA of an xfrm_state
 * @x: any SA
 *
 * Context: any, esptrack_lock or the RCU read lock held.
 * Return: the SA, or NULL. Not counted.
 */
struct esptrack_sa *esptrack_index_of_state(const struct xfrm_state *x)
{
	struct esptrack_sa *sa;

	hlist_for_each_entry_rcu(sa, state_head(x), by_state,
				 lockdep_is_held(&esptrack_lock))
		if (READ_ONCE(sa->x) == x)
			return sa;

	return NULL;
}

/**
 * esptrack_index_reqid() - the chain that holds all SAs with a reqid, and others
 * @tn: namespace
 * @reqid: any
 *
 * The newest ones come first.
 */
struct hlist_head *esptrack_index_reqid(const struct esptrack_net *tn,
					u32 reqid)
{
	return esptrack_table_by_value(&by_reqid, tn->net, reqid);
}

/* From a node of a chain by reqid on, which other SAs share. */
static struct esptrack_sa *living_of(struct hlist_node *node,
				     const struct esptrack_net *tn, u32 reqid)
	__must_hold(&esptrack_lock)
{
	struct esptrack_sa *sa = hlist_entry_safe(node, struct esptrack_sa,
						  by_reqid);

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry_from(sa, by_reqid)
		if (sa->flow.net == tn && sa->x->props.reqid == reqid &&
		    !esptrack_sa_is_dead(sa))
			return sa;

	return NULL;
}

/**
 * esptrack_index_first_of() - the newest living SA with a reqid
 * @tn: namespace
 * @reqid: any
 *
 * Context: any, esptrack_lock held.
 * Return: the SA, or NULL.
 */
struct esptrack_sa *esptrack_index_first_of(const struct esptrack_net *tn,
					    u32 reqid)
{
	return living_of(esptrack_index_reqid(tn, reqid)->first, tn, reqid);
}

/**
 * esptrack_index_next_of() - the next older living SA with the same reqid
 * @sa: an SA in the index
 *
 * Context: any, esptrack_lock held.
 * Return: the SA, or NULL.
 */
struct esptrack_sa *esptrack_index_next_of(const struct esptrack_sa *sa)
{
	return living_of(sa->by_reqid.next, sa->flow.net, sa->x->props.reqid);
}

static bool has_id(const struct esptrack_sa *sa,
		   const struct esptrack_sa_id *id)
{
	const struct xfrm_state *x = sa->x;

	return x->id.spi == id->spi && x->props.family == id->family &&
	       x->mark.v == id->mark.v && x->mark.m == id->mark.m &&
	       xfrm_addr_equal(&x->id.daddr, &id->daddr, id->family);
}

/**
 * esptrack_index_find() - the SA with an identity
 * @net: its namespace
 * @id: what to look for
 *
 * Context: any, esptrack_lock held.
 * Return: the SA, which may be dead, or NULL.
 */
struct esptrack_sa *esptrack_index_find(struct net *net,
					const struct esptrack_sa_id *id)
{
	struct esptrack_net *tn = esptrack_net(net);
	struct esptrack_sa *sa;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(sa, id_head(tn, id->spi), by_id)
		if (sa->flow.net == tn && has_id(sa, id))
			return sa;

	return NULL;
}

/**
 * esptrack_flow_set_ends() - have a flow begin and end where an SA does
 * @flow: the flow; its namespace, peer and chain stay
 * @x: the SA, with encapsulation
 *
 * Context: any, esptrack_lock held, x->lock not.
 */
void esptrack_flow_set_ends(struct esptrack_flow *flow, struct xfrm_state *x)
{
	lockdep_assert_held(&esptrack_lock);

	spin_lock(&x->lock);
	esptrack_endpoint_set(&flow->src, &x->props.saddr,
			      x->encap->encap_sport, x->props.family);
	esptrack_endpoint_set(&flow->dst, &x->id.daddr,
			      x->encap->encap_dport, x->props.family);
	spin_unlock(&x->lock);
}

static bool has_ends(const struct esptrack_flow *flow, struct xfrm_state *x)
	__must_hold(&esptrack_lock)
{
	const u16 family = x->props.family;
	bool same;

	lockdep_assert_held(&esptrack_lock);

	spin_lock(&x->lock);
	same = x->encap->encap_sport == flow->src.port &&
	       x->encap->encap_dport == flow->dst.port &&
	       xfrm_addr_equal(&x->props.saddr, &flow->src.addr, family) &&
	       xfrm_addr_equal(&x->id.daddr, &flow->dst.addr, family);
	spin_unlock(&x->lock);

	return same;
}

static void index_relink(struct esptrack_sa *sa, struct hlist_head *chain)
	__must_hold(&esptrack_lock)
{
	if (!hlist_unhashed(&sa->by_flow))
		hlist_del(&sa->by_flow);
	sa->flow.chain = chain;
	hlist_add_head(&sa->by_flow, chain);
}

/**
 * esptrack_index_update() - follow a change of an SA's ends
 * @sa: whose xfrm_state has been written to
 *
 * Context: any, esptrack_lock held, x->lock not.
 */
void esptrack_index_update(struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	if (!hlist_unhashed(&sa->by_flow) && has_ends(&sa->flow, sa->x))
		return;
	esptrack_flow_set_ends(&sa->flow, sa->x);
	index_relink(sa, flow_head(&sa->flow));
}

/**
 * esptrack_index_leave() - where SAs of a flow will be found that move together
 * @flow: of one of them, inbound
 * @to: the peer's new endpoint
 *
 * Context: any, esptrack_lock held.
 * Return: the chain, for esptrack_index_move().
 */
struct hlist_head *esptrack_index_leave(const struct esptrack_flow *flow,
					const struct esptrack_endpoint *to)
{
	struct esptrack_flow moved = *flow;

	lockdep_assert_held(&esptrack_lock);

	moved.src = *to;
	return flow_head(&moved);
}

/**
 * esptrack_index_move() - an SA has just been moved
 * @sa: the SA, in the index
 * @dir: &enum esptrack_dir
 * @to: the peer's new endpoint, as it was written to the SA
 * @chain: from esptrack_index_leave()
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_index_move(struct esptrack_sa *sa, u8 dir,
			 const struct esptrack_endpoint *to,
			 struct hlist_head *chain)
{
	lockdep_assert_held(&esptrack_lock);

	if (dir == ESPTRACK_DIR_IN)
		sa->flow.src = *to;
	else
		sa->flow.dst = *to;
	index_relink(sa, chain);
}

/**
 * esptrack_index_add() - from now on an SA is found
 * @sa: a new SA, with its @x and namespace
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_index_add(struct esptrack_sa *sa)
{
	const struct xfrm_state *x = sa->x;

	lockdep_assert_held(&esptrack_lock);

	hlist_add_head_rcu(&sa->by_state, state_head(x));
	hlist_add_head(&sa->by_id, id_head(sa->flow.net, x->id.spi));
	hlist_add_head(&sa->by_reqid,
		       esptrack_index_reqid(sa->flow.net, x->props.reqid));
	esptrack_index_update(sa);
}

/**
 * esptrack_index_replace() - an SA has got another xfrm_state
 * @sa: the SA
 * @x: the new one, with the same identity
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_index_replace(struct esptrack_sa *sa, struct xfrm_state *x)
{
	lockdep_assert_held(&esptrack_lock);

	hlist_del_rcu(&sa->by_state);
	hlist_del(&sa->by_reqid);
	WRITE_ONCE(sa->x, x);
	hlist_add_head_rcu(&sa->by_state, state_head(x));
	hlist_add_head(&sa->by_reqid,
		       esptrack_index_reqid(sa->flow.net, x->props.reqid));
	esptrack_index_update(sa);
}

/**
 * esptrack_index_del() - an SA is not found any more
 * @sa: the SA
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_index_del(struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	hlist_del_rcu(&sa->by_state);
	hlist_del_init(&sa->by_flow);
	hlist_del_init(&sa->by_id);
	hlist_del_init(&sa->by_reqid);
}

int esptrack_index_init(void)
{
	int err = esptrack_table_init(&by_state) ?:
		  esptrack_table_init(&by_flow) ?:
		  esptrack_table_init(&by_id) ?:
		  esptrack_table_init(&by_reqid);

	if (err)
		esptrack_index_uninit();
	return err;
}

void esptrack_index_uninit(void)
{
	esptrack_table_uninit(&by_reqid);
	esptrack_table_uninit(&by_id);
	esptrack_table_uninit(&by_flow);
	esptrack_table_uninit(&by_state);
}
