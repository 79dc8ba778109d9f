# SPDX-License-Identifier: GPL-2.0
"""ESP in UDP over IPv4, out of a capture file."""

import collections
import socket
import struct

Packet = collections.namedtuple(
    "Packet", "time src sport dst dport spi seq payload")


def read(path):
    """All UDP packets; spi is 0 for IKE, seq None where there is no ESP."""
    with open(path, "rb") as file:
        data = file.read()
    magic, = struct.unpack_from("<I", data)
    link, = struct.unpack_from("<I", data, 20)
    if magic not in (0xa1b2c3d4, 0xa1b23c4d) or link != 1:
        raise ValueError(f"{path}: not a capture of an Ethernet device")
    unit = 1e-6 if magic == 0xa1b2c3d4 else 1e-9
    offset = 24
    while offset + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", data, offset)
        frame = data[offset + 16:offset + 16 + length]
        offset += 16 + length
        ip = frame[14:]
        if len(ip) < 28 or ip[0] >> 4 != 4 or ip[9] != socket.IPPROTO_UDP:
            continue
        header = (ip[0] & 15) * 4
        if struct.unpack_from("!H", ip, 6)[0] & 0x1fff:
            continue
        sport, dport, size = struct.unpack_from("!HHH", ip, header)
        payload = ip[header + 8:header + size]
        spi, seq = 0, None
        if 4500 in (sport, dport) and len(payload) >= 8:
            spi, = struct.unpack_from("!I", payload)
            if spi:
                seq, = struct.unpack_from("!I", payload, 4)
        yield Packet(seconds + fraction * unit,
                     socket.inet_ntoa(ip[12:16]), sport,
                     socket.inet_ntoa(ip[16:20]), dport, spi, seq, payload)
