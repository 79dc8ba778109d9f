// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces, and the life of the SAs in them.
 */
#include "net.h"

#include <linux/timekeeping.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "claim.h"
#include "event.h"
#include "km.h"
#include "knob.h"
#include "leak.h"
#include "move.h"
#include "policy.h"
#include "sa.h"
#include "siblings.h"
#include "stats.h"
#include "switches.h"

/* How long a deleted SA is kept for a daemon that adds it again, and what is
 * left to do after a move waits.
 */
#define GRACE		HZ
/* Some SAs die without a word (device gone, migrated): look for them. */
#define SWEEP_INTERVAL	(10 * HZ)
/* Seconds for which an SA is looked at that often if neither of its addresses is ours
 * yet. On a standby gateway that may be so for all of them, and for long.
 */
#define SETTLING	60
/* A daemon migrates the SAs of a peer one after the other. */
#define MIGRATION	(HZ / 10)

static unsigned int net_id __read_mostly;
static struct workqueue_struct *workqueue;

struct esptrack_net *esptrack_net(const struct net *net)
{
	return net_generic(net, net_id);
}

bool esptrack_net_is_dying(const struct esptrack_net *tn)
{
	lockdep_assert_held(&esptrack_lock);

	return tn->dying;
}

/**
 * esptrack_net_set_complete() - are all SAs and policies of a namespace known?
 * @tn: namespace
 * @complete: they are
 *
 * Context: process, esptrack_lock not held.
 */
void esptrack_net_set_complete(struct esptrack_net *tn, bool complete)
{
	spin_lock_bh(&esptrack_lock);
	tn->complete = complete && !tn->dying;
	spin_unlock_bh(&esptrack_lock);
}

/**
 * esptrack_net_sweep_later() - there is something that may die in silence
 * @tn: its namespace
 *
 * Context: any.
 */
void esptrack_net_sweep_later(struct esptrack_net *tn)
{
	queue_delayed_work(workqueue, &tn->sweep, SWEEP_INTERVAL);
}

/**
 * esptrack_net_reserve() - find a place in a namespace for an SA
 * @tn: the namespace
 * @sa: a new SA; gets its number
 *
 * Nobody finds it there before esptrack_net_add(). The array may need pages,
 * and for those the lock of all SAs is not held.
 *
 * Context: any, esptrack_lock not held.
 * Return: 0 or -ENOMEM.
 */
int esptrack_net_reserve(struct esptrack_net *tn, struct esptrack_sa *sa)
{
	int err = xa_alloc_cyclic_bh(&tn->sas, &sa->id, NULL, xa_limit_32b,
				     &tn->next_id, GFP_ATOMIC);

	return min(err, 0);
}

/**
 * esptrack_net_unreserve() - an SA does not need its place
 * @tn: the namespace
 * @sa: was never added
 *
 * Context: any, esptrack_lock not held.
 */
void esptrack_net_unreserve(struct esptrack_net *tn,
			    const struct esptrack_sa *sa)
{
	xa_erase_bh(&tn->sas, sa->id);
}

/**
 * esptrack_net_add() - put an SA into its place in its namespace
 * @tn: the namespace
 * @sa: a new SA, for which the place is reserved
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_net_add(struct esptrack_net *tn, struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	/* Needs no memory, as the place is there. */
	xa_store(&tn->sas, sa->id, sa, GFP_ATOMIC);
	sa->flow.net = tn;
	esptrack_net_sweep_later(tn);
}

