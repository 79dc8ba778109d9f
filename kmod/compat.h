/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between kernels, and nothing else. Kbuild looks into the
 * headers and defines the ESPTRACK_HAVE_* macros: versions would lie, since
 * distributions backport.
 */
#ifndef ESPTRACK_COMPAT_H
#define ESPTRACK_COMPAT_H

#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/xfrm.h>
#include <linux/esptrack.h>

/* kobj_type.namespace returns a struct ns_common since 7.x. */
#ifdef ESPTRACK_HAVE_KOBJ_NS_COMMON
#define esptrack_kobj_ns		const struct ns_common *
#define esptrack_net_kobj_ns(net)	(&(net)->ns)
#else
#define esptrack_kobj_ns		const void *
#define esptrack_net_kobj_ns(net)	((const void *)(net))
#endif

/* The callbacks of a kobj_type take a const kobject since 6.2. */
#ifdef ESPTRACK_HAVE_CONST_KOBJECT
#define esptrack_const_kobject		const struct kobject
#else
#define esptrack_const_kobject		struct kobject
#endif

/* An SA may be told its direction since 6.10; 0 means that it was not. */
static inline u8 esptrack_xfrm_dir(const struct xfrm_state *x)
{
#ifdef ESPTRACK_HAVE_XFRM_DIR
	if (x->dir == XFRM_SA_DIR_IN)
		return ESPTRACK_DIR_IN;
	if (x->dir == XFRM_SA_DIR_OUT)
		return ESPTRACK_DIR_OUT;
#endif
	return 0;
}

/* SAs can be bound to a processor since 6.13, and in the later ones of 6.12. */
static inline void esptrack_xfrm_copy_pcpu(struct xfrm_state *to,
					   const struct xfrm_state *from)
{
#ifdef ESPTRACK_HAVE_XFRM_PCPU
	to->pcpu_num = from->pcpu_num;
#endif
}

static inline bool esptrack_xfrm_same_pcpu(const struct xfrm_state *a,
					   const struct xfrm_state *b)
{
#ifdef ESPTRACK_HAVE_XFRM_PCPU
	return a->pcpu_num == b->pcpu_num;
#else
	return true;
#endif
}

/* Policies can be offloaded to a device since 6.2. */
static inline bool
esptrack_policy_is_offloaded(const struct xfrm_policy *policy)
{
#ifdef ESPTRACK_HAVE_POLICY_OFFLOAD
	return policy->xdo.dev;
#else
	return false;
#endif
}

/* In these modes the addresses outside are the tunnel's alone. IP-TFS is one of
 * them since 6.14.
 */
static inline bool esptrack_xfrm_mode_is_outer(u8 mode)
{
#ifdef ESPTRACK_HAVE_XFRM_IPTFS
	if (mode == XFRM_MODE_IPTFS)
		return true;
#endif
	return mode == XFRM_MODE_TUNNEL || mode == XFRM_MODE_BEET;
}

/* Flags of multicast groups have names of their own since 6.7 and 6.1.176. */
#ifndef GENL_MCAST_CAP_NET_ADMIN
#define GENL_MCAST_CAP_NET_ADMIN	GENL_UNS_ADMIN_PERM
#endif

/* Key managers are told in what namespace SAs were migrated since 7.0, 6.12.88
 * and 6.1.176; before that it may be any. xfrm calls them as an RCU reader.
 */
#ifdef ESPTRACK_HAVE_MIGRATE_NET
#define esptrack_migrate_net		struct net *migrate_net,
#define esptrack_may_be_migrated(net)	((net) == migrate_net)
#else
#define esptrack_migrate_net
static inline bool esptrack_may_be_migrated(const struct net *net)
{
	return true;
}
#endif

#endif /* ESPTRACK_COMPAT_H */
