#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print what xfrm tells key managers, one line per message:

TIME KIND [spi=0x%08x dst=ADDRESS] [old=ADDRESS:PORT new=ADDRESS:PORT]

as "ip xfrm monitor" would, but with kinds that can be counted. --aevents also
asks for the messages about replay counters; while anybody listens to those
the kernel makes one per packet, so they are not on by default.
"""

import socket
import struct
import sys
import time

NETLINK_XFRM = 6
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP = 1
GROUPS = {"acquire": 1, "expire": 2, "sa": 3, "policy": 4, "aevents": 5,
          "report": 6, "migrate": 7, "mapping": 8}
KINDS = {0x10: "newsa", 0x11: "delsa", 0x12: "getsa", 0x13: "newpolicy",
         0x14: "delpolicy", 0x16: "allocspi", 0x17: "acquire", 0x18: "expire",
         0x19: "updpolicy", 0x1a: "updsa", 0x1b: "polexpire", 0x1c: "flushsa",
         0x1d: "flushpolicy", 0x1e: "newae", 0x20: "report", 0x21: "migrate",
         0x26: "mapping"}
SELECTOR = 56   # struct xfrm_selector


def address(raw, family):
    size = 4 if family == socket.AF_INET else 16
    return socket.inet_ntop(family, raw[:size])


def said(data, offset):
    """struct xfrm_usersa_id: daddr, spi, family, proto"""
    spi, = struct.unpack_from("!I", data, offset + 16)
    family, = struct.unpack_from("=H", data, offset + 20)
    return family, f"spi=0x{spi:08x} dst={address(data[offset:], family)}"


def usersa(data):
    """struct xfrm_usersa_info: family is behind id, saddr, lifetimes, stats"""
    family, = struct.unpack_from("=H", data, SELECTOR + 24 + 16 + 64 + 32 + 12 + 8)
    spi, = struct.unpack_from("!I", data, SELECTOR + 16)
    return f"spi=0x{spi:08x} dst={address(data[SELECTOR:], family)}"


def details(kind, data):
    if kind in ("newsa", "updsa", "expire"):
        return usersa(data)
    if kind == "delsa":
        return said(data, 0)[1]
    if kind == "mapping":
        family, text = said(data, 0)
        old, new = data[28:44], data[44:60]
        old_port, new_port = struct.unpack_from("!HH", data, 60)
        return (f"{text} old={address(old, family)}:{old_port}"
                f" new={address(new, family)}:{new_port}")
    return ""


def main():
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((0, 0))
    for name, group in GROUPS.items():
        if name != "aevents" or "--aevents" in sys.argv:
            sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
    print("ready", flush=True)
    while True:
        data = sock.recv(65536)
        now = time.time()
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            name = KINDS.get(kind, f"message-{kind:#x}")
            print(f"{now:.6f} {name} {details(name, data[16:length])}".rstrip(),
                  flush=True)
            data = data[(length + 3) & ~3:]


main()