/**
 * esptrack_net_publish() - have a knob made for an SA
 * @sa: an inbound SA
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_net_publish(struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	list_add_tail(&sa->unpublished, &sa->flow.net->unpublished);
	queue_work(workqueue, &sa->flow.net->publish);
}

static struct esptrack_sa *next_unpublished(struct esptrack_net *tn)
{
	struct esptrack_sa *sa;

	spin_lock_bh(&esptrack_lock);
	sa = list_first_entry_or_null(&tn->unpublished, struct esptrack_sa,
				      unpublished);
	if (sa)
		list_del_init(&sa->unpublished);
	spin_unlock_bh(&esptrack_lock);

	return sa;
}

static void net_publish(struct work_struct *work)
{
	struct esptrack_net *tn = container_of(work, struct esptrack_net,
					       publish);
	struct esptrack_sa *sa;

	mutex_lock(&tn->mutex);
	while ((sa = next_unpublished(tn))) {
		esptrack_knob_create(sa);
		cond_resched();
	}
	mutex_unlock(&tn->mutex);
}

static void net_release(struct esptrack_net *tn, struct esptrack_sa *sa)
	__must_hold(&tn->mutex)
{
	lockdep_assert_held(&tn->mutex);

	spin_lock_bh(&esptrack_lock);
	xa_erase(&tn->sas, sa->id);
	spin_unlock_bh(&esptrack_lock);
	esptrack_knob_destroy(sa);
	esptrack_sa_free(sa);
}

/**
 * esptrack_net_deliver() - there are events to be sent
 * @tn: their namespace
 *
 * Context: any, with any lock held.
 */
void esptrack_net_deliver(struct esptrack_net *tn)
{
	queue_work(workqueue, &tn->deliver);
}

static void net_deliver(struct work_struct *work)
{
	esptrack_event_deliver(container_of(work, struct esptrack_net, deliver));
}

/**
 * esptrack_net_sweep_soon() - an SA has died
 * @tn: its namespace
 *
 * Context: any, with any lock held.
 */
void esptrack_net_sweep_soon(struct esptrack_net *tn)
{
	/* Not at each death, or a stream of them would put it off for ever. */
	if (!test_and_set_bit(ESPTRACK_SWEEPING_SOON, &tn->flags) &&
	    !test_bit(ESPTRACK_MIGRATED, &tn->flags))
		mod_delayed_work(workqueue, &tn->sweep, GRACE);
}

/**
 * esptrack_net_missed() - an SA or a policy could not be taken in
 * @tn: its namespace
 *
 * There was no memory; there may be some soon.
 *
 * Context: any, with any lock held.
 */
void esptrack_net_missed(struct esptrack_net *tn)
{
	set_bit(ESPTRACK_MISSED, &tn->flags);
	esptrack_net_sweep_soon(tn);
}

/**
 * esptrack_net_migrated() - others are in the place of some SAs and templates
 * @tn: their namespace
 *
 * Until they are found their peer is not followed.
 *
 * Context: any, with any lock held.
 */
void esptrack_net_migrated(struct esptrack_net *tn)
{
	set_bit(ESPTRACK_MISSED, &tn->flags);
	if (!test_and_set_bit(ESPTRACK_MIGRATED, &tn->flags))
		mod_delayed_work(workqueue, &tn->sweep, MIGRATION);
}

/**
 * esptrack_net_readdressed() - an SA was moved to another address
 * @sa: the SA
 * @place: its placeholder, void by now; the reference is taken over
 *
 * What is left to do comes later. To free an xfrm_state wakes a thread of the
 * kernel, which a single packet should not have to pay for.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_net_readdressed(struct esptrack_sa *sa, struct xfrm_state *place)
{
	struct esptrack_net *tn = sa->flow.net;

	lockdep_assert_held(&esptrack_lock);

	sa->renamed = true;
	swap(sa->spent, place);
	if (place)
		xfrm_state_put(place);
	sa->readdressed_at = jiffies;
	list_move_tail(&sa->readdressed, &tn->readdressed);
	queue_delayed_work(workqueue, &tn->refresh, GRACE);
}

/* Held by the caller, or NULL. */
static struct xfrm_state *next_survivor(struct esptrack_net *tn)
{
	struct xfrm_state *x = NULL;
	const struct esptrack_sa *sa;

	spin_lock_bh(&esptrack_lock);
	list_for_each_entry(sa, &tn->readdressed, readdressed) {
		if (!esptrack_sa_is_dead(sa)) {
			x = sa->x;
			xfrm_state_hold(x);
			break;
		}
	}
	spin_unlock_bh(&esptrack_lock);

	return x;
}

/**
 * esptrack_net_flushed() - all SAs of a protocol were deleted
 * @tn: their namespace
 * @proto: as xfrm_id_proto_match() knows it
 *
 * xfrm_state_flush() goes through the chains once, and lets the lock go between two
 * SAs. One that was moved meanwhile, from a chain to come to one that is done, it has
 * missed.
 *
 * Context: process, RCU read side.
 */
