// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/esptrack.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/esptrack.h>

/* ESPTRACK_CMD_SA_GET - do */
const struct nla_policy esptrack_sa_get_nl_policy[ESPTRACK_A_SA_MARK_MASK + 1] = {
	[ESPTRACK_A_SA_SPI] = { .type = NLA_U32, },
	[ESPTRACK_A_SA_LOCAL_IPV4] = { .type = NLA_U32, },
	[ESPTRACK_A_SA_LOCAL_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[ESPTRACK_A_SA_MARK] = { .type = NLA_U32, },
	[ESPTRACK_A_SA_MARK_MASK] = { .type = NLA_U32, },
};

/* ESPTRACK_CMD_SA_SET - do */
const struct nla_policy esptrack_sa_set_nl_policy[ESPTRACK_A_SA_PORT_ONLY + 1] = {
	[ESPTRACK_A_SA_SPI] = { .type = NLA_U32, },
	[ESPTRACK_A_SA_LOCAL_IPV4] = { .type = NLA_U32, },
	[ESPTRACK_A_SA_LOCAL_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[ESPTRACK_A_SA_MARK] = { .type = NLA_U32, },
	[ESPTRACK_A_SA_MARK_MASK] = { .type = NLA_U32, },
	[ESPTRACK_A_SA_STATIC_NAT] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTRACK_A_SA_PORT_ONLY] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* ESPTRACK_CMD_REQID_GET - do */
const struct nla_policy esptrack_reqid_get_nl_policy[ESPTRACK_A_REQID_NUMBER + 1] = {
	[ESPTRACK_A_REQID_NUMBER] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* ESPTRACK_CMD_REQID_SET - do */
const struct nla_policy esptrack_reqid_set_nl_policy[ESPTRACK_A_REQID_PORT_ONLY + 1] = {
	[ESPTRACK_A_REQID_NUMBER] = NLA_POLICY_MIN(NLA_U32, 1),
	[ESPTRACK_A_REQID_STATIC_NAT] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTRACK_A_REQID_PORT_ONLY] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* ESPTRACK_CMD_REQID_DEL - do */
const struct nla_policy esptrack_reqid_del_nl_policy[ESPTRACK_A_REQID_NUMBER + 1] = {
	[ESPTRACK_A_REQID_NUMBER] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* ESPTRACK_CMD_STATS_GET - do */
const struct nla_policy esptrack_stats_get_nl_policy[ESPTRACK_A_STATS_PAD + 1] = {
};

/* ESPTRACK_CMD_CONF_GET - do */
const struct nla_policy esptrack_conf_get_nl_policy[ESPTRACK_A_CONF_PAD + 1] = {
};

/* ESPTRACK_CMD_CONF_SET - do */
const struct nla_policy esptrack_conf_set_nl_policy[ESPTRACK_A_CONF_THROTTLE_BURST + 1] = {
	[ESPTRACK_A_CONF_STATIC_NAT] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTRACK_A_CONF_PORT_ONLY] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTRACK_A_CONF_THROTTLE_INTERVAL] = NLA_POLICY_RANGE(NLA_U32, 1, 30000),
	[ESPTRACK_A_CONF_THROTTLE_BURST] = NLA_POLICY_RANGE(NLA_U32, 1, 1000),
};

/* Ops table for esptrack */
const struct genl_ops esptrack_nl_ops[8] = {
	{
		.cmd		= ESPTRACK_CMD_SA_GET,
		.doit		= esptrack_nl_sa_get_doit,
		.dumpit		= esptrack_nl_sa_get_dumpit,
		.policy		= esptrack_sa_get_nl_policy,
		.maxattr	= ESPTRACK_A_SA_MARK_MASK,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTRACK_CMD_SA_SET,
		.doit		= esptrack_nl_sa_set_doit,
		.policy		= esptrack_sa_set_nl_policy,
		.maxattr	= ESPTRACK_A_SA_PORT_ONLY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTRACK_CMD_REQID_GET,
		.doit		= esptrack_nl_reqid_get_doit,
		.dumpit		= esptrack_nl_reqid_get_dumpit,
		.policy		= esptrack_reqid_get_nl_policy,
		.maxattr	= ESPTRACK_A_REQID_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTRACK_CMD_REQID_SET,
		.doit		= esptrack_nl_reqid_set_doit,
		.policy		= esptrack_reqid_set_nl_policy,
		.maxattr	= ESPTRACK_A_REQID_PORT_ONLY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTRACK_CMD_REQID_DEL,
		.doit		= esptrack_nl_reqid_del_doit,
		.policy		= esptrack_reqid_del_nl_policy,
		.maxattr	= ESPTRACK_A_REQID_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTRACK_CMD_STATS_GET,
		.doit		= esptrack_nl_stats_get_doit,
		.policy		= esptrack_stats_get_nl_policy,
		.maxattr	= ESPTRACK_A_STATS_PAD,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTRACK_CMD_CONF_GET,
		.doit		= esptrack_nl_conf_get_doit,
		.policy		= esptrack_conf_get_nl_policy,
		.maxattr	= ESPTRACK_A_CONF_PAD,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTRACK_CMD_CONF_SET,
		.doit		= esptrack_nl_conf_set_doit,
		.policy		= esptrack_conf_set_nl_policy,
		.maxattr	= ESPTRACK_A_CONF_THROTTLE_BURST,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
};

static const struct genl_multicast_group esptrack_nl_mcgrps[] = {
	[ESPTRACK_NLGRP_EVENTS] = { "events", },
};
