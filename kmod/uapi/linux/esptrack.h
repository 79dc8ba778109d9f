/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * esptrack: generic netlink interface, family "esptrack".
 *
 * All addresses, ports and SPIs are in network byte order, all other numbers
 * in host byte order. Every request and every subscription to the group needs
 * CAP_NET_ADMIN in the user namespace that owns the network namespace of the
 * socket, and reaches the SAs of that network namespace only.
 */
#ifndef _UAPI_LINUX_ESPTRACK_H
#define _UAPI_LINUX_ESPTRACK_H

#define ESPTRACK_FAMILY_NAME	"esptrack"
#define ESPTRACK_FAMILY_VERSION	1

#define ESPTRACK_MCGRP_EVENTS	"events"

/**
 * enum esptrack_cmd - commands and notifications of the family
 *
 * @ESPTRACK_CMD_SA_GET: do: the tracked inbound SA that %ESPTRACK_A_SA selects
 *	by SPI, local address and mark; ENOENT if there is none. The mark must
 *	be that of the SA: without one an SA without mark is meant, and without
 *	a mask all its bits count. dump: all tracked inbound SAs. The reply
 *	holds %ESPTRACK_A_SA.
 * @ESPTRACK_CMD_SA_SET: set %ESPTRACK_A_SA_STATIC_NAT, %ESPTRACK_A_SA_PORT_ONLY,
 *	or both, of the SA that %ESPTRACK_A_SA selects. Moves nothing by itself:
 *	the next packet does.
 * @ESPTRACK_CMD_SA_MOVED_NTF: an authenticated and newest packet came from a
 *	new endpoint, and all SAs of the flow now point to it. One message per
 *	change, whatever the number of SAs.
 * @ESPTRACK_CMD_SA_SEEN_NTF: as above, but static_nat is off, so that nothing
 *	was moved. Once per new endpoint.
 * @ESPTRACK_CMD_SA_REFUSED_NTF: an authenticated packet from another endpoint
 *	broke one of the rules, which %ESPTRACK_A_EVENT_REASON names. Throttled.
 * @ESPTRACK_CMD_REQID_GET: dump: all reqids for which something is set. The
 *	reply holds %ESPTRACK_A_REQID.
 * @ESPTRACK_CMD_REQID_SET: set %ESPTRACK_A_REQID_STATIC_NAT,
 *	%ESPTRACK_A_REQID_PORT_ONLY, or both, of all inbound SAs that have this
 *	reqid or get it later. A rekeyed SA has what its predecessor has, also
 *	where that was set by %ESPTRACK_CMD_SA_SET since.
 * @ESPTRACK_CMD_REQID_DEL: forget what is set for later SAs of a reqid; those
 *	that are there keep what they have. ENOENT if nothing is set.
 *
 * Notifications hold %ESPTRACK_A_EVENT and %ESPTRACK_A_SA, the latter as the
 * SA is after the change.
 */
enum esptrack_cmd {
	ESPTRACK_CMD_SA_GET = 1,
	ESPTRACK_CMD_SA_SET,
	ESPTRACK_CMD_SA_MOVED_NTF,
	ESPTRACK_CMD_SA_SEEN_NTF,
	ESPTRACK_CMD_SA_REFUSED_NTF,
	ESPTRACK_CMD_REQID_GET,
	ESPTRACK_CMD_REQID_SET,
	ESPTRACK_CMD_REQID_DEL,

	__ESPTRACK_CMD_MAX,
	ESPTRACK_CMD_MAX = (__ESPTRACK_CMD_MAX - 1)
};

/**
 * enum esptrack_attr - attributes of a message
 *
 * @ESPTRACK_A_SA: nest of &enum esptrack_sa_attr
 * @ESPTRACK_A_EVENT: nest of &enum esptrack_event_attr
 * @ESPTRACK_A_REQID: nest of &enum esptrack_reqid_attr
 */
enum esptrack_attr {
	ESPTRACK_A_SA = 1,
	ESPTRACK_A_EVENT,
	ESPTRACK_A_REQID,

	__ESPTRACK_A_MAX,
	ESPTRACK_A_MAX = (__ESPTRACK_A_MAX - 1)
};

