// SPDX-License-Identifier: GPL-2.0
/*
 * The move of one SA, in place.
 *
 * Ports are just values that output reads. The address is part of the keys of
 * the SAD's hash tables, and which chain a key belongs to only the kernel
 * knows. So the kernel is asked to insert a placeholder with the new key, before
 * which the SA is then put: no SA is cloned or reinstalled, and its sequence
 * numbers go on.
 */
#include "move.h"

#include <linux/esptrack.h>
#include <linux/rculist.h>

#include "compat.h"
#include "sa.h"

static xfrm_address_t *remote_address(struct xfrm_state *x, u8 dir)
{
	return dir == ESPTRACK_DIR_IN ? &x->props.saddr : &x->id.daddr;
}

static __be16 *remote_port(struct xfrm_state *x, u8 dir)
{
	return dir == ESPTRACK_DIR_IN ? &x->encap->encap_sport :
					&x->encap->encap_dport;
}

/**
 * esptrack_move_mode() - can the address of an SA change?
 * @x: the SA
 *
 * In transport mode it is that of the connection inside as well.
 */
bool esptrack_move_mode(const struct xfrm_state *x)
{
	return esptrack_xfrm_mode_is_outer(x->props.mode);
}

static struct xfrm_state *at_key(struct xfrm_state *x,
				 const struct esptrack_endpoint *to)
{
	return xfrm_state_lookup(xs_net(x), x->mark.v, &to->addr, x->id.spi,
				 x->id.proto, x->props.family);
}

/* Output by a policy that names the SPI has not found the SA, and has put something
 * there that waits for it.
 */
static bool waits_for(const struct xfrm_state *larval, const struct xfrm_state *x)
{
	return READ_ONCE(larval->km.state) == XFRM_STATE_ACQ &&
	       larval->props.reqid == x->props.reqid;
}

/**
 * esptrack_move_collides() - has another SA the key that this one would get?
 * @x: an outbound SA; the key of an inbound one does not name the peer
 * @to: the peer's new endpoint
 *
 * xfrm_state_insert() does not look.
 *
 * Context: any.
 */
bool esptrack_move_collides(struct xfrm_state *x,
			    const struct esptrack_endpoint *to)
{
	struct xfrm_state *other = at_key(x, to);
	bool ret;

	if (!other)
		return false;
	ret = !waits_for(other, x);
	xfrm_state_put(other);
	return ret;
}

/* What waits for the SA there need not wait any more, and would be in the way of a
 * daemon that adds the SA there itself.
 */
static void end_wait(struct xfrm_state *x, const struct esptrack_endpoint *to)
{
	struct xfrm_state *other = at_key(x, to);

	if (!other)
		return;
	if (waits_for(other, x))
		xfrm_state_delete(other);
	xfrm_state_put(other);
}

/**
 * esptrack_move_meets() - is an inbound SA at an address already?
 * @x: an SA that may go there
 * @local: our end
 * @to: the peer's new endpoint
 *
 * Whosever, in UDP or not, if it has the same local address and the mark of @x: the
 * kernel does not look for others.
 *
 * Context: any.
 */
bool esptrack_move_meets(struct xfrm_state *x,
			 const struct esptrack_endpoint *local,
			 const struct esptrack_endpoint *to)
{
	struct xfrm_state *other;

	other = xfrm_state_lookup_byaddr(xs_net(x), x->mark.v, &local->addr,
					 &to->addr, x->id.proto,
					 x->props.family);
	if (!other)
		return false;
	xfrm_state_put(other);
	return true;
}

/**
 * esptrack_move_prepare() - make a place in the SAD for a new address
 * @x: the SA
 * @dir: &enum esptrack_dir
 * @to: the peer's new endpoint
 *
 * What waits there for an outbound SA, larval, is deleted.
 *
 * Context: softirqs off, no lock of xfrm held.
 * Return: the placeholder, for esptrack_move_sa() or esptrack_move_cancel();
 * NULL without memory.
 */
struct xfrm_state *esptrack_move_prepare(struct xfrm_state *x, u8 dir,
					 const struct esptrack_endpoint *to)
{
	struct xfrm_state *place = xfrm_state_alloc(xs_net(x));

	if (!place)
		return NULL;

	place->id = x->id;
	place->mark = x->mark;
	place->if_id = x->if_id;
	place->props.reqid = x->props.reqid;
	place->props.mode = x->props.mode;
	place->props.family = x->props.family;
	place->props.saddr = x->props.saddr;
	esptrack_xfrm_copy_pcpu(place, x);
	*remote_address(place, dir) = to->addr;
	if (dir == ESPTRACK_DIR_IN) {
		/* The SA stays in its chain by SPI, where its placeholder must
		 * not hide it. Without SPI it would look like an SA that the
		 * daemon has asked for, were it not void.
		 */
		place->id.spi = 0;
		place->km.state = XFRM_STATE_VOID;
	} else {
		/* Output that finds no SA but this drops the packet, or queues it
		 * (net.core.xfrm_larval_drop), and does not ask the daemon for
		 * another SA, unless the policy has a security label. The same goes
		 * for one that waits for its daemon, with any label; but
		 * xfrm_state_update() takes the place of those.
		 */
		place->km.state = XFRM_STATE_ERROR;
		end_wait(x, to);
	}

	xfrm_state_hold(place);
	xfrm_state_insert(place);
	return place;
}

/**
 * esptrack_move_cancel() - give a placeholder up
 * @place: from esptrack_move_prepare()
 *
 * Context: softirqs off, no lock of xfrm held.
 */
