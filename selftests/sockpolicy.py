#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What the kernel answers to IPsec policies of a socket: none, too short ones, one that
no key manager knows, and one that is right. Prints a word for each.
"""

import errno
import socket
import struct

IP_XFRM_POLICY, IPV6_XFRM_POLICY = 17, 35
XFRM_POLICY_IN = 0


def userpolicy(direction):
    """struct xfrm_userpolicy_info that lets all pass"""
    selector = struct.pack("=16s16sHHHHHBBBxxxiI", b"", b"", 0, 0, 0, 0, socket.AF_INET,
                           0, 0, 0, 0, 0)
    forever = (1 << 64) - 1
    limits = struct.pack("=8Q4Q", *[forever] * 4, *[0] * 4, *[0] * 4)
    return selector + limits + struct.pack("=IIBBBB4x", 0, 0, direction, 0, 0, 0)


def answer(family, level, option, policy):
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.setsockopt(level, option, policy)
        except OSError as error:
            return errno.errorcode[error.errno]
    return "ok"


for family, level, option in (
        (socket.AF_INET, socket.IPPROTO_IP, IP_XFRM_POLICY),
        (socket.AF_INET6, socket.IPPROTO_IPV6, IPV6_XFRM_POLICY)):
    for policy in (b"\0", bytes(16), userpolicy(7), userpolicy(XFRM_POLICY_IN)):
        print(answer(family, level, option, policy))