/**
 * enum esptrack_sa_attr - an inbound ESP-in-UDP SA
 *
 * @ESPTRACK_A_SA_PAD: alignment of 64-bit values
 * @ESPTRACK_A_SA_SPI: be32, never 0
 * @ESPTRACK_A_SA_LOCAL_IPV4: be32, the SA's destination address
 * @ESPTRACK_A_SA_LOCAL_IPV6: 16 bytes, the same for IPv6
 * @ESPTRACK_A_SA_LOCAL_PORT: be16, UDP port on which the SA receives
 * @ESPTRACK_A_SA_REMOTE: nest of &enum esptrack_endpoint_attr, the endpoint
 * @ESPTRACK_A_SA_REQID: u32, as in ip-xfrm(8); 0 if there is none
 * @ESPTRACK_A_SA_MARK: u32, lookup mark; left out if the SA has none
 * @ESPTRACK_A_SA_MARK_MASK: u32, its mask; left out if the SA has none
 * @ESPTRACK_A_SA_IF_ID: u32, xfrm interface; left out if the SA has none
 * @ESPTRACK_A_SA_MODE: u8, XFRM_MODE_* of linux/xfrm.h
 * @ESPTRACK_A_SA_STATIC_NAT: u8, 1: follow the peer, 0: only report
 * @ESPTRACK_A_SA_MOVES: u64, how often the SA was moved
 * @ESPTRACK_A_SA_REFUSED: u64, authenticated packets from another endpoint
 *	that were not allowed to move the SA
 * @ESPTRACK_A_SA_OUTBOUND: be32, SPI of an outbound SA on the same flow;
 *	repeated for each, up to 32
 * @ESPTRACK_A_SA_PORT_ONLY: u8, 1: follow ports, but not addresses
 */
enum esptrack_sa_attr {
	ESPTRACK_A_SA_PAD = 1,
	ESPTRACK_A_SA_SPI,
	ESPTRACK_A_SA_LOCAL_IPV4,
	ESPTRACK_A_SA_LOCAL_IPV6,
	ESPTRACK_A_SA_LOCAL_PORT,
	ESPTRACK_A_SA_REMOTE,
	ESPTRACK_A_SA_REQID,
	ESPTRACK_A_SA_MARK,
	ESPTRACK_A_SA_MARK_MASK,
	ESPTRACK_A_SA_IF_ID,
	ESPTRACK_A_SA_MODE,
	ESPTRACK_A_SA_STATIC_NAT,
	ESPTRACK_A_SA_MOVES,
	ESPTRACK_A_SA_REFUSED,
	ESPTRACK_A_SA_OUTBOUND,
	ESPTRACK_A_SA_PORT_ONLY,

	__ESPTRACK_A_SA_MAX,
	ESPTRACK_A_SA_MAX = (__ESPTRACK_A_SA_MAX - 1)
};

/**
 * enum esptrack_endpoint_attr - remote address and UDP port of a peer
 *
 * @ESPTRACK_A_ENDPOINT_IPV4: be32
 * @ESPTRACK_A_ENDPOINT_IPV6: 16 bytes
 * @ESPTRACK_A_ENDPOINT_PORT: be16
 */
enum esptrack_endpoint_attr {
	ESPTRACK_A_ENDPOINT_IPV4 = 1,
	ESPTRACK_A_ENDPOINT_IPV6,
	ESPTRACK_A_ENDPOINT_PORT,

	__ESPTRACK_A_ENDPOINT_MAX,
	ESPTRACK_A_ENDPOINT_MAX = (__ESPTRACK_A_ENDPOINT_MAX - 1)
};

/**
 * enum esptrack_reqid_attr - switches of all SAs of a reqid
 *
 * @ESPTRACK_A_REQID_NUMBER: u32, the reqid, never 0
 * @ESPTRACK_A_REQID_STATIC_NAT: u8, as %ESPTRACK_A_SA_STATIC_NAT; left out if
 *	it is not set
 * @ESPTRACK_A_REQID_PORT_ONLY: u8, as %ESPTRACK_A_SA_PORT_ONLY; left out if it
 *	is not set
 */
enum esptrack_reqid_attr {
	ESPTRACK_A_REQID_NUMBER = 1,
	ESPTRACK_A_REQID_STATIC_NAT,
	ESPTRACK_A_REQID_PORT_ONLY,

	__ESPTRACK_A_REQID_MAX,
	ESPTRACK_A_REQID_MAX = (__ESPTRACK_A_REQID_MAX - 1)
};

/**
 * enum esptrack_event_attr - what a notification reports
 *
 * @ESPTRACK_A_EVENT_PAD: alignment of 64-bit values
 * @ESPTRACK_A_EVENT_SEQ: u64, number of the event in its network namespace:
 *	1, 2, 3 ... in the order in which they happened and are sent, from 1
 *	again when the module is loaded again; a gap tells a listener that it
 *	lost messages, or that the kernel had no memory to make them
 * @ESPTRACK_A_EVENT_TIME: u64, nanoseconds of CLOCK_BOOTTIME
 * @ESPTRACK_A_EVENT_OLD: nest of &enum esptrack_endpoint_attr, the endpoint
 *	before the event
 * @ESPTRACK_A_EVENT_NEW: nest of &enum esptrack_endpoint_attr, the source of
 *	the packet
 * @ESPTRACK_A_EVENT_ESP_SEQ: u64, ESP sequence number of the packet, the high
 *	half is 0 without ESN
 * @ESPTRACK_A_EVENT_REASON: u32, &enum esptrack_reason; only in refused
 * @ESPTRACK_A_EVENT_MOVED: nest of &enum esptrack_member_attr, one SA that was
 *	moved, repeated for each, up to 32; only in moved.
 *	%ESPTRACK_A_EVENT_MOVED_COUNT counts them all
 * @ESPTRACK_A_EVENT_MOVED_COUNT: u32, number of SAs that were moved; only in
 *	moved
 */
