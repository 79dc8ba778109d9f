// SPDX-License-Identifier: GPL-2.0
/*
 * How we hear of SAs: as a key manager that only listens, and by one walk
 * when the module is loaded.
 */
#include "km.h"

#include <linux/rtnetlink.h>
#include <net/xfrm.h>

#include "net.h"
#include "sa.h"

/* NEWAE and EXPIRE come with x->lock held, NEWAE even for each packet while
 * somebody listens for it. FLUSHSA comes without an SA.
 */
static int km_notify(struct xfrm_state *x, const struct km_event *event)
{
	switch (event->event) {
	case XFRM_MSG_NEWSA:
		esptrack_sa_track(x);
		break;
	case XFRM_MSG_UPDSA:
		/* The SA itself where a larval one was replaced; where it was
		 * changed in place a temporary one, dead by now, that looks
		 * like it.
		 */
		if (x->km.state == XFRM_STATE_VALID)
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
		esptrack_net_sweep_soon(esptrack_net(event->net));
		break;
	}
	return 0;
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
	*dir = -EOPNOTSUPP;
	return NULL;
}

static struct xfrm_mgr km = {
	.notify = km_notify,
	.acquire = km_acquire,
	.compile_policy = km_compile_policy,
};

/**
 * struct batch - SAs that a walk has found
 * @n: entries in @x
 * @x: the SAs, held
 */
struct batch {
	unsigned int n;
	struct xfrm_state *x[64];
};

/* Runs under xfrm_state_lock, which is inside of x->lock and so of
 * esptrack_lock: all that can be done is to hold the SA for later.
 */
static int batch_add(struct xfrm_state *x, int seq, void *data)
{
	struct batch *batch = data;

	if (batch->n == ARRAY_SIZE(batch->x))
		return -EAGAIN;

	xfrm_state_hold(x);
	batch->x[batch->n++] = x;
	return 0;
}

static void walk_net(struct net *net)
{
	struct xfrm_state_walk walk;
	struct batch batch;
	unsigned int i;
	int err;

	xfrm_state_walk_init(&walk, IPPROTO_ESP, NULL);
	do {
		batch.n = 0;
		err = xfrm_state_walk(net, &walk, batch_add, &batch);
		for (i = 0; i < batch.n; i++) {
			esptrack_sa_track(batch.x[i]);
			xfrm_state_put(batch.x[i]);
		}
		cond_resched();
	} while (err == -EAGAIN);
	xfrm_state_walk_done(&walk, net);
}

/**
 * esptrack_km_init() - get to know all SAs that there are, and will be
 *
 * Context: process. May sleep.
 */
void esptrack_km_init(void)
{
	struct net *net;

	/* Listen first: an SA that is added during the walk is met twice, but
	 * none is missed.
	 */
	xfrm_register_km(&km);

	down_read(&net_rwsem);
	for_each_net(net)
		walk_net(net);
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
