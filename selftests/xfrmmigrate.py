#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Migrate an SA and its policy, as IKE daemons do for MOBIKE.

xfrmmigrate.py DIR NET PEER_NET LOCAL OLD NEW PORT
    the tunnel mode SA in direction DIR (in, out) between LOCAL and OLD, with
    reqid 1, and the policy of NET and PEER_NET: the peer is at NEW and PORT from
    now on
"""

import os
import socket
import struct
import sys

NLM_F_REQUEST, NLM_F_ACK = 1, 4
XFRM_MSG_MIGRATE = 0x21
XFRMA_ENCAP, XFRMA_MIGRATE = 4, 17
UDP_ENCAP_ESPINUDP = 2
MODE_TUNNEL = 1


def attr(kind, data):
    raw = struct.pack("=HH", 4 + len(data), kind) + data
    return raw + bytes(-len(raw) % 4)


def main():
    way, net, peer_net, local, old, new = sys.argv[1:7]
    addr = {text: socket.inet_aton(text) for text in (net, peer_net, local, old, new)}
    ports = (int(sys.argv[7]), 4500)
    policy, before, after = (peer_net, net), (old, local), (new, local)
    if way == "out":
        policy, before, after, ports = policy[::-1], before[::-1], after[::-1], ports[::-1]

    # struct xfrm_userpolicy_id
    body = struct.pack("=16s16s8xHBBB3xii", addr[policy[1]], addr[policy[0]],
                       socket.AF_INET, 32, 32, 0, 0, 0)
    body += struct.pack("=IB3x", 0, ("in", "out").index(way))
    # struct xfrm_user_migrate
    body += attr(XFRMA_MIGRATE, struct.pack(
        "=16s16s16s16sBBHIHH", addr[before[1]], addr[before[0]],
        addr[after[1]], addr[after[0]], socket.IPPROTO_ESP, MODE_TUNNEL, 0, 1,
        socket.AF_INET, socket.AF_INET))
    # struct xfrm_encap_tmpl
    body += attr(XFRMA_ENCAP, struct.pack("=H", UDP_ENCAP_ESPINUDP) +
                 struct.pack("!HH2x16x", *ports))

    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 6)
    sock.bind((0, 0))
    sock.send(struct.pack("=IHHII", 16 + len(body), XFRM_MSG_MIGRATE,
                          NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body)
    error = -struct.unpack_from("=i", sock.recv(4096), 16)[0]
    if error:
        sys.exit(os.strerror(error))


main()
