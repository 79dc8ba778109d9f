// SPDX-License-Identifier: GPL-2.0
/*
 * How we hear of SAs: as a key manager that only listens, and by a walk when
 * the module is loaded, or something has happened without a word.
 */
#include "km.h"

#include <linux/rtnetlink.h>
#include <net/xfrm.h>

#include "compat.h"
#include "net.h"
#include "policy.h"
#include "sa.h"

/* Of esptrack_km_announce(), who is told by its address that it is ours. */
static const struct km_event announcement = { .event = XFRM_MSG_UPDSA };

/* NEWAE and EXPIRE come with x->lock held, NEWAE even for each packet while
 * somebody listens for it. FLUSHSA comes without an SA.
 */
static int km_notify(struct xfrm_state *x, const struct km_event *event)
{
	if (event == &announcement)
		return 0;

	switch (event->event) {
	case XFRM_MSG_NEWSA:
		esptrack_sa_track(x);
		break;
	case XFRM_MSG_UPDSA:
		/* The SA itself where a larval one was replaced; where it was
		 * changed in place a temporary one, dead by now, that looks
		 * like it.
		 */
		if (READ_ONCE(x->km.state) == XFRM_STATE_VALID)
			esptrack_sa_track(x);
		else
			esptrack_sa_changed(x);
		break;
	case XFRM_MSG_EXPIRE:
		if (event->data.hard)
			esptrack_sa_died(x);
		break;
	case XFRM_MSG_DELSA:
		esptrack_sa_died(x);
		break;
	case XFRM_MSG_FLUSHSA:
		esptrack_net_flushed(esptrack_net(event->net), event->data.proto);
		break;
	}
	return 0;
}

static int km_notify_policy(struct xfrm_policy *policy, int dir,
			    const struct km_event *event)
{
	switch (event->event) {
	case XFRM_MSG_NEWPOLICY:
		esptrack_policy_track(policy);
		break;
	case XFRM_MSG_UPDPOLICY:
		/* Takes the place of another one, which dies in silence. */
		esptrack_policy_track(policy);
		esptrack_net_sweep_soon(esptrack_net(xp_net(policy)));
		break;
	case XFRM_MSG_DELPOLICY:
		esptrack_net_sweep_soon(esptrack_net(xp_net(policy)));
		break;
	case XFRM_MSG_FLUSHPOLICY:
		esptrack_net_sweep_soon(esptrack_net(event->net));
		break;
	}
	return 0;
}

/* xfrm_migrate() tells nobody of each SA, but of all that it has done. */
static int km_migrate_done(const struct xfrm_selector *sel, u8 dir, u8 type,
			   const struct xfrm_migrate *m, int num_bundles,
			   const struct xfrm_kmaddress *k,
			   esptrack_migrate_net
			   const struct xfrm_encap_tmpl *encap)
{
	struct net *net;

	for_each_net_rcu(net)
		if (esptrack_may_be_migrated(net))
			esptrack_net_migrated(esptrack_net(net));
	return -EOPNOTSUPP;
}

/* These two are called without a look whether they are there. */
static int km_acquire(struct xfrm_state *x, struct xfrm_tmpl *tmpl,
		      struct xfrm_policy *policy)
{
	return -EOPNOTSUPP;
}

static struct xfrm_policy *km_compile_policy(struct sock *sk, int opt,
					     u8 *data, int len, int *dir)
{
	/* Negative already, as some key manager before us left it: his
	 * answer is what the socket is to get.
	 */
	return NULL;
}

static struct xfrm_mgr km = {
	.notify = km_notify,
	.notify_policy = km_notify_policy,
	.acquire = km_acquire,
	.compile_policy = km_compile_policy,
	.migrate = km_migrate_done,
};

#define BATCH	64

/**
 * struct state_batch - SAs that a walk has found
 * @n: entries in @x
 * @x: the SAs, held
 */
struct state_batch {
	unsigned int n;
	struct xfrm_state *x[BATCH];
};

/* Runs under xfrm_state_lock, which is inside of x->lock and so of
 * esptrack_lock: all that can be done is to hold the SA for later.
 */
