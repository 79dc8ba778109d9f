#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""saupdate.py GATEWAY COUNT: update the outbound SA of peer 1 so often, as "ip xfrm
state update" with what "esppeers.py batch states-out 1" says, only faster, and going on
where the SA is not at that address, or on its way. JSON: the kernel's answers, and how
many of each."""

import collections
import errno
import json
import socket
import struct
import sys

from esppeers import Peer

XFRM_MSG_UPDSA = 0x1a
XFRMA_ALG_CRYPT, XFRMA_ENCAP, XFRMA_ALG_AUTH_TRUNC = 2, 4, 20
XFRM_MODE_TUNNEL = 1
UDP_ENCAP_ESPINUDP = 2
NLM_F_REQUEST, NLM_F_ACK = 1, 4
NO_LIMIT = (1 << 64) - 1


def address(text):
    return socket.inet_aton(text).ljust(16, b"\0")


def attribute(kind, value):
    size = 4 + len(value)
    return (struct.pack("=HH", size, kind) + value).ljust((size + 3) & ~3, b"\0")


def algorithm(name, *numbers, key=b""):
    return name.encode().ljust(64, b"\0") + struct.pack(f"={len(numbers)}I", *numbers) + key


def update(peer):
    home, port = peer.place(0)
    sa = bytes(56)                                          # the selector
    sa += address(home) + struct.pack("!IBxxx", peer.spi_out, socket.IPPROTO_ESP)
    sa += address(peer.gateway)
    sa += struct.pack("=8Q", *[NO_LIMIT] * 4, *[0] * 4)     # lifetime
    sa += bytes(32 + 12)                                    # used so far, statistics
    sa += struct.pack("=IIHBBBxxxxxxx", 0, peer.reqid, socket.AF_INET, XFRM_MODE_TUNNEL,
                      32, 0)
    encap = struct.pack("=H", UDP_ENCAP_ESPINUDP) + struct.pack("!HHxx", 4500, port)
    body = (sa + attribute(XFRMA_ALG_AUTH_TRUNC, algorithm(
                "hmac(sha256)", 8 * len(peer.key), 128, key=peer.key)) +
            attribute(XFRMA_ALG_CRYPT, algorithm("ecb(cipher_null)", 0)) +
            attribute(XFRMA_ENCAP, encap + bytes(16)))
    return struct.pack("=IHHII", 16 + len(body), XFRM_MSG_UPDSA,
                       NLM_F_REQUEST | NLM_F_ACK, 0, 0) + body


def main():
    request = update(Peer(1, sys.argv[1]))
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_XFRM)
    answers = collections.Counter()
    for _ in range(int(sys.argv[2])):
        sock.send(request)
        error, = struct.unpack_from("=i", sock.recv(4096), 16)
        answers[errno.errorcode[-error] if error else "ok"] += 1
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
