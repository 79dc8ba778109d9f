// SPDX-License-Identifier: GPL-2.0
/*
 * Switches of a reqid. A daemon's hook knows the reqid of a connection, which
 * stays, but not the SPIs of its SAs, which come and go.
 */
#include "reqid.h"

#include "index.h"
#include "net.h"
#include "sa.h"
#include "switches.h"

/* All of it fits into an entry of the xarray. */
#define GIVEN_SHIFT	8

static void *to_entry(const struct esptrack_switches *switches)
{
	return xa_mk_value(switches->given << GIVEN_SHIFT | switches->on);
}

/**
 * esptrack_reqid_switches() - what an entry of esptrack_net.reqids says
 * @entry: of the xarray, or NULL
 */
struct esptrack_switches esptrack_reqid_switches(const void *entry)
{
	unsigned long value = entry ? xa_to_value(entry) : 0;

	return (struct esptrack_switches) {
		.given = value >> GIVEN_SHIFT,
		.on = value,
	};
}

/**
 * esptrack_reqid_set() - set switches of all SAs of a reqid, now and later
 * @tn: namespace
 * @reqid: other than 0
 * @switches: those that are given; the others stay
 *
 * Context: process. May sleep.
 * Return: 0 or -ENOMEM, which changes nothing.
 */
int esptrack_reqid_set(struct esptrack_net *tn, u32 reqid,
		       const struct esptrack_switches *switches)
{
	struct esptrack_switches all;
	struct esptrack_sa *sa;
	int err;

	mutex_lock(&tn->mutex);
	all = esptrack_reqid_switches(xa_load(&tn->reqids, reqid));
	esptrack_switches_merge(&all, switches);
	err = xa_err(xa_store_bh(&tn->reqids, reqid, to_entry(&all),
				 GFP_KERNEL));
	if (err)
		goto out;

	/* An SA that is added meanwhile finds the entry, or is found here. */
	spin_lock_bh(&esptrack_lock);
	hlist_for_each_entry(sa, esptrack_index_reqid(tn, reqid), by_reqid)
		if (sa->flow.net == tn && sa->x->props.reqid == reqid)
			esptrack_switches_set_one(sa, switches);
	spin_unlock_bh(&esptrack_lock);
out:
	mutex_unlock(&tn->mutex);
	return err;
}

/**
 * esptrack_reqid_forget() - let later SAs of a reqid be like any other
 * @tn: namespace
 * @reqid: any
 *
 * SAs that are there keep their switches.
 *
 * Context: process. May sleep.
 * Return: 0, or -ENOENT if none were set.
 */
int esptrack_reqid_forget(struct esptrack_net *tn, u32 reqid)
{
	void *entry;

	mutex_lock(&tn->mutex);
	entry = xa_erase_bh(&tn->reqids, reqid);
	mutex_unlock(&tn->mutex);

	return entry ? 0 : -ENOENT;
}

/**
 * esptrack_reqid_apply() - give a new SA the switches of its reqid
 * @sa: the SA
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_reqid_apply(struct esptrack_sa *sa)
{
	struct esptrack_switches switches;

	lockdep_assert_held(&esptrack_lock);

	switches = esptrack_reqid_switches(xa_load(&sa->flow.net->reqids,
						   sa->x->props.reqid));
	esptrack_switches_set_one(sa, &switches);
}