static int state_batch_add(struct xfrm_state *x, int seq, void *data)
{
	struct state_batch *batch = data;

	if (batch->n == BATCH)
		return -EAGAIN;

	xfrm_state_hold(x);
	batch->x[batch->n++] = x;
	return 0;
}

static void walk_states(struct net *net)
{
	struct xfrm_state_walk walk;
	struct state_batch batch;
	unsigned int i;
	int err;

	xfrm_state_walk_init(&walk, IPPROTO_ESP, NULL);
	do {
		batch.n = 0;
		err = xfrm_state_walk(net, &walk, state_batch_add, &batch);
		for (i = 0; i < batch.n; i++) {
			esptrack_sa_track(batch.x[i]);
			xfrm_state_put(batch.x[i]);
		}
		cond_resched();
	} while (err == -EAGAIN);
	xfrm_state_walk_done(&walk, net);
}

/**
 * struct policy_batch - policies that a walk has found
 * @n: entries in @policy
 * @policy: the policies, held
 */
struct policy_batch {
	unsigned int n;
	struct xfrm_policy *policy[BATCH];
};

/* Runs under xfrm_policy_lock. */
static int policy_batch_add(struct xfrm_policy *policy, int dir, int seq,
			    void *data)
{
	struct policy_batch *batch = data;

	if (batch->n == BATCH)
		return -EAGAIN;

	xfrm_pol_hold(policy);
	batch->policy[batch->n++] = policy;
	return 0;
}

static void walk_policies(struct net *net)
{
	struct xfrm_policy_walk walk;
	struct policy_batch batch;
	unsigned int i;
	int err;

	xfrm_policy_walk_init(&walk, XFRM_POLICY_TYPE_ANY);
	do {
		batch.n = 0;
		err = xfrm_policy_walk(net, &walk, policy_batch_add, &batch);
		for (i = 0; i < batch.n; i++) {
			esptrack_policy_track(batch.policy[i]);
			xfrm_pol_put(batch.policy[i]);
		}
		cond_resched();
	} while (err == -EAGAIN);
	xfrm_policy_walk_done(&walk, net);
}

static bool has_listeners(struct net *net)
{
	struct sock *nlsk;
	bool ret;

	rcu_read_lock();
	nlsk = rcu_dereference(net->xfrm.nlsk);
	ret = nlsk && netlink_has_listeners(nlsk, XFRMNLGRP_SA);
	rcu_read_unlock();

	return ret;
}

/**
 * esptrack_km_announce() - tell others that we have written to an SA
 * @x: the SA, held by the caller
 *
 * "ip xfrm monitor" and daemons may want to know. To make the messages would be
 * two thirds of the cost of a move, so none is made where nobody listens. That
 * goes by netlink: PF_KEY does not tell whether it has listeners.
 *
 * Context: any, no lock held.
 */
void esptrack_km_announce(struct xfrm_state *x)
{
	if (has_listeners(xs_net(x)))
		km_state_notify(x, &announcement);
}

/**
 * esptrack_km_walk() - get to know the SAs and policies of a namespace
 * @net: the namespace
 *
 * Context: process. May sleep.
 */
void esptrack_km_walk(struct net *net)
{
	walk_states(net);
	walk_policies(net);
}

/**
 * esptrack_km_init() - get to know all SAs and policies, now and from now on
 *
 * Context: process. May sleep.
 */
void esptrack_km_init(void)
{
	struct net *net;

	/* No namespace is added meanwhile. */
	down_read(&net_rwsem);
	for_each_net(net)
		esptrack_net_set_complete(esptrack_net(net), false);
	/* Listen first: what is added during the walk is met twice, but
	 * none is missed.
	 */
	xfrm_register_km(&km);
	for_each_net(net) {
		esptrack_km_walk(net);
		esptrack_net_set_complete(esptrack_net(net), true);
	}
	up_read(&net_rwsem);
}

/**
 * esptrack_km_uninit() - hear of no more SAs
 *
 * Waits until the last notification is over.
 *
 * Context: process.
 */
void esptrack_km_uninit(void)
{
	xfrm_unregister_km(&km);
}
