#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Tell all who hear this network namespace that esptrack's netlink family has gone, as
the kernel would; but it is still there.
"""

import socket
import struct

from genl import Genl, attr

# The controller of families, and its multicast group
CTRL = 16
CTRL_CMD_DELFAMILY, CTRL_ATTR_FAMILY_ID = 2, 1

family = Genl().family("esptrack")
body = (struct.pack("=BBH", CTRL_CMD_DELFAMILY, 2, 0) +
        attr(CTRL_ATTR_FAMILY_ID, struct.pack("=H", family)))
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
sock.bind((0, 0))
# Groups are bits in an address.
sock.sendto(struct.pack("=IHHII", 16 + len(body), CTRL, 0, 0, 0) + body,
            (0, 1 << (CTRL - 1)))
