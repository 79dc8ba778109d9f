#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Requests to the esptrack family that the tool would not make.

genl.py: for each line of stdin, send the request of this name (see REQUESTS) and print
what the kernel answers: "ok", or "ERRNO: extended ack [attribute N | missing N]".
"""

import errno
import socket
import struct
import sys

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
SOL_NETLINK, NETLINK_EXT_ACK, NETLINK_CAP_ACK = 270, 11, 10
ACK_MSG, ACK_OFFS, ACK_MISS_TYPE = 1, 2, 5
NESTED = 0x8000

# linux/esptrack.h
GET, SET, REQID_GET, REQID_SET, REQID_DEL = 1, 2, 6, 7, 8
STATS_GET, CONF_GET, CONF_SET = 9, 10, 11
REQID_NUMBER, REQID_STATIC_NAT = 1, 2
CONF_STATIC_NAT, CONF_INTERVAL, CONF_BURST = 2, 4, 5
SA_SPI, SA_IPV4, SA_IPV6, SA_MASK, SA_STATIC_NAT, SA_MOVES = 2, 3, 4, 9, 12, 13


def attr(kind, data):
    raw = struct.pack("=HH", 4 + len(data), kind) + data
    return raw + bytes(-len(raw) % 4)


def nest(kind, *attrs):
    return attr(kind | NESTED, b"".join(attrs))


SPI = attr(SA_SPI, struct.pack("!I", 0x1001))
OTHER_SPI = attr(SA_SPI, struct.pack("!I", 0x1002))
IPV4 = attr(SA_IPV4, socket.inet_aton("10.128.0.2"))
IPV6 = attr(SA_IPV6, bytes(16))
ON = attr(SA_STATIC_NAT, b"\x01")
REQID = attr(REQID_NUMBER, struct.pack("=I", 77))
REQID_ON = attr(REQID_STATIC_NAT, b"\x01")
CONF_ON = attr(CONF_STATIC_NAT, b"\x01")

REQUESTS = {
    "good-get": (GET, SPI + IPV4),
    "good-set": (SET, SPI + IPV4 + ON),
    "get-nothing": (GET, b""),
    "get-no-spi": (GET, IPV4),
    "get-no-address": (GET, SPI),
    "get-two-addresses": (GET, SPI + IPV4 + IPV6),
    "get-short-address": (GET, SPI + attr(SA_IPV4, b"\x0a")),
    "get-short-ipv6": (GET, SPI + attr(SA_IPV6, bytes(8))),
    "get-mask-only": (GET, SPI + IPV4 + attr(SA_MASK, bytes(4))),
    "get-unknown-sa": (GET, OTHER_SPI + IPV4),
    "get-unknown-attribute": (GET, SPI + IPV4 + attr(99, bytes(4))),
    "get-with-value": (GET, SPI + IPV4 + ON),
    "set-nothing": (SET, SPI + IPV4),
    "set-two": (SET, SPI + IPV4 + attr(SA_STATIC_NAT, b"\x02")),
    "set-wide": (SET, SPI + IPV4 + attr(SA_STATIC_NAT, bytes(4))),
    "set-read-only": (SET, SPI + IPV4 + ON + attr(SA_MOVES, bytes(8))),
    "set-unknown-sa": (SET, OTHER_SPI + IPV4 + ON),
    "set-nested": (SET, nest(1, SPI, IPV4, ON)),
    "set-cut": (SET, b"\x08\x00\x02"),
    "dump-with-selector": (GET, SPI + IPV4, NLM_F_DUMP),
    "reqid-set-no-number": (REQID_SET, REQID_ON),
    "reqid-set-nothing": (REQID_SET, REQID),
    "reqid-set-zero": (REQID_SET, attr(REQID_NUMBER, bytes(4)) + REQID_ON),
    "reqid-set-two": (REQID_SET, REQID + attr(REQID_STATIC_NAT, b"\x02")),
    "reqid-set-short": (REQID_SET, attr(REQID_NUMBER, bytes(2)) + REQID_ON),
    "reqid-del-unknown": (REQID_DEL, REQID),
    "reqid-del-no-number": (REQID_DEL, b""),
    "reqid-del-with-value": (REQID_DEL, REQID + REQID_ON),
    "reqid-get-unknown": (REQID_GET, REQID),
    "reqid-get-no-number": (REQID_GET, b""),
    "reqid-dump-with-selector": (REQID_GET, REQID, NLM_F_DUMP),
    "stats-with-value": (STATS_GET, attr(2, bytes(8))),
    "stats-dump": (STATS_GET, b"", NLM_F_DUMP),
    "conf-get-with-value": (CONF_GET, CONF_ON),
    "conf-set-nothing": (CONF_SET, b""),
    "conf-set-two": (CONF_SET, attr(CONF_STATIC_NAT, b"\x02")),
    "conf-set-no-interval": (CONF_SET, attr(CONF_INTERVAL, bytes(4))),
    "conf-set-slow": (CONF_SET, attr(CONF_INTERVAL, struct.pack("=I", 30001))),
    "conf-set-no-burst": (CONF_SET, attr(CONF_BURST, bytes(4))),
    "conf-set-burst": (CONF_SET, attr(CONF_BURST, struct.pack("=I", 1001))),
    "conf-set-pad": (CONF_SET, CONF_ON + attr(1, b"")),
    "unknown-command": (77, b""),
    "notification-as-command": (3, b""),
}


def attrs(data):
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind, data[4:length]
        data = data[(length + 3) & ~3:]


class Genl:
    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.sock.settimeout(10)
        self.sock.bind((0, 0))

    def send(self, family, cmd, data, flags):
        body = struct.pack("=BBH", cmd, 1, 0) + data
        self.sock.send(struct.pack("=IHHII", 16 + len(body), family,
                                   NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0) + body)

    def answers(self):
        """All messages up to the acknowledgement: (type, flags, data)"""
        while True:
            data = self.sock.recv(65536)
            while len(data) >= 16:
                length, kind, flags = struct.unpack_from("=IHH", data)
                yield kind, flags, data[16:length]
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return
                data = data[(length + 3) & ~3:]

    def family(self, name):
        self.send(16, 3, attr(2, name.encode() + b"\0"), 0)
        found = None
        for kind, _, data in self.answers():
            if kind == 16:
                found = dict(attrs(data[4:]))
        if found is None:
            raise SystemExit("no family")
        return struct.unpack("=H", found[1])[0]


def tell(kind, flags, data):
    code = -struct.unpack_from("=i", data)[0]
    if not code:
        return "ok"
    text = "EOPNOTSUPP" if code == errno.EOPNOTSUPP else errno.errorcode[code]
    # Behind an error there is the header of the request, or all of it; behind
    # the end of a dump there is neither.
    offset = 4
    if kind == NLMSG_ERROR:
        offset += 16 if flags & NLM_F_CAPPED else struct.unpack_from("=I", data, 4)[0]
    tlvs = dict(attrs(data[offset:])) if flags & NLM_F_ACK_TLVS else {}
    if ACK_MSG in tlvs:
        text += ": " + tlvs[ACK_MSG].rstrip(b"\0").decode()
    if ACK_OFFS in tlvs:
        text += f" [at {struct.unpack('=I', tlvs[ACK_OFFS])[0]}]"
    if ACK_MISS_TYPE in tlvs:
        text += f" [missing {struct.unpack('=I', tlvs[ACK_MISS_TYPE])[0]}]"
    return text


def main():
    genl = Genl()
    family = genl.family("esptrack")
    for line in sys.stdin:
        cmd, data, *flags = REQUESTS[line.strip()]
        genl.send(family, cmd, data, flags[0] if flags else 0)
        for kind, flags, data in genl.answers():
            if kind in (NLMSG_ERROR, NLMSG_DONE):
                print(tell(kind, flags, data), flush=True)


if __name__ == "__main__":
    main()