void esptrack_net_flushed(struct esptrack_net *tn, u8 proto)
{
	struct xfrm_state *x;

	while (xfrm_id_proto_match(IPPROTO_ESP, proto) &&
	       (x = next_survivor(tn))) {
		esptrack_leak_delete(x);
		xfrm_state_put(x);
	}
	esptrack_net_sweep_soon(tn);
}

static bool refresh_next(struct esptrack_net *tn)
{
	struct esptrack_sa *sa;

	spin_lock_bh(&esptrack_lock);
	sa = list_first_entry_or_null(&tn->readdressed, struct esptrack_sa,
				      readdressed);
	if (sa && time_before(jiffies, sa->readdressed_at + GRACE)) {
		queue_delayed_work(workqueue, &tn->refresh, GRACE);
		sa = NULL;
	}
	if (sa) {
		list_del_init(&sa->readdressed);
		esptrack_move_refresh(sa->x);
		xfrm_state_put(sa->spent);
		sa->spent = NULL;
	}
	spin_unlock_bh(&esptrack_lock);

	return sa;
}

static void net_refresh(struct work_struct *work)
{
	struct esptrack_net *tn = container_of(work, struct esptrack_net,
					       refresh.work);

	while (refresh_next(tn))
		cond_resched();
}

/**
 * struct sweep - what a sweep has found
 * @again: there is something to be looked at soon
 * @silent: an SA died without a word
 */
struct sweep {
	bool again;
	bool silent;
};

static struct xfrm_state *hold_state(const struct esptrack_sa *sa)
{
	xfrm_state_hold(sa->x);
	return sa->x;
}

static bool is_settling(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	return !sa->dir && ktime_get_real_seconds() -
			   sa->x->curlft.add_time < SETTLING;
}

static void sweep_alive(struct esptrack_sa *sa, struct xfrm_state **moved,
			struct xfrm_state **leaked)
	__must_hold(&esptrack_lock)
{
	esptrack_sa_settle(sa);
	esptrack_sa_add_forged(sa);
	/* Jiffies come round. */
	if (sa->barred_by && !time_before(jiffies, sa->barred_until))
		esptrack_sa_forget_seen(sa);
	if (sa->stray && esptrack_siblings_reunite(sa))
		*moved = hold_state(sa);
	if (esptrack_leak_found(sa))
		*leaked = hold_state(sa);
}

/* Takes the SA out of the indexes when it has been dead for long enough. */
static bool sweep_one(struct esptrack_sa *sa, struct sweep *sweep)
{
	struct xfrm_state *moved = NULL, *leaked = NULL;
	unsigned long gone = READ_ONCE(sa->gone);
	bool release = false;

	spin_lock_bh(&esptrack_lock);
	if (!esptrack_sa_is_dead(sa)) {
		/* Of an earlier xfrm_state, if at all. */
		if (gone)
			WRITE_ONCE(sa->gone, 0);
		sweep_alive(sa, &moved, &leaked);
		sweep->again |= is_settling(sa) || sa->stray;
	} else if (!gone || time_before(jiffies, gone + GRACE)) {
		sweep->silent |= !gone;
		WRITE_ONCE(sa->gone, gone ?: (jiffies ?: 1));
		sweep->again = true;
	} else {
		esptrack_switches_bequeath(sa);
		esptrack_siblings_bereave(sa);
		esptrack_sa_unlink(sa);
		release = true;
	}
	spin_unlock_bh(&esptrack_lock);

	if (moved) {
		esptrack_km_announce(moved);
		xfrm_state_put(moved);
	}
	if (leaked) {
		esptrack_leak_delete(leaked);
		xfrm_state_put(leaked);
	}
	return release;
}

