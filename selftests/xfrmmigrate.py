#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Migrate an SA, as IKE daemons do for MOBIKE.

xfrmmigrate.py DIR NET PEER_NET LOCAL OLD NEW PORT
    the tunnel mode SA in direction DIR (in, out) between LOCAL and OLD, with
    reqid 1, and the policy of NET and PEER_NET: the peer is at NEW and PORT from
    now on
xfrmmigrate.py state DIR SPI LOCAL OLD NEW PORT
    the SA alone, by XFRM_MSG_MIGRATE_STATE: the kernel asks for its SPI and where it
    leads to, but not where it comes from
"""

import os
import socket
import struct
import sys

NLM_F_REQUEST, NLM_F_ACK, NLMSG_ERROR = 1, 4, 2
XFRM_MSG_MIGRATE, XFRM_MSG_MIGRATE_STATE = 0x21, 0x29
XFRMA_ENCAP, XFRMA_MIGRATE = 4, 17
UDP_ENCAP_ESPINUDP = 2
MODE_TUNNEL = 1


def attr(kind, data):
    raw = struct.pack("=HH", 4 + len(data), kind) + data
    return raw + bytes(-len(raw) % 4)


def encap(ports):
    """struct xfrm_encap_tmpl"""
    return attr(XFRMA_ENCAP, struct.pack("=H", UDP_ENCAP_ESPINUDP) +
                struct.pack("!HH2x16x", *ports))


def send(kind, body):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 6)
    sock.bind((0, 0))
    sock.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | NLM_F_ACK,
                          1, 0) + body)
    # One that tells what was done may come first.
    kind = 0
    while kind != NLMSG_ERROR:
        answer = sock.recv(4096)
        kind = struct.unpack_from("=4xH", answer)[0]
    error = -struct.unpack_from("=i", answer, 16)[0]
    if error:
        sys.exit(os.strerror(error))


def ends(way, local, old, new, port):
    """Source and destination before, and after, and the ports"""
    ends = (old, local), (new, local), (port, 4500)
    return ends if way == "in" else tuple(pair[::-1] for pair in ends)


def migrate(way, net, peer_net, *places):
    before, after, ports = ends(way, *map(socket.inet_aton, places[:3]), int(places[3]))
    policy = tuple(map(socket.inet_aton, (peer_net, net)))
    if way == "out":
        policy = policy[::-1]

    # struct xfrm_userpolicy_id
    body = struct.pack("=16s16s8xHBBB3xii", policy[1], policy[0],
                       socket.AF_INET, 32, 32, 0, 0, 0)
    body += struct.pack("=IB3x", 0, ("in", "out").index(way))
    # struct xfrm_user_migrate
    body += attr(XFRMA_MIGRATE, struct.pack(
        "=16s16s16s16sBBHIHH", before[1], before[0], after[1], after[0],
        socket.IPPROTO_ESP, MODE_TUNNEL, 0, 1, socket.AF_INET, socket.AF_INET))
    send(XFRM_MSG_MIGRATE, body + encap(ports))


def migrate_state(way, spi, *places):
    before, after, ports = ends(way, *map(socket.inet_aton, places[:3]), int(places[3]))

    # struct xfrm_usersa_id
    body = struct.pack("=16s", before[1]) + struct.pack("!I", int(spi, 0))
    body += struct.pack("=HBx", socket.AF_INET, socket.IPPROTO_ESP)
    # The rest of struct xfrm_user_migrate_state: addresses, no mark, any selector, reqid
    body += struct.pack("=16s16s8x40xH14xIIHH", after[1], after[0], socket.AF_INET, 1, 0,
                        socket.AF_INET, 0)
    send(XFRM_MSG_MIGRATE_STATE, body + encap(ports))


if sys.argv[1] == "state":
    migrate_state(*sys.argv[2:])
else:
    migrate(*sys.argv[1:])
