#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Send ESP-in-UDP packets of a capture again, from this namespace, changed.

espinject.py --pcap FILE --spi SPI [--pick first|last|N|seq=N[-M]] --src A:P --dst A:P
    --pick      which of the packets with this SPI: the first, the last, the
                N-th (from 0; negative: from the end), or those with the ESP
                sequence numbers N to M (default: last)
    --src/dst   source and destination in the IP and UDP headers; of several
                sources, with commas between them, each packet has the next one
    --count N   send it N times (1)
    --forge     flip a bit of the ICV
    --spi-to S  write another SPI
    --seq-to N  write another sequence number (which spoils the ICV)
    --truncate N  keep only N bytes of ESP
    --options   with IP options (four NOPs)
    --fragment  in two fragments; --fragment-gap: only the first of them
    --pad N     random ESP instead: SPI and sequence number as given, N bytes
Prints the number of packets sent.
"""

import argparse
import itertools
import os
import socket
import struct

import pcap


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def endpoints(text):
    return [endpoint(part) for part in text.split(",")]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip_packet(src, dst, body, ident, options=b"", fragment=0):
    def header(check):
        return struct.pack("!BBHHHBBH4s4s", 0x40 | (5 + len(options) // 4), 0,
                           20 + len(options) + len(body), ident, fragment, 64,
                           socket.IPPROTO_UDP, check, socket.inet_aton(src),
                           socket.inet_aton(dst)) + options
    return header(checksum(header(0))) + body


def pick(packets, which):
    if which.startswith("seq="):
        first, _, last = which[4:].partition("-")
        numbers = range(int(first), int(last or first) + 1)
        found = [packet for packet in packets if packet.seq in numbers]
    else:
        index = {"first": 0, "last": -1}.get(which)
        found = [packets[int(which) if index is None else index]]
    if not found:
        raise SystemExit("no such packet in the capture")
    return found


def change(esp, args):
    esp = bytearray(esp)
    if args.pad is not None:
        esp[8:] = os.urandom(args.pad)
    if args.spi_to is not None:
        struct.pack_into("!I", esp, 0, args.spi_to)
    if args.seq_to is not None:
        struct.pack_into("!I", esp, 4, args.seq_to)
    if args.forge:
        esp[-1] ^= 1
    if args.truncate is not None:
        del esp[args.truncate:]
    return bytes(esp)


def main():
    parser = argparse.ArgumentParser()
    number = lambda text: int(text, 0)
    parser.add_argument("--pcap", required=True)
    parser.add_argument("--spi", type=number, required=True)
    parser.add_argument("--pick", default="last")
    parser.add_argument("--src", type=endpoints, required=True)
    parser.add_argument("--dst", type=endpoint, required=True)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--forge", action="store_true")
    parser.add_argument("--spi-to", type=number)
    parser.add_argument("--seq-to", type=number)
    parser.add_argument("--truncate", type=int)
    parser.add_argument("--options", action="store_true")
    parser.add_argument("--fragment", action="store_true")
    parser.add_argument("--fragment-gap", action="store_true")
    parser.add_argument("--pad", type=int)
    args = parser.parse_args()

    packets = [packet for packet in pcap.read(args.pcap) if packet.spi == args.spi]
    if not packets:
        raise SystemExit("no ESP with this SPI in the capture")
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sources = itertools.cycle(args.src)
    dst, dport = args.dst
    options = b"\x01" * 4 if args.options else b""
    sent = 0
    for packet in pick(packets, args.pick):
        src, sport = next(sources)
        esp = change(packet.payload, args)
        udp = struct.pack("!HHHH", sport, dport, 8 + len(esp), 0) + esp
        for _ in range(args.count):
            ident = int.from_bytes(os.urandom(2), "big") | 1
            if args.fragment or args.fragment_gap:
                half = len(udp) // 2 & ~7
                parts = [(udp[:half], 0x2000), (udp[half:], half // 8)]
                if args.fragment_gap:
                    parts.pop()
            else:
                parts = [(udp, 0)]
            for body, fragment in parts:
                sock.sendto(ip_packet(src, dst, body, ident, options, fragment),
                            (dst, 0))
            sent += 1
    print(sent)


main()
