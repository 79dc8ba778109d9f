#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What was on a wire.

wirewatch.py list FILE
    One line per UDP packet: TIME SRC:PORT DST:PORT SPI SEQ LENGTH; SPI and SEQ
    are "-" where it is not ESP.
wirewatch.py first FILE SRC
    The time of the first ESP packet from SRC (ADDRESS:PORT).
wirewatch.py control FILE TIME
    How many packets since TIME carried no data: IKE, and WireGuard's handshakes,
    but not keepalives of a NAT.
wirewatch.py stale FILE LOCAL NEW
    LOCAL and NEW are ADDRESS:PORT. Counts the ESP packets from LOCAL that went
    elsewhere than to NEW after the first ESP packet had come from NEW, and a
    MOMENT had passed. Fails if none came, or if none went to NEW.
"""

import sys

import pcap

# The packet is seen on the wire before it is decrypted, and meanwhile another
# processor may be sending. One of a guest may stand still for as long as this where
# its host has much to do; a module that is slower is found by test_first_reply.sh.
MOMENT = 0.2

# WireGuard's messages, by what would be the SPI were they ESP. Daemons choose theirs
# by chance, and hardly one of these.
WIREGUARD_HANDSHAKE = (0x01000000, 0x02000000, 0x03000000)


def listing(path):
    for packet in pcap.read(path):
        spi, seq = ("-", "-") if packet.seq is None else (f"0x{packet.spi:08x}", packet.seq)
        print(f"{packet.time:.6f} {packet.src}:{packet.sport} "
              f"{packet.dst}:{packet.dport} {spi} {seq} {len(packet.payload)}")


def first(path, src):
    for packet in pcap.read(path):
        if packet.seq is not None and f"{packet.src}:{packet.sport}" == src:
            print(f"{packet.time:.6f}")
            return
    sys.exit(f"no ESP came from {src}")


def control(path, time):
    # What was decrypted is seen on the device once more, at other ports.
    print(sum(packet.time >= float(time) and len(packet.payload) > 1 and
              not {500, 4500}.isdisjoint((packet.sport, packet.dport)) and
              (packet.seq is None or packet.spi in WIREGUARD_HANDSHAKE)
              for packet in pcap.read(path)))


def stale(path, local, new):
    came = None
    wrong = right = 0
    for packet in pcap.read(path):
        if packet.seq is None:
            continue
        src = f"{packet.src}:{packet.sport}"
        dst = f"{packet.dst}:{packet.dport}"
        if (src, dst) == (new, local):
            came = came or packet.time
        elif came and src == local and packet.time >= came + MOMENT:
            if dst == new:
                right += 1
            else:
                wrong += 1
    if not came:
        sys.exit(f"no ESP came from {new}")
    print(wrong)
    if not right:
        sys.exit(f"no ESP went to {new}")


if sys.argv[1] == "list":
    listing(sys.argv[2])
elif sys.argv[1] == "first":
    first(*sys.argv[2:])
elif sys.argv[1] == "control":
    control(*sys.argv[2:])
elif sys.argv[1] == "stale":
    stale(*sys.argv[2:])
else:
    sys.exit(__doc__)
