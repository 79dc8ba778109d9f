#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Send packets of IPsec without UDP, and an ICMP error about one.

plainesp.py packet esp|ah|comp TO SPI
    one that says to be of the SA with this SPI
plainesp.py toobig TO FROM SPI MTU
    an error to TO: its ESP packet with this SPI to FROM does not fit through MTU
"""

import socket
import struct
import sys

from esppeers import checksum

ESP, AH, COMP = 50, 51, 108


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def send(protocol, to, data):
    sock = socket.socket(family_of(to), socket.SOCK_RAW, protocol)
    sock.sendto(data, (to, 0))


def packet(kind, to, spi):
    if kind == "esp":
        send(ESP, to, struct.pack("!II", spi, 1) + bytes(32))
    elif kind == "ah":
        send(AH, to, struct.pack("!BBHII", socket.IPPROTO_UDP, 4, 0, spi, 1) + bytes(32))
    else:
        send(COMP, to, struct.pack("!BBH", socket.IPPROTO_UDP, 0, spi) + bytes(32))


def toobig(to, origin, spi, mtu):
    """What did not fit was sent by TO itself."""
    family = family_of(to)
    ends = socket.inet_pton(family, to) + socket.inet_pton(family, origin)
    lost = struct.pack("!II", spi, 1)
    if family == socket.AF_INET6:
        lost = struct.pack("!IHBB", 6 << 28, len(lost), ESP, 64) + ends + lost
        # The kernel fills in the checksum.
        send(socket.IPPROTO_ICMPV6, to, struct.pack("!BBHI", 2, 0, 0, mtu) + lost)
        return
    lost = struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0x4000, 64, ESP, 0) + ends + lost
    body = struct.pack("!HH", 0, mtu) + lost
    check = checksum(struct.pack("!BBH", 3, 4, 0) + body)
    send(socket.IPPROTO_ICMP, to, struct.pack("!BBH", 3, 4, check) + body)


if sys.argv[1] == "packet":
    packet(sys.argv[2], sys.argv[3], int(sys.argv[4], 0))
else:
    toobig(sys.argv[2], sys.argv[3], int(sys.argv[4], 0), int(sys.argv[5]))