enum esptrack_event_attr {
	ESPTRACK_A_EVENT_PAD = 1,
	ESPTRACK_A_EVENT_SEQ,
	ESPTRACK_A_EVENT_TIME,
	ESPTRACK_A_EVENT_OLD,
	ESPTRACK_A_EVENT_NEW,
	ESPTRACK_A_EVENT_ESP_SEQ,
	ESPTRACK_A_EVENT_REASON,
	ESPTRACK_A_EVENT_MOVED,
	ESPTRACK_A_EVENT_MOVED_COUNT,

	__ESPTRACK_A_EVENT_MAX,
	ESPTRACK_A_EVENT_MAX = (__ESPTRACK_A_EVENT_MAX - 1)
};

/**
 * enum esptrack_member_attr - an SA that was moved
 *
 * @ESPTRACK_A_MEMBER_SPI: be32
 * @ESPTRACK_A_MEMBER_DIR: u8, &enum esptrack_dir
 */
enum esptrack_member_attr {
	ESPTRACK_A_MEMBER_SPI = 1,
	ESPTRACK_A_MEMBER_DIR,

	__ESPTRACK_A_MEMBER_MAX,
	ESPTRACK_A_MEMBER_MAX = (__ESPTRACK_A_MEMBER_MAX - 1)
};

/**
 * enum esptrack_dir - direction of an SA as the gateway sees it
 *
 * @ESPTRACK_DIR_IN: from the peer
 * @ESPTRACK_DIR_OUT: to the peer
 */
enum esptrack_dir {
	ESPTRACK_DIR_IN = 1,
	ESPTRACK_DIR_OUT,
};

/**
 * enum esptrack_reason - the rule that a packet from another endpoint broke
 *
 * The packets meant here passed the SA's integrity check, where it has one.
 *
 * @ESPTRACK_REASON_NO_INTEGRITY: the SA has no integrity algorithm
 * @ESPTRACK_REASON_NO_REPLAY: the SA has no replay window
 * @ESPTRACK_REASON_STALE: not newer than every packet accepted before; or from
 *	the endpoint that another SA of the flow has just left
 * @ESPTRACK_REASON_SOURCE: source is not unicast, is ours, or has port 0
 * @ESPTRACK_REASON_ADDRESS: the address changed, and port_only is on
 * @ESPTRACK_REASON_OFFLOAD: the SA is offloaded to a device
 * @ESPTRACK_REASON_ANY_PORT: the SA's encapsulation has port 0 (any port)
 * @ESPTRACK_REASON_THROTTLED: moved too often lately
 * @ESPTRACK_REASON_MODE: the address changed, and an SA of the flow is in
 *	transport mode
 * @ESPTRACK_REASON_SHARED_REQID: the address changed, and SAs of another peer
 *	have the same reqid, so that policies cannot be told apart
 * @ESPTRACK_REASON_COLLISION: with the new address an outbound SA would have the
 *	key (address, SPI) of another one
 * @ESPTRACK_REASON_CROWDED: the flow has more SAs than are moved at once
 * @ESPTRACK_REASON_NO_MEMORY: there was no memory for the move
 */
enum esptrack_reason {
	ESPTRACK_REASON_NO_INTEGRITY = 1,
	ESPTRACK_REASON_NO_REPLAY,
	ESPTRACK_REASON_STALE,
	ESPTRACK_REASON_SOURCE,
	ESPTRACK_REASON_ADDRESS,
	ESPTRACK_REASON_OFFLOAD,
	ESPTRACK_REASON_ANY_PORT,
	ESPTRACK_REASON_THROTTLED,
	ESPTRACK_REASON_MODE,
	ESPTRACK_REASON_COLLISION,
	ESPTRACK_REASON_SHARED_REQID,
	ESPTRACK_REASON_CROWDED,
	ESPTRACK_REASON_NO_MEMORY,

	__ESPTRACK_REASON_MAX,
	ESPTRACK_REASON_MAX = (__ESPTRACK_REASON_MAX - 1)
};

#endif /* _UAPI_LINUX_ESPTRACK_H */
