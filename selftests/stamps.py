#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Want timestamps of packets until killed.

The kernel patches its code when the first socket wants them and when the last one
does not any more, which each ping would be. QEMU before 8.1 may go on with what it
has translated while code was being patched, and the guest dies of an int3 that is
there no more. (Seen once, with 7.2.)
"""

import signal
import socket

SO_TIMESTAMP = 29

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
signal.pause()