void esptrack_move_cancel(struct xfrm_state *place)
{
	/* It may have been flushed: xfrm_state_delete() knows. */
	xfrm_state_delete(place);
	xfrm_state_put(place);
}

/* Output compares without a lock, when it uses a route again. */
static void next_generation(struct xfrm_state *x)
	__must_hold(&xs_net(x)->xfrm.xfrm_state_lock)
{
	WRITE_ONCE(x->genid, x->genid + 1);
}

/* Who deletes an SA says so before he waits for xfrm_state_lock to unlink it: as
 * long as it is not dead it is linked, and stays so while the lock is held.
 */
static bool is_linked(const struct xfrm_state *place)
	__must_hold(&xs_net(place)->xfrm.xfrm_state_lock)
{
	return READ_ONCE(place->km.state) != XFRM_STATE_DEAD;
}

/* Under xfrm_state_lock. */
static void node_to_place(struct hlist_node *node, struct hlist_node *place)
{
	hlist_del_rcu(node);
	hlist_add_before_rcu(node, place);
}

/* The placeholder stays where it is, behind the SA, for the kernel to unlink.
 *
 * Who walks a chain by RCU may stand on the SA while it goes to another one,
 * and miss what follows, once. (When the kernel resizes its tables, it can tell.)
 */
static bool join_place(struct xfrm_state *x, struct xfrm_state *place, u8 dir,
		       const xfrm_address_t *to)
	__must_hold(&x->lock)
{
	spinlock_t *sad_lock = &xs_net(x)->xfrm.xfrm_state_lock;
	bool linked;

	lockdep_assert_held(&x->lock);

	spin_lock(sad_lock);
	linked = is_linked(place);
	if (linked) {
		/* Before the SA is in its new place: who looks there finds the
		 * placeholder or all of the SA.
		 */
		esptrack_address_write(remote_address(x, dir), to);
		node_to_place(&x->bydst, &place->bydst);
		node_to_place(&x->bysrc, &place->bysrc);
		if (dir == ESPTRACK_DIR_OUT)
			node_to_place(&x->byspi, &place->byspi);
		/* Routes that were resolved for the old address are stale. */
		next_generation(x);
	}
	spin_unlock(sad_lock);

	return linked;
}

/* May the route of a packet depend on its ports? Rules of routing can name
 * them.
 */
static bool routes_by_port(const struct net *net, u16 family)
{
#ifdef CONFIG_IP_MULTIPLE_TABLES
	if (family == AF_INET)
		return READ_ONCE(net->ipv4.fib_rules_require_fldissect);
#endif
#ifdef CONFIG_IPV6_MULTIPLE_TABLES
	if (family == AF_INET6)
		return READ_ONCE(net->ipv6.fib6_rules_require_fldissect);
#endif
	return false;
}

/* xfrm looks up the route for the ports of the SA, and keeps it. */
static void drop_route(struct xfrm_state *x)
	__must_hold(&x->lock)
{
	spinlock_t *sad_lock = &xs_net(x)->xfrm.xfrm_state_lock;

	lockdep_assert_held(&x->lock);

	spin_lock(sad_lock);
	next_generation(x);
	spin_unlock(sad_lock);
}

/**
 * esptrack_move_sa() - write a new endpoint into a live SA
 * @x: the SA
 * @place: from esptrack_move_prepare(), void afterwards; NULL if only the port
 *	changes
 * @dir: &enum esptrack_dir
 * @from: the endpoint so far
 * @to: the endpoint from now on
 *
 * Who builds a packet reads the ports under x->lock, as xfrm_state_update() writes
 * them. Who looks up its route reads them without; each is written at once.
 *
 * Context: any, esptrack_lock held, x->lock not.
 * Return: true, and the reference to @place stays with the caller. False if the
 * SA died, or somebody wrote to it, or the SAD is being flushed; @place is given
 * up.
 */
bool esptrack_move_sa(struct xfrm_state *x, struct xfrm_state *place, u8 dir,
		      const struct esptrack_endpoint *from,
		      const struct esptrack_endpoint *to)
{
	__be16 *port = remote_port(x, dir);
	bool moved;

	lockdep_assert_held(&esptrack_lock);

	spin_lock(&x->lock);
	/* The address is ours alone to write. Of the port the daemon may be
	 * quicker: an SA must not stay behind for that where its policies have
	 * another address already.
	 */
	moved = x->km.state == XFRM_STATE_VALID &&
		(place || *port == from->port) &&
		xfrm_addr_equal(remote_address(x, dir), &from->addr,
				x->props.family);
	if (moved && place)
		moved = join_place(x, place, dir, &to->addr);
	if (moved)
		WRITE_ONCE(*port, to->port);
	if (moved && !place && routes_by_port(xs_net(x), x->props.family))
		drop_route(x);
	spin_unlock(&x->lock);

	if (place && moved)
		xfrm_state_delete(place);
	else if (place)
		esptrack_move_cancel(place);
	return moved;
}

/**
 * esptrack_move_refresh() - have routes looked up once more
 * @x: an SA that was moved to another address a while ago
 *
 * Somebody may have looked up the old address just before the move, and have
 * noted the new generation just after.
 *
 * Context: process, x->lock not held.
 */
void esptrack_move_refresh(struct xfrm_state *x)
{
	spinlock_t *sad_lock = &xs_net(x)->xfrm.xfrm_state_lock;

	spin_lock_bh(sad_lock);
	next_generation(x);
	spin_unlock_bh(sad_lock);
}
