#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Hold a UDP socket from which the kernel takes ESP, until ended.

udpencap.py [PORT] [--ipv6] [--gro]
    --ipv6  a socket of IPv6 only
    --gro   have the kernel take ESP out already where it receives packets
"""

import argparse
import signal
import socket

UDP_ENCAP = 100
UDP_ENCAP_ESPINUDP = 2
UDP_GRO = 104

parser = argparse.ArgumentParser()
parser.add_argument("port", nargs="?", type=int, default=4500)
parser.add_argument("--ipv6", action="store_true")
parser.add_argument("--gro", action="store_true")
args = parser.parse_args()

sock = socket.socket(socket.AF_INET6 if args.ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
if args.ipv6:
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
sock.bind(("::" if args.ipv6 else "0.0.0.0", args.port))
sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
if args.gro:
    sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
print("ready", flush=True)
signal.pause()
