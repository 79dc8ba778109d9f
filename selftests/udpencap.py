#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Hold a UDP socket from which the kernel takes ESP, until ended."""

import signal
import socket
import sys

UDP_ENCAP = 100
UDP_ENCAP_ESPINUDP = 2

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("0.0.0.0", int(sys.argv[1]) if len(sys.argv) > 1 else 4500))
sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
print("ready", flush=True)
signal.pause()
