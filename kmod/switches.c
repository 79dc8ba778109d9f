// SPDX-License-Identifier: GPL-2.0
/*
 * What may be done with an SA: the switches that its knobs show.
 */
#include "switches.h"

#include "index.h"
#include "sa.h"

/**
 * esptrack_switches_set_one() - set switches of one SA
 * @sa: the SA
 * @switches: what to set
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_switches_set_one(struct esptrack_sa *sa,
			       const struct esptrack_switches *switches)
{
	lockdep_assert_held(&esptrack_lock);

	if (switches->given & ESPTRACK_SWITCH_STATIC_NAT)
		WRITE_ONCE(sa->static_nat,
			   switches->on & ESPTRACK_SWITCH_STATIC_NAT);
	if (switches->given & ESPTRACK_SWITCH_PORT_ONLY)
		sa->port_only = switches->on & ESPTRACK_SWITCH_PORT_ONLY;
	/* What was decided about a source may be decided otherwise now. */
	esptrack_sa_forget_seen(sa);
}

/**
 * esptrack_switches_merge() - some more switches are set
 * @all: those that were set before, and are afterwards
 * @switches: what is set
 */
void esptrack_switches_merge(struct esptrack_switches *all,
			     const struct esptrack_switches *switches)
{
	all->on = (all->on & ~switches->given) | switches->on;
	all->given |= switches->given;
}

/* Of SAs of one flow and reqid. */
static u8 relation(const struct esptrack_sa *sa, const struct esptrack_sa *other)
{
	return other->x->props.reqid == sa->x->props.reqid ?
	       esptrack_flow_relation(&sa->flow, &other->flow) : 0;
}

/* While two inbound SAs overlap in a rekeying, either can be switched off. */
static bool is_followed(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *other;

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow)
		if (relation(sa, other) == ESPTRACK_DIR_IN &&
		    other->static_nat && !esptrack_sa_is_dead(other))
			return true;

	return false;
}

/* One of those with which an outbound SA goes. */
static const struct esptrack_sa *inbound_of(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *other;

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow)
		/* The relation is seen from an outbound SA. */
		if (relation(sa, other) == ESPTRACK_DIR_OUT &&
		    !esptrack_sa_is_dead(other))
			return other;

	return NULL;
}

/**
 * esptrack_switches_share() - let outbound SAs go with an inbound one, or not
 * @sa: one of them, or the inbound one
 *
 * Outbound SAs have no knob of their own. Meant are those of the flow with the
 * same reqid; they go with each of the inbound ones that is followed.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_switches_share(const struct esptrack_sa *sa)
{
	struct esptrack_sa *other;
	bool on;

	lockdep_assert_held(&esptrack_lock);

	if (sa->dir == ESPTRACK_DIR_OUT)
		sa = inbound_of(sa);
	if (!sa || sa->dir != ESPTRACK_DIR_IN)
		return;
	on = is_followed(sa);
	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow) {
		if (relation(sa, other) != ESPTRACK_DIR_OUT)
			continue;
		WRITE_ONCE(other->static_nat, on);
	}
}

/**
 * esptrack_switches_bequeath() - an SA has died
 * @sa: the SA; nothing is done if it is not inbound
 *
 * Outbound SAs that went with it go with those that are left. Where none is, they
 * keep what they have.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_switches_bequeath(const struct esptrack_sa *sa)
{
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	if (sa->dir != ESPTRACK_DIR_IN)
		return;
	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow)
		if (relation(sa, other) == ESPTRACK_DIR_IN &&
		    !esptrack_sa_is_dead(other)) {
			esptrack_switches_share(other);
			return;
		}
}

/**
 * esptrack_switches_set() - set switches of an inbound SA and its outbound ones
 * @sa: the inbound SA
 * @switches: what to set
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_switches_set(struct esptrack_sa *sa,
			   const struct esptrack_switches *switches)
{
	lockdep_assert_held(&esptrack_lock);

	esptrack_switches_set_one(sa, switches);
	esptrack_switches_share(sa);
}