static void net_sweep(struct work_struct *work)
{
	struct esptrack_net *tn = container_of(work, struct esptrack_net,
					       sweep.work);
	struct sweep sweep = { 0 };
	struct esptrack_sa *sa;
	unsigned long id;

	/* In this order, or a death in between would arm nothing. */
	clear_bit(ESPTRACK_MIGRATED, &tn->flags);
	clear_bit(ESPTRACK_SWEEPING_SOON, &tn->flags);
	esptrack_claim_expire();

	mutex_lock(&tn->mutex);
	if (!READ_ONCE(tn->dying))
		xa_for_each(&tn->sas, id, sa) {
			if (sweep_one(sa, &sweep))
				net_release(tn, sa);
			cond_resched();
		}
	mutex_unlock(&tn->mutex);
	esptrack_policy_sweep(tn, false);
	/* A migrated SA is replaced by another one without a word. */
	if (test_and_clear_bit(ESPTRACK_MISSED, &tn->flags) || sweep.silent)
		esptrack_km_walk(tn->net);

	if (sweep.again)
		esptrack_net_sweep_soon(tn);
	else if (!xa_empty(&tn->sas) || !list_empty(&tn->policies))
		esptrack_net_sweep_later(tn);
}

static int __net_init net_init(struct net *net)
{
	struct esptrack_net *tn = esptrack_net(net);

	tn->net = net;
	/* A new one has no SA, and others come to those that are there. */
	tn->complete = true;
	/* SAs are added in softirqs, too; and to lockdep the locks of both are
	 * the same.
	 */
	xa_init_flags(&tn->sas, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_BH);
	/* What a container has set, it pays for. */
	xa_init_flags(&tn->reqids, XA_FLAGS_ACCOUNT | XA_FLAGS_LOCK_BH);
	INIT_LIST_HEAD(&tn->policies);
	INIT_LIST_HEAD(&tn->readdressed);
	INIT_LIST_HEAD(&tn->unpublished);
	mutex_init(&tn->mutex);
	skb_queue_head_init(&tn->events);
	INIT_WORK(&tn->publish, net_publish);
	INIT_WORK(&tn->deliver, net_deliver);
	INIT_DELAYED_WORK(&tn->refresh, net_refresh);
	INIT_DELAYED_WORK(&tn->sweep, net_sweep);
	return esptrack_stats_init(tn);
}

/* From here on no packet and no notification finds an SA of the namespace;
 * those that have found one are waited for before net_exit() is called.
 */
static void net_pre_exit(struct net *net)
{
	struct esptrack_net *tn = esptrack_net(net);
	struct esptrack_sa *sa;
	unsigned long id;

	spin_lock_bh(&esptrack_lock);
	WRITE_ONCE(tn->dying, true);
	tn->complete = false;
	spin_unlock_bh(&esptrack_lock);

	mutex_lock(&tn->mutex);
	xa_for_each(&tn->sas, id, sa) {
		spin_lock_bh(&esptrack_lock);
		esptrack_sa_unlink(sa);
		spin_unlock_bh(&esptrack_lock);
		cond_resched();
	}
	mutex_unlock(&tn->mutex);
}

static void net_exit(struct net *net)
{
	struct esptrack_net *tn = esptrack_net(net);
	struct esptrack_sa *sa;
	unsigned long id;

	cancel_work_sync(&tn->publish);
	cancel_delayed_work_sync(&tn->refresh);
	cancel_delayed_work_sync(&tn->sweep);
	/* Nobody in the namespace is left to listen, or the family is gone. */
	cancel_work_sync(&tn->deliver);
	skb_queue_purge(&tn->events);

	mutex_lock(&tn->mutex);
	xa_for_each(&tn->sas, id, sa)
		net_release(tn, sa);
	mutex_unlock(&tn->mutex);
	esptrack_policy_sweep(tn, true);
	xa_destroy(&tn->reqids);
	xa_destroy(&tn->sas);
	esptrack_stats_uninit(tn);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit = net_exit,
	.id = &net_id,
	.size = sizeof(struct esptrack_net),
};

int esptrack_net_init(void)
{
	int err;

	workqueue = alloc_workqueue("esptrack", WQ_UNBOUND, 0);
	if (!workqueue)
		return -ENOMEM;

	err = register_pernet_subsys(&net_ops);
	if (err)
		destroy_workqueue(workqueue);
	return err;
}

/**
 * esptrack_net_uninit() - let all SAs go
 *
 * The key manager has been unregistered, so that none is added meanwhile.
 *
 * Context: process.
 */
void esptrack_net_uninit(void)
{
	unregister_pernet_subsys(&net_ops);
	destroy_workqueue(workqueue);
}
